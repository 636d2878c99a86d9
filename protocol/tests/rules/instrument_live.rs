use super::world::{BUYER, World, index, rule_of, time};
use zkmargin_fixtures::keys::signed_table;
use zkmargin_fixtures::synthetic::{
    NOW_S, OrderDraft, deposit, domain, market, market_of, now, parameters, portfolio_book,
    risk_rows, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::{Market, SignedRiskTable};
use zkmargin_protocol::units::{InstrumentIndex, Underlying};

pub const RULE: Rule = Rule::InstrumentLive;

/// The world with all options expiring at this second.
fn expiring_at(expiry_s: u64) -> World {
    let mut rows = risk_rows(2, 1);
    rows.values_mut().for_each(|row| row.spec.expiry = time(expiry_s));
    World { market: market_of(&rows), ..World::new() }
}

#[test]
fn accepts_the_second_before_expiry_and_rejects_instrument_live_at_expiry() {
    let live = expiring_at(NOW_S + 1);
    live.accepts("traded", &live.drafted(|_| ()));
    let expired = expiring_at(NOW_S);
    expired.rejects(RULE, "traded", &expired.drafted(|_| ()));
    // Account 2 holds the first option: it cannot be touched before the option is settled.
    let touched = [deposit(index(BUYER), portfolio_book(1), 1)];
    live.accepts("held", &touched);
    expired.rejects(RULE, "held", &touched);
}

#[test]
fn rejects_instrument_live_for_an_option_that_is_not_in_the_table() {
    let world = World::new();
    let book = Underlying::new(1).expect("an underlying");
    let unlisted = InstrumentIndex::of(book, 9).expect("a slot");
    let operation = world.drafted(|d| d.instrument = unlisted);
    world.rejects(RULE, "unlisted", &operation);
    world.rejects(RULE, "index 0", &world.drafted(|d| d.instrument = InstrumentIndex::default()));
    // A table that lost an option somebody holds.
    let mut rows = risk_rows(2, 1);
    let (held, _) = rows.pop_first().expect("two rows");
    let without = World { market: market_of(&rows), ..World::new() };
    assert!(
        without.state.account(index(BUYER)).expect("a trader").positions.quantity(held).get() > 0
    );
    without.rejects(RULE, "held", &[deposit(index(BUYER), portfolio_book(1), 1)]);
}

fn table() -> SignedRiskTable {
    signed_table(&risk_rows(4, 1), parameters(), 77, now(), domain()).expect("16-bit indices")
}

#[test]
fn rejects_instrument_live_for_malformed_rows() {
    assert!(Market::new(table(), domain()).is_ok());
    let changes: [fn(&mut SignedRiskTable); 4] = [
        |t| t.rows.push(t.rows[0].clone()),
        |t| t.rows[0].losses.truncate(32),
        |t| t.rows[0].instrument = InstrumentIndex::default(),
        |t| t.rows[0].spec.underlying = Underlying::new(2).expect("an underlying"),
    ];
    for (which, change) in changes.into_iter().enumerate() {
        let mut changed = table();
        change(&mut changed);
        assert_eq!(rule_of(Market::new(changed, domain())), Some(RULE), "case {which}");
    }
}

#[test]
fn accepts_every_option_of_a_market() {
    let world = World { market: market(3, 1), ..World::new() };
    for row in world.market.rows().values() {
        let draft = OrderDraft::fair(row, 1);
        world.accepts("listed", &[trade(&draft, [2, 3].map(index), [0, 0])]);
    }
}
