use super::super::world::{World, price};
use zkmargin_protocol::Rule;
use zkmargin_protocol::value::units::Price;

pub const RULE: Rule = Rule::FeeLimit;

#[test]
fn accepts_fees_at_the_limit_and_none() {
    let world = World::new();
    let at_limit = world.accepts("at the limit", &world.drafted(|d| d.fees = d.fee_limits));
    // (10 + 8) USDC a contract on half a contract.
    assert_eq!(at_limit.trades[0].fees(), 9_000_000);
    world.accepts("none", &world.drafted(|d| d.fees = [Price::MIN; 2]));
    let none_allowed =
        world.drafted(|d| (d.fees, d.fee_limits) = ([Price::MIN; 2], [Price::MIN; 2]));
    world.accepts("none allowed", &none_allowed);
}

#[test]
fn rejects_fee_limit_one_unit_above_either_limit() {
    let world = World::new();
    for side in [0, 1] {
        let above = world.drafted(|d| d.fees[side] = price(d.fee_limits[side].get() + 1));
        world.rejects(RULE, "one unit above", &above);
        world.rejects(RULE, "the highest", &world.drafted(|d| d.fees[side] = Price::MAX));
    }
}
