use super::super::world::{World, price};
use zkmargin_protocol::Rule;
use zkmargin_protocol::value::units::Price;

pub const RULE: Rule = Rule::LimitPrice;

#[test]
fn accepts_both_limits_met_exactly() {
    let world = World::new();
    world.accepts("both", &world.drafted(|d| d.limits = [d.price; 2]));
    world.accepts("widest", &world.drafted(|d| d.limits = [Price::MAX, Price::MIN]));
}

#[test]
fn rejects_limit_price_one_unit_beyond_either_limit() {
    let world = World::new();
    let buyer = world.drafted(|d| d.limits[0] = price(d.price.get() - 1));
    let seller = world.drafted(|d| d.limits[1] = price(d.price.get() + 1));
    world.rejects(RULE, "buyer pays too much", &buyer);
    world.rejects(RULE, "seller gets too little", &seller);
    world.rejects(RULE, "buyer pays nothing", &world.drafted(|d| d.limits[0] = Price::MIN));
    world.rejects(RULE, "seller wants all", &world.drafted(|d| d.limits[1] = Price::MAX));
}
