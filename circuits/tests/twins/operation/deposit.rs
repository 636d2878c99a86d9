//! Deposits, and the amount and expiry of transfers and withdrawals.

use ark_bn254::Fr;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::operation::deposit::{DepositInput, DepositVar};
use zkmargin_fixtures::build::{account_index, deposit, portfolio_book};
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::deposit::{Deposit, DepositRow};
use zkmargin_protocol::value::units::{Cash, Underlying};

use super::super::draw::{agree, circuit, native, near, witness};

/// An amount around nothing, within 64 bits.
pub fn random_amount(rng: &mut ChaCha8Rng) -> Cash {
    let [min, max] = [Cash::MIN, Cash::MAX].map(i128::from);
    Cash::try_from(near(rng, 0, min, max)).expect("clamped")
}

/// A deposit that may name other keys or another book than its account has.
fn random_deposit(rng: &mut ChaCha8Rng) -> (Deposit, Account) {
    let index = account_index(rng.gen_range(0..1 << 24));
    let amount = if rng.r#gen() { random_amount(rng).get() } else { 5 };
    let Operation::Deposit(mut deposit) = deposit(index, portfolio_book(1), amount) else {
        unreachable!("a deposit")
    };
    let found = Account::open(deposit.key, deposit.view_key, deposit.book);
    match rng.gen_range(0..6) {
        0 => deposit.key = trader_key(account_index(7)).public(),
        1 => deposit.view_key += Fr::from(1u64),
        2 => deposit.book.underlying = Underlying::default(),
        _ => {}
    }
    (deposit, found)
}

#[test]
fn agree_on_deposits() {
    agree(500, &[Rule::Range, Rule::DepositKey], |rng| {
        let (deposit, found) = random_deposit(rng);
        let is_refused = rng.gen_ratio(1, 3);
        let keys =
            if is_refused { deposit.check_strange(&found) } else { deposit.check_key(&found) };
        let judged = native(deposit.check_terms()).or(native(keys));
        let row = DepositRow { deposit, is_refused };
        let input = DepositInput { row: row.clone(), found, is_opening: false };
        let mut cs = witness();
        let var = DepositVar::new(&mut cs, Some(&input));
        let words: Vec<_> = var.words().iter().map(|word| word.value()).collect();
        assert_eq!(words, row.deposit.words(is_refused));
        [judged, circuit(&cs)]
    });
}
