use std::collections::BTreeMap;

use super::super::world::{World, cash, index, quantity, rule_of};
use zkmargin_fixtures::build::{OrderDraft, account, market, portfolio_book, state, trade};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::positions::Positions;
use zkmargin_protocol::value::units::{InstrumentIndex, Quantity, Underlying};

pub const RULE: Rule = Rule::PositionSlots;

/// Account 2 holds 0.001 of `held` options of underlying 1 and account 3 has cash; 34 options are
/// listed.
fn holding(held: usize) -> World {
    let market = market(68, 1);
    let book = portfolio_book(1);
    let mut holder = account(index(2), book);
    let own = market.rows().keys().filter(|i| i.underlying() == book.underlying);
    for &instrument in own.take(held) {
        holder.positions.add(book.underlying, instrument, quantity(1)).expect("a free slot");
    }
    let mut other = account(index(3), book);
    holder.cash = cash(1_000_000_000_000);
    other.cash = holder.cash;
    let state = state(BTreeMap::from([(index(2), holder), (index(3), other)]), 4, &market);
    World { market, state, ..World::new() }
}

/// Buys 0.001 of the option at this place of underlying 1.
fn buy(world: &World, place: usize) -> [zkmargin_protocol::operation::Operation; 1] {
    let own = world.market.rows().values().filter(|row| row.spec.underlying.get() == 1);
    let row = own.clone().nth(place).expect("34 options");
    [trade(&OrderDraft::fair(row, 1), [2, 3].map(index), [0, 0])]
}

#[test]
fn accepts_the_32nd_slot_and_rejects_position_slots_for_the_33rd() {
    let world = holding(31);
    let trace = world.accepts("32nd", &buy(&world, 31));
    let holder = trace.accounts.iter().find(|row| row.index == index(2)).expect("touched");
    assert_eq!(holder.new.positions.count(), 32);
    let full = holding(32);
    full.rejects(RULE, "33rd", &buy(&full, 32));
    full.accepts("a slot in use", &buy(&full, 31));
}

#[test]
fn accepts_a_slot_that_a_closed_position_left() {
    let book = Underlying::new(1).expect("an underlying");
    let at = |slot| InstrumentIndex::of(book, slot).expect("a slot");
    let mut positions = Positions::default();
    for slot in 1..=32 {
        positions.add(book, at(slot), quantity(5)).expect("32 slots");
    }
    assert_eq!(rule_of(positions.add(book, at(33), quantity(1))), Some(RULE));
    positions.add(book, at(7), quantity(-5)).expect("closing");
    positions.add(book, at(33), quantity(1)).expect("the slot left");
    // Used slots by increasing instrument, none of zero; nothing changes with a change of nothing.
    let slots = positions.slots();
    assert!(slots.is_sorted() && slots.iter().all(|(_, q)| *q != Quantity::default()));
    let before = positions.clone();
    positions.add(book, at(7), Quantity::default()).expect("no slot needed");
    assert_eq!(positions, before);
}
