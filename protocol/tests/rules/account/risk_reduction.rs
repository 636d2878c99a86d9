use std::collections::BTreeMap;

use super::super::world::{World, holder, index, price, quantity};
use zkmargin_fixtures::build::{
    OrderDraft, deposit, market, portfolio_book, signed_move, state, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::{Margin, MarginMethod};
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
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

/// [`traded`] at the price that leaves account 5 as little short of initial margin as can be.
fn traded_to_the_brink(world: &World, place: usize, quantity_e3: i64) -> Operation {
    let row = world.market.rows().values().nth(place).expect("two options");
    let mut left = world.state.account(index(5)).expect("account 5").clone();
    let book = left.book.underlying;
    left.positions.add(book, row.instrument, quantity(quantity_e3)).expect("held already");
    let margin = world.market.margin_of(&left).expect("listed");
    let (size, mark) = (i128::from(quantity_e3), i128::from(row.mark));
    // Paid at mark, this would be left; what a thousandth of a USDC more costs is `size`.
    let spare_e6 = margin.equity - margin.initial - size * mark;
    let price_e3 = if size > 0 {
        mark + spare_e6.div_euclid(size) + 1
    } else {
        mark - spare_e6.div_euclid(-size) - 1
    };
    let price_e3 = u32::try_from(price_e3.max(0)).expect("a price");
    traded(world, place, quantity_e3, price_e3)
}

#[test]
fn accepts_closing_and_rejects_risk_reduction_when_a_position_grows() {
    for method in METHODS {
        let world = short_of_margin(method, [-1_234, 70], 5_000_000);
        for (place, quantity, is_reducing) in [
            (0, 1, true),
            (0, 1_234, true),
            (0, 1_235, false),
            (1, -1, true),
            (1, -70, true),
            (1, -71, false),
            (0, -1, false),
            (1, 1, false),
        ] {
            let what = format!("{method:?} {place} {quantity}");
            let list = [traded_to_the_brink(&world, place, quantity)];
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
    let world = short_of_margin(MarginMethod::Portfolio, [-1_234, 0], 5_000_000);
    world.rejects(RULE, "a gift to the seller", &[traded(&world, 0, 1_234, 1_000_000_000)]);
}

/// Equity and initial margin of account 5 after a batch, micro-USDC, initial margin in 10^-12.
fn equity_and_initial(world: &World, trace: &BatchTrace) -> [i128; 2] {
    let row = trace.accounts.iter().find(|row| row.index == index(5)).expect("account 5");
    let margin = world.market.margin_of(&row.new).expect("listed");
    [margin.equity, margin.initial_e12()]
}

/// The dearest price, 1/1000 USDC, at which account 5 may buy its short position back from a
/// partner, and where it is left.
fn dearest(world: &World, quantity_e3: i64) -> (u32, [i128; 2]) {
    let played = |price_e3| {
        let mut batch =
            Batch::new(&world.state, &world.market, world.shape, world.time).expect("fresh");
        batch.push(&[traded(world, 0, quantity_e3, price_e3)]).map(|()| batch)
    };
    let (mut accepted, mut refused) = (0, 1_000_000_000);
    while refused - accepted > 1 {
        let price_e3 = accepted + (refused - accepted) / 2;
        match played(price_e3) {
            Ok(_) => accepted = price_e3,
            Err(reject) => {
                assert_eq!(reject.rule, RULE, "{reject}");
                refused = price_e3;
            }
        }
    }
    let (_, trace) = played(accepted).expect("accepted").seal().expect("what is pushed is sealed");
    (accepted, equity_and_initial(world, &trace))
}

#[test]
fn rejects_risk_reduction_of_paying_a_partner_more_than_the_ratio_leaves() {
    // Two accounts of one owner: whatever account 5 pays too much is the partner's, and what it
    // owes at the end the fund's.
    for method in METHODS {
        let whole = short_of_margin(method, [-1_234, 0], 0);
        let margin = |world: &World| {
            let account = world.state.account(index(5)).expect("account 5");
            world.market.margin_of(account).expect("listed")
        };
        let Margin { initial, maintenance, .. } = margin(&whole);
        // Below maintenance margin it signs nothing.
        for lacking in [1_000_000, (initial - maintenance) / 2, initial - maintenance - 1] {
            let world = short_of_margin(method, [-1_234, 0], lacking);
            let before = margin(&world);
            assert!(before.equity > 0 && before.initial_excess_e12 < 0);
            for closed_e3 in [1_234, 617, 1] {
                let (price_e3, [equity, initial_e12]) = dearest(&world, closed_e3);
                let what = format!("{method:?} lacks {lacking}: {closed_e3} at {price_e3}");
                assert!(equity >= 0, "{what}: owes {equity}");
                let kept = equity * before.initial_e12() - before.equity * initial_e12;
                assert!(kept >= 0, "{what}: a lower ratio");
                // One more thousandth of a USDC a contract is more than there is.
                let tick = i128::from(closed_e3) * before.initial_e12();
                assert!(kept < tick, "{what}: not the dearest");
            }
        }
    }
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
