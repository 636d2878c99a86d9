use super::super::world::{BUYER, SELLER, World, index};
use zkmargin_fixtures::build::{OrderDraft, trade};
use zkmargin_protocol::Rule;
use zkmargin_protocol::operation::order::Side;

pub const RULE: Rule = Rule::OrderSides;

#[test]
fn accepts_two_accounts_on_two_sides() {
    let world = World::new();
    world.accepts("one way", &world.drafted(|_| ()));
    let other_way = trade(&world.draft(), [SELLER, BUYER].map(index), [0, 0]);
    world.accepts("the other way", &[other_way]);
}

#[test]
fn rejects_order_sides_for_one_account_one_side_or_two_instruments() {
    let world = World::new();
    let draft = world.draft();
    let itself = trade(&draft, [BUYER, BUYER].map(index), [0, 1]);
    world.rejects(RULE, "an account with itself", &[itself]);
    let two_buyers = world.changed(|t| t.sell = draft.order(Side::Buy, index(SELLER), 0));
    world.rejects(RULE, "two buyers", &two_buyers);
    let two_sellers = world.changed(|t| t.buy = draft.order(Side::Sell, index(BUYER), 0));
    world.rejects(RULE, "two sellers", &two_sellers);
    let swapped = world.changed(|t| std::mem::swap(&mut t.buy, &mut t.sell));
    world.rejects(RULE, "orders in each other's place", &swapped);
    let other = world.market.rows().values().nth(1).expect("two instruments");
    let other = OrderDraft { limits: draft.limits, ..OrderDraft::fair(other, 500) };
    let two = world.changed(|t| t.sell = other.order(Side::Sell, index(SELLER), 0));
    world.rejects(RULE, "two instruments", &two);
}
