use super::super::world::{OTHER_SPECS, SELLER, World, index};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::value::units::Underlying;

pub const RULE: Rule = Rule::InstrumentSpec;

#[test]
fn accepts_the_specification_in_the_table() {
    let world = World::new();
    let trace = world.accepts("as listed", &world.drafted(|_| ()));
    assert_eq!(trace.trades[0].buy.order.spec, trace.instruments[0].risk.spec);
}

#[test]
fn rejects_instrument_spec_for_each_part_that_differs_on_both_or_one_side() {
    let world = World::new();
    let elsewhere: fn(&mut InstrumentSpec) =
        |s| s.underlying = Underlying::new(2).expect("an underlying");
    for (part, change) in OTHER_SPECS.into_iter().chain([elsewhere]).enumerate() {
        world.rejects(RULE, &format!("both, part {part}"), &world.drafted(|d| change(&mut d.spec)));
        let mut other = world.draft();
        change(&mut other.spec);
        let seller = world.changed(|t| t.sell = other.order(Side::Sell, index(SELLER), 0));
        world.rejects(RULE, &format!("seller, part {part}"), &seller);
    }
}
