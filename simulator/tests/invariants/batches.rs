//! Batches and epochs with one thing changed.

use ark_bn254::Fr;
use ark_ff::Field;
use zkmargin_protocol::account::{Account, INSURANCE_FUND};
use zkmargin_protocol::batch::trace::AccountRow;
use zkmargin_protocol::operation::forced::ForcedAnswer;
use zkmargin_protocol::operation::forced::reduction::Refusal;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::{Cash, Price};
use zkmargin_simulator::invariants::Invariant::{self, *};

use super::gallery::{ShownEpoch, ShownSeal};

/// Changes a batch.
pub type ForgeSeal = fn(&mut ShownSeal);
/// Changes an epoch.
pub type ForgeEpoch = fn(&mut ShownEpoch);

/// First word of the deposits.
const DEPOSITS: usize = 14;

/// Invariant and change of a batch.
pub fn cases() -> Vec<(Invariant, ForgeSeal)> {
    vec![
        (BatchReplays, |s| s.again = Ok((s.after.root, false))),
        (RootsChain, |s| s.trace.number += 1),
        (RootsChain, |s| s.trace.old_interest_root += Fr::ONE),
        (RootRecomputed, |s| s.after.root += Fr::ONE),
        (HoldersCounted, |s| s.after.interest_root += Fr::ONE),
        (CustodyHeld, |s| s.memory.deposited += 1),
        (DeficitsSum, |s| {
            let (held, deficit) = (s.after.custody.held(), s.after.custody.deficit());
            s.after.custody = Custody::new(held, deficit + 1).expect("63 bits");
        }),
        (OperationsInTrace, |s| _ = s.trace.trades.pop()),
        (OperationsInTrace, |s| {
            s.trace.accounts.iter_mut().for_each(|row| row.step = None);
        }),
        (RowsComplete, |s| _ = s.trace.accounts.pop()),
        (KeysAtEnd, |s| fund(s).view_key += Fr::ONE),
        (WindowsAtEnd, |s| fund(s).nonces.bits ^= 2),
        (BalancesAtEnd, |s| fund(s).cash = Cash::default()),
        // One micro-USDC more.
        (DepositWords, |s| s.words[DEPOSITS] += Fr::from(1u64 << 30)),
        (WithdrawalWords, |s| s.words[DEPOSITS + 4 * s.trace.shape.deposits] += Fr::ONE),
        (AnswerWords, |s| {
            let shape = &s.trace.shape;
            let from = DEPOSITS + 4 * shape.deposits + shape.requests + 12 * shape.accounts;
            // One micro-USDC more.
            s.words[from] += Fr::from(2u64).pow([90]);
        }),
        (AnswerWords, |s| {
            let shape = &s.trace.shape;
            let from = DEPOSITS + 4 * shape.deposits + shape.requests + 12 * shape.accounts;
            // Refused, or refused no more.
            s.words[from] += Fr::from(2u64).pow([153]);
        }),
        (LeafReadable, |s| {
            let shape = &s.trace.shape;
            let from = DEPOSITS + 4 * shape.deposits + shape.requests;
            s.words[from + 4] += Fr::ONE;
        }),
        (MarginAgrees, |s| s.trace.accounts[0].margin.initial_excess_e12 += 1),
        (MarginAgrees, |s| {
            let before = s.trace.accounts.iter_mut().find_map(|row| row.old_margin.as_mut());
            before.expect("a two-sided row").equity += 1;
        }),
        (MarginAgrees, |s| {
            // What there is in the place of what would be.
            let is_refused = |row: &&mut AccountRow| match row.answer {
                Some(ForcedAnswer::Reduction(answer)) => {
                    matches!(answer.refusal, Some(Refusal::Account | Refusal::Counterparty))
                }
                _ => false,
            };
            let row = s.trace.accounts.iter_mut().find(is_refused).expect("a refused reduction");
            row.old_margin = Some(row.margin.clone());
        }),
        (MergeNeverRaises, |s| {
            s.trace.accounts.iter_mut().for_each(|row| row.margin.requirement = -1);
        }),
        (OracleForward, |s| s.memory.clock.epoch = s.after.clock.epoch + 1),
    ]
}

fn fund(shown: &mut ShownSeal) -> &mut Account {
    shown.after.accounts.get_mut(&INSURANCE_FUND).expect("a fund")
}

/// Invariant and change of an epoch.
pub fn epochs() -> Vec<(Invariant, ForgeEpoch)> {
    vec![
        (SettlementPriceFixed, |s| {
            s.memory.prices.values_mut().for_each(|price| *price = Price::MAX);
        }),
        (SpecFixed, |s| {
            s.epoch.registry.values_mut().for_each(|spec| spec.strike = Price::MAX);
        }),
        (BandDeclared, |s| {
            s.epoch.forwards.values_mut().for_each(|forward| *forward = Price::MAX);
        }),
    ]
}
