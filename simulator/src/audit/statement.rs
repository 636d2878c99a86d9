//! What the chain and the owners read in a batch's words. Places and widths are those of
//! `docs/spec/batch/statement.md`.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, PrimeField};
use zkmargin_protocol::crypto::cipher;
use zkmargin_protocol::crypto::cipher::SECRET_WORDS;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;

use super::memory::Memory;
use super::observation::Seal;
use super::parties::payout;
use super::{Finding, demand};

/// Words before the lists.
const HEADER: usize = 14;
/// Words of a deposit.
const DEPOSIT: usize = 4;
/// Words of an account: index, leaf, encrypted leaf.
const ACCOUNT: usize = 2 + SECRET_WORDS;

/// The number of `bits` bits from bit `from` upward; at most 64.
fn part(word: Fr, from: usize, bits: usize) -> u64 {
    let limbs = word.into_bigint().0;
    let (limb, shift) = (from / 64, from % 64);
    let high = limbs.get(limb + 1).copied().unwrap_or(0);
    let pair = u128::from(limbs[limb]) | u128::from(high) << 64;
    (pair >> shift & ((1 << bits) - 1)) as u64
}

/// [`crate::invariants::Invariant::DepositWords`]
pub fn deposit_words(_: &Memory, seal: &Seal) -> Finding {
    let words = &seal.words[HEADER..HEADER + DEPOSIT * seal.trace.shape.deposits];
    let mut accepted = seal.operations.iter().filter_map(|operation| match operation {
        Operation::Deposit(deposit) => Some((deposit, 0)),
        Operation::RefuseDeposit(deposit) => Some((deposit, 1)),
        _ => None,
    });
    for words in words.chunks(DEPOSIT) {
        let Some((deposit, is_refused)) = accepted.next() else {
            demand!(words.iter().all(|word| *word == Fr::ZERO), "a deposit nobody made");
            continue;
        };
        let returned = part(words[0], 94, 1);
        let found = (part(words[0], 0, 1), part(words[0], 1, 24), part(words[0], 30, 64), returned);
        let amount = deposit.amount.get().unsigned_abs();
        let expected = (1, u64::from(deposit.account.get()), amount, is_refused);
        demand!(found == expected, "deposit {found:?}, expected {expected:?}");
        let point = deposit.key.point();
        demand!(words[1..3] == [point.x, point.y], "key of the deposit to {}", deposit.account);
    }
    demand!(accepted.next().is_none(), "a deposit without words");
    Ok(())
}

/// [`crate::invariants::Invariant::WithdrawalWords`]
pub fn withdrawal_words(_: &Memory, seal: &Seal) -> Finding {
    let shape = &seal.trace.shape;
    let from = HEADER + DEPOSIT * shape.deposits;
    let words = &seal.words[from..from + shape.requests];
    let found: Vec<_> = words.iter().copied().filter(|word| *word != Fr::ZERO).collect();
    let paid = seal.operations.iter().filter_map(|operation| {
        let Operation::Request(signed) = operation else { return None };
        let Action::Withdrawal { to, amount, .. } = signed.request.action else { return None };
        // used (1) ‖ recipient (160) ‖ amount (64), from the top.
        let mut bytes = vec![1];
        bytes.extend(to.0);
        bytes.extend((payout(amount.into(), seal.before.custody) as u64).to_be_bytes());
        Some(Fr::from_be_bytes_mod_order(&bytes))
    });
    demand!(paid.eq(found), "the withdrawals in the words are not those accepted");
    Ok(())
}

/// [`crate::invariants::Invariant::LeafReadable`]
pub fn leaf_readable(_: &Memory, seal: &Seal) -> Finding {
    let shape = &seal.trace.shape;
    let from = seal.words.len() - ACCOUNT * (shape.accounts + shape.two_sided);
    let used = seal.words[from..].chunks(ACCOUNT).filter(|words| words[0] != Fr::ZERO);
    let mut count = 0;
    for words in used {
        count += 1;
        let index = part(words[0], 0, 24);
        let account = seal.after.accounts.iter().find(|(k, _)| u64::from(k.get()) == index);
        let Some((index, account)) = account else {
            return Err(format!("words of account {index}, which does not exist"));
        };
        let secret: [Fr; SECRET_WORDS] = std::array::from_fn(|k| words[2 + k]);
        let read = cipher::decrypt(account.view_key, *index, words[1], secret);
        demand!(read == account.secret_words(), "the owner of {index} can't read the leaf");
        demand!(words[1] == account.leaf(), "leaf of account {index}");
    }
    let rows = seal.trace.accounts.len();
    demand!(count == rows, "words of {count} accounts, {rows} touched");
    Ok(())
}
