//! What owners force on L1.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use ark_ff::PrimeField;
use zkmargin_protocol::crypto::cipher::SECRET_WORDS;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedRequest};

use super::margin::{ONE_PPM, Standing};
use super::memory::Memory;
use super::observation::{Holding, Seal, Step};
use super::parties::{auctioned, parties, signers};
use super::{Finding, demand};

/// What a forced withdrawal takes of an account that holds this: what is asked for, or all above
/// initial margin.
pub fn taken(held: &Holding, step: &Step, request: &ForcedRequest) -> i128 {
    let ForcedAction::Withdrawal { amount } = request.action else { return 0 };
    let method = step.before.get(&request.account).map(|account| account.book.method);
    let standing = method.and_then(|method| Standing::of(held, step.market, method));
    let free = standing.map_or(0, |standing| standing.excess_e12().div_euclid(ONE_PPM).max(0));
    free.min(amount.into())
}

/// [`crate::invariants::Invariant::ForcedExact`]
pub fn forced_exact(memory: &Memory, step: &Step) -> Finding {
    let Operation::Forced(_) = step.operation else { return Ok(()) };
    let expected = memory.expected(step);
    for index in parties(step.operation) {
        let found = step.after.get(&index).map(Holding::of).unwrap_or_default();
        let wanted = expected.get(&index).cloned().unwrap_or_default();
        demand!(found == wanted, "account {index} has {found:?}, expected {wanted:?}");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::ForcedAlone`]
pub fn forced_alone(memory: &Memory, step: &Step) -> Finding {
    for (index, count) in &memory.forced_counts {
        demand!(*count == 1, "{count} requests forced on account {index} in a batch");
        let windows = [step.opening, step.after].map(|all| all.get(index).map(|a| a.nonces));
        demand!(windows[0] == windows[1], "account {index} has signed beside what it forced");
        let has_signed = signers(step.operation).iter().any(|(signer, _)| signer == index);
        let is_sold = auctioned(step.operation) == Some(*index);
        let is_stepping = is_sold || memory.steps.contains_key(index);
        demand!(!has_signed, "account {index} signs beside what it forced");
        demand!(!is_stepping, "a step of account {index} beside what it forced");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::ForcedInFull`]
pub fn forced_in_full(memory: &Memory, step: &Step) -> Finding {
    for index in &memory.forced_in_part {
        let Some(account) = step.after.get(index) else { continue };
        let held = Holding::of(account);
        let standing = Standing::of(&held, step.market, account.book.method);
        let excess = standing.map_or(0, |standing| standing.excess_e12());
        demand!(excess < ONE_PPM, "account {index} was paid a part and has {excess} left");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::DepositReturned`]
pub fn deposit_returned(_: &Memory, step: &Step) -> Finding {
    let Operation::RefuseDeposit(deposit) = step.operation else { return Ok(()) };
    let Some(account) = step.opening.get(&deposit.account) else {
        return Err(format!("account {} could have been opened", deposit.account));
    };
    let is_named = (account.key, account.view_key, account.book)
        == (deposit.key, deposit.view_key, deposit.book);
    demand!(!is_named, "account {} could have been credited", deposit.account);
    Ok(())
}

/// The number of `bits` bits from bit `from` upward.
fn part(word: Fr, from: usize, bits: usize) -> u128 {
    let limbs = word.into_bigint().0;
    (0..bits).map(|k| u128::from(limbs[(from + k) / 64] >> ((from + k) % 64) & 1) << k).sum()
}

/// Words of an account: index and answer, leaf, encrypted leaf.
const ACCOUNT: usize = 2 + SECRET_WORDS;

/// [`crate::invariants::Invariant::AnswerWords`]
pub fn answer_words(memory: &Memory, seal: &Seal) -> Finding {
    let shape = &seal.trace.shape;
    let from = seal.words.len() - ACCOUNT * (shape.accounts + shape.two_sided);
    let mut asked: BTreeMap<u128, &ForcedRequest> = BTreeMap::new();
    for operation in seal.operations {
        if let Operation::Forced(request) = operation {
            asked.insert(request.account.get().into(), request);
        }
    }
    for word in seal.words[from..].iter().step_by(ACCOUNT) {
        // account (24) ‖ is used (1) ‖ kind (2) ‖ amount (63) ‖ amount that leaves (63) ‖ is
        // refused (1); in place of the amounts instrument (16) ‖ contracts (22) and counterparty
        // (24).
        let (index, kind) = (part(*word, 0, 24), part(*word, 25, 2));
        let found = (kind, part(*word, 27, 63), part(*word, 90, 63), part(*word, 153, 100));
        let Some(request) = asked.remove(&index).filter(|_| part(*word, 24, 1) == 1) else {
            demand!(found == (0, 0, 0, 0), "account {index} is answered {found:?} to nothing");
            continue;
        };
        let expected = match request.action {
            ForcedAction::Withdrawal { amount } => {
                let paid = memory.forced_paid.get(&request.account).copied().unwrap_or_default();
                (1, amount.get().unsigned_abs().into(), paid as u128, 0)
            }
            ForcedAction::CancelAll => (2, 0, 0, 0),
            ForcedAction::Reduction(terms) => {
                let asked = u128::from(terms.quantity.get()) << 16;
                let outcome = memory.reductions.get(&request.account);
                let is_refused = outcome.is_some_and(|outcome| outcome.refusal.is_some());
                let [instrument, counterparty] =
                    [terms.instrument.get().into(), terms.counterparty.get()].map(u128::from);
                (3, instrument | asked, counterparty, is_refused.into())
            }
        };
        demand!(found == expected, "answer {found:?} of account {index}, expected {expected:?}");
    }
    demand!(asked.is_empty(), "{} forced requests without an answer", asked.len());
    Ok(())
}
