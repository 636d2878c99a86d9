use std::collections::BTreeMap;

use super::super::world::{World, holder, index, price};
use zkmargin_fixtures::build::{
    OrderDraft, deposit, market, portfolio_book, signed_move, state, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::Operation;

pub const RULE: Rule = Rule::RiskReduction;

/// Account 5 holds these quantities of the two options and lacks `lacking_e6` of its initial
/// margin; account 3 is rich.
fn short_of_margin(method: MarginMethod, quantities: [i64; 2], lacking_e6: i128) -> World {
    let market = market(2, 1);
    let holder = holder(&market, method, quantities, -lacking_e6);
    let rich = World::new().state.account(index(3)).expect("a trader").clone();
    let state = state(BTreeMap::from([(index(3), rich), (index(5), holder)]), 4, &market);
    World { market, state, ..World::new() }
}

/// Account 5 buys from account 3, or sells to it, the option in `place` of the table at a price.
fn traded(world: &World, place: usize, quantity_e3: i64, price_e3: u32) -> Operation {
    let row = world.market.rows().values().nth(place).expect("two options");
    let mut draft = OrderDraft::fair(row, quantity_e3.abs());
    draft.price = price(price_e3);
    draft.limits = [price(price_e3); 2];
    draft.fees = [price(0); 2];
    let sides = if quantity_e3 > 0 { [5, 3] } else { [3, 5] };
    trade(&draft, sides.map(index), [0, 0])
}

const METHODS: [MarginMethod; 2] = [MarginMethod::Portfolio, MarginMethod::Standard];

#[test]
fn accepts_cash_coming_in_and_rejects_risk_reduction_when_a_micro_usdc_leaves() {
    for method in METHODS {
        let world = short_of_margin(method, [-1_234, -77], 5_000_000);
        let mut book = portfolio_book(1);
        book.method = method;
        for amount in [1, 4_999_999] {
            let trace = world.accepts("still short", &[deposit(index(5), book, amount)]);
            assert_eq!(trace.two_sided().count(), 1);
        }
        let trace = world.accepts("short no more", &[deposit(index(5), book, 5_000_000)]);
        assert_eq!(trace.two_sided().count(), 0);
        let paid = signed_move(index(5), None, 1, 0);
        world.rejects(RULE, "one leaves", std::slice::from_ref(&paid));
        world.accepts("one comes and one leaves", &[deposit(index(5), book, 1), paid]);
    }
}

#[test]
fn accepts_closing_and_rejects_risk_reduction_when_a_position_grows() {
    // So short that no gift makes the account whole.
    for method in METHODS {
        let world = short_of_margin(method, [-1_234, 700], 1_000_000_000_000);
        for (place, quantity, is_reducing) in [
            (0, 1, true),
            (0, 1_234, true),
            (0, 1_235, false),
            (1, -1, true),
            (1, -700, true),
            (1, -701, false),
            (0, -1, false),
            (1, 1, false),
        ] {
            // A gift: nothing for what is bought, all the money there is for what is sold.
            let price_e3 = if quantity > 0 { 0 } else { 100_000_000 };
            let what = format!("{method:?} {place} {quantity}");
            let list = [traded(&world, place, quantity, price_e3)];
            if is_reducing {
                assert_eq!(world.accepts(&what, &list).two_sided().count(), 1, "{what}");
            } else {
                world.rejects(RULE, &what, &list);
            }
        }
    }
}

#[test]
fn rejects_risk_reduction_of_closing_at_too_high_a_price() {
    let world = short_of_margin(MarginMethod::Portfolio, [-1_234, 0], 1_000_000_000_000);
    world.rejects(RULE, "a gift to the seller", &[traded(&world, 0, 1_234, 1_000_000_000)]);
}

#[test]
fn rejects_shape_when_no_two_sided_row_is_left() {
    let mut world = short_of_margin(MarginMethod::Portfolio, [-1_234, -77], 5_000_000);
    world.shape.two_sided = 0;
    let list = [deposit(index(5), portfolio_book(1), 1)];
    world.rejects(Rule::Shape, "no row", &list);
    world.shape = Shape { two_sided: 1, ..world.shape };
    let mut batch =
        Batch::new(&world.state, &world.market, world.shape, world.time).expect("fresh");
    batch.push(&list).expect("one row");
    assert_eq!(batch.used().two_sided, 1);
    batch.push(&[deposit(index(5), portfolio_book(1), 5_000_000)]).expect("healthy now");
    assert_eq!(batch.used().two_sided, 0);
}
