use super::super::world::{World, index, quantity, rule_of};
use zkmargin_fixtures::build::{OrderDraft, deposit, market, portfolio_book, trade};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::positions::Positions;
use zkmargin_protocol::value::units::{InstrumentIndex, Underlying};

pub const RULE: Rule = Rule::Book;

/// Accounts 4 and 5 trade underlying 2, accounts 2 and 3 underlying 1; the market has both.
fn two_books() -> World {
    let world = World::of(market(4, 1));
    let opened = [4, 5].map(|i| deposit(index(i), portfolio_book(2), 1_000_000_000_000));
    let (state, _) = world.play(&opened).expect("new accounts");
    World { state, ..world }
}

#[test]
fn accepts_a_trade_within_the_book_and_rejects_book_if_either_side_has_another() {
    let world = two_books();
    let row = world.market.rows().values().find(|row| row.spec.underlying.get() == 2);
    let draft = OrderDraft::fair(row.expect("two underlyings"), 5);
    for (sides, is_accepted) in [([4, 5], true), ([2, 5], false), ([4, 3], false), ([2, 3], false)]
    {
        let operation = [trade(&draft, sides.map(index), [0, 0])];
        match is_accepted {
            true => drop(world.accepts("own book", &operation)),
            false => world.rejects(RULE, "another's book", &operation),
        }
    }
}

#[test]
fn rejects_book_at_the_borders_of_the_index_range() {
    let book = |value| Underlying::new(value).expect("an underlying");
    for (underlying, value, is_own) in [
        (0, 0, false), // "no instrument"
        (0, 1, true),
        (0, 0x0fff, true),
        (0, 0x1000, false),
        (1, 0x0fff, false),
        (1, 0x1000, true),
        (1, 0x1fff, true),
        (1, 0x2000, false),
        (15, 0xefff, false),
        (15, 0xf000, true),
        (15, 0xffff, true),
    ] {
        let instrument = InstrumentIndex::new(value).expect("16 bits");
        let added = Positions::default().add(book(underlying), instrument, quantity(1));
        assert_eq!(rule_of(added), (!is_own).then_some(RULE), "{underlying} {value:#x}");
    }
}
