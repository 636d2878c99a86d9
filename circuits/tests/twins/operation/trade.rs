//! Rows of trades with their signatures.

use ark_bn254::Fr;
use ark_ff::{BigInteger, Field};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::market::fee_schedule::FeeScheduleVar;
use zkmargin_circuits::operation::fill::TradeInput;
use zkmargin_circuits::operation::trade::TradeVar;
use zkmargin_fixtures::build::{
    OrderDraft, account, account_index, domain, now, parameters, portfolio_book, risk_rows, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::babyjubjub::{BASE8, SUBGROUP_ORDER};
use zkmargin_protocol::crypto::eddsa::Signature;
use zkmargin_protocol::operation::Operation;

use super::super::draw::{agree, circuit, header_at, native, witness};

/// Leaves a signature as it is half the time, or spoils it in one way.
pub fn spoil(rng: &mut ChaCha8Rng, signature: &mut Signature) {
    match rng.gen_range(0..10) {
        0 => drop(signature.s.add_with_carry(&SUBGROUP_ORDER)),
        1 => drop(signature.s.add_with_carry(&1u64.into())),
        2 => signature.r8.x = -signature.r8.x,
        3 => signature.r8.y += Fr::ONE,
        4 => signature.r8 = BASE8,
        _ => {}
    }
}

#[test]
fn agree_on_signed_trades() {
    let rules = [Rule::OrderSides, Rule::Signature, Rule::LimitPrice];
    let rows = risk_rows(1, 3);
    let row = rows.values().next().expect("one row");
    agree(120, &rules, |rng| {
        let mut draft = OrderDraft::fair(row, 500);
        let is_priced_wrong = rng.gen_ratio(1, 4);
        if is_priced_wrong {
            draft.limits.swap(0, 1);
        }
        let seller = if rng.gen_ratio(7, 8) { 3 } else { 2 };
        let sides = [2, seller].map(account_index);
        let Operation::Trade(mut filled) = trade(&draft, sides, [0, 1]) else {
            unreachable!("a trade")
        };
        match rng.gen_range(0..4) {
            0 => spoil(rng, &mut filled.buy.signature),
            1 => spoil(rng, &mut filled.sell.signature),
            _ => {}
        }
        let signers = sides.map(|index| account(index, portfolio_book(1)));
        let judged = filled
            .check_sides()
            .and_then(|()| filled.buy.check_signature(&signers[0].key, domain()))
            .and_then(|()| filled.sell.check_signature(&signers[1].key, domain()))
            .and_then(|()| filled.check_limits(now()));
        let mut cs = witness();
        let header = header_at(&mut cs, domain(), now());
        let trade = *filled;
        let cash = [trade.cash_of_buyer(), trade.cash_of_seller()];
        let schedule = FeeScheduleVar::external(&mut cs, &parameters().fees);
        let input = TradeInput { is_active: true, trade, signers, forward: row.forward };
        let var = TradeVar::new(&mut cs, &input, &header, &schedule);
        if judged.is_ok() {
            let wires =
                [var.cash_of_buyer().lc(), var.cash_of_seller().lc()].map(|wire| wire.value());
            assert_eq!(wires, cash.map(zkmargin_protocol::value::packing::signed_field));
        }
        [native(judged), circuit(&cs)]
    });
}
