//! Deposits, and the amount and expiry of transfers and withdrawals.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::deposit::DepositVar;
use zkmargin_fixtures::synthetic::{account_index, deposit, portfolio_book};
use zkmargin_protocol::Rule;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::units::Cash;

use super::draw::{agree, circuit, native, near, witness};

/// An amount around nothing, within 64 bits.
pub fn random_amount(rng: &mut ChaCha8Rng) -> Cash {
    let [min, max] = [Cash::MIN, Cash::MAX].map(i128::from);
    Cash::try_from(near(rng, 0, min, max)).expect("clamped")
}

#[test]
fn agree_on_deposits() {
    agree(500, &[Rule::Range], |rng| {
        let amount = random_amount(rng);
        let index = account_index(rng.gen_range(0..1 << 24));
        let Operation::Deposit(deposit) = deposit(index, portfolio_book(1), amount.get()) else {
            unreachable!("a deposit")
        };
        let mut cs = witness();
        let var = DepositVar::new(&mut cs, Some(&deposit));
        let words: Vec<_> = var.words.iter().map(|word| word.value()).collect();
        assert_eq!(words, deposit.words());
        [native(deposit.check_terms()), circuit(&cs)]
    });
}
