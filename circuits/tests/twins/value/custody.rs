//! Shares of withdrawals while a deficit is counted, up to the widths of the totals.

use ark_bn254::Fr;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::gadgets::boolean::Bool;
use zkmargin_circuits::gadgets::integer::{Signed, Uint};
use zkmargin_circuits::value::custody::{CustodyVar, enforce_accepted};
use zkmargin_protocol::Rule;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::{CASH_BITS, Cash};

use super::super::draw::{agree, circuit, near, witness};

fn total(rng: &mut ChaCha8Rng) -> i128 {
    match rng.gen_range(0..3) {
        0 => *[0, 1, (1 << 62), (1 << 63) - 1].choose(rng).expect("four"),
        1 => rng.gen_range(0..1_000),
        _ => rng.gen_range(0..1 << 50),
    }
}

#[test]
fn agree_on_shares_of_withdrawals() {
    agree(2_000, &[Rule::WithdrawalShare], |rng| {
        let custody = Custody::new(total(rng), total(rng)).expect("63 bits");
        let amount = Cash::try_from(total(rng)).expect("63 bits");
        let payout = custody.payout_floor(amount);
        let least = near(rng, payout.into(), Cash::MIN.into(), Cash::MAX.into());
        let judged = (i128::from(payout) < least).then_some(Rule::WithdrawalShare);
        let mut cs = witness();
        let totals = CustodyVar::external(&mut cs, &custody, custody.deficit());
        let amount = i128::from(amount) as u128;
        let amount = Uint::external(&mut cs, "amount", amount, CASH_BITS - 1);
        let share = totals.payout_floor(&mut cs, &amount);
        assert_eq!(share.value(), Fr::from(payout.get()));
        let least = Signed::external(&mut cs, "least", least, CASH_BITS);
        let is_used = Bool::external(&mut cs, "is used", true);
        enforce_accepted(&mut cs, &is_used, &share, &least);
        [judged, circuit(&cs)]
    });
}
