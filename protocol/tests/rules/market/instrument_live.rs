use std::collections::BTreeMap;

use ark_bn254::Fr;

use super::super::world::{BUYER, World, index, rule_of, time};
use zkmargin_fixtures::build::{
    NOW_S, OrderDraft, deposit, domain, market, market_of, now, parameters, portfolio_book,
    random_case, risk_rows, trade,
};
use zkmargin_fixtures::forge::forgeries;
use zkmargin_fixtures::keys::signed_table;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::{BatchTrace, InstrumentRow};
use zkmargin_protocol::crypto::tree::node;
use zkmargin_protocol::market::{Market, SignedRiskTable};
use zkmargin_protocol::value::units::{InstrumentIndex, Underlying};

pub const RULE: Rule = Rule::InstrumentLive;

/// The world with all options expiring at this second.
fn expiring_at(expiry_s: u64) -> World {
    let mut rows = risk_rows(2, 1);
    rows.values_mut().for_each(|row| row.spec.expiry = time(expiry_s));
    World::of(market_of(&rows))
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
    let world = World::of(market(3, 1));
    for row in world.market.rows().values() {
        let draft = OrderDraft::fair(row, 1);
        world.accepts("listed", &[trade(&draft, [2, 3].map(index), [0, 0])]);
    }
}

/// From the leaf of each row up to the signed root by the nodes of the batch, and no node or child
/// beside.
fn is_opened(trace: &BatchTrace) -> bool {
    let leaf = |row: &InstrumentRow| ((0, u64::from(row.risk.instrument.get())), row.risk.leaf());
    let mut hashes: BTreeMap<(u8, u64), Fr> = trace.instruments.iter().map(leaf).collect();
    let mut known = hashes.len() == trace.instruments.len();
    for opened in &trace.risk_nodes {
        for (k, child) in opened.children.iter().enumerate() {
            let below = hashes.remove(&(opened.level - 1, 4 * opened.index + k as u64));
            known &= below == opened.opened[k].then_some(*child);
        }
        known &= hashes.insert((opened.level, opened.index), node(&opened.children)).is_none();
    }
    let root = trace.attestation.message.risk_root;
    known && hashes == BTreeMap::from([((8, 0), root)])
}

#[test]
fn accepts_the_nodes_of_random_batches() {
    for seed in 0..40 {
        let case = random_case(seed, Shape::TINY);
        assert!(is_opened(&case.trace), "seed {seed}");
    }
}

#[test]
fn rejects_instrument_live_of_forged_rows_and_nodes() {
    // Those that say what the table says of an option are refused for their time.
    let of_rule = forgeries().into_iter().filter(|forgery| forgery.rule == RULE);
    let (opened, forged): (Vec<_>, Vec<_>) = of_rule.partition(|forgery| is_opened(&forgery.trace));
    let opened: Vec<_> = opened.iter().map(|forgery| forgery.what).collect();
    let by_time = [
        "an option in the second of its expiry",
        "an option settled before its expiry",
        "a trade of a settled option",
    ];
    assert_eq!(opened, by_time);
    assert!(forged.len() > 15, "rows, nodes and places: {}", forged.len());
}
