use super::super::auction_world;
use super::super::world::{BUYER, SELLER, World, index, price, quantity, time};
use zkmargin_fixtures::build::auction::{Distress, bidder};
use zkmargin_fixtures::build::{
    NOW_S, OrderDraft, banded_market, deposit, portfolio_book, risk_rows, signed_move, small_state,
    trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::price_band::is_outside;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::pricing::black76::Volatility;
use zkmargin_protocol::pricing::surface::{Expiry, SmilePoint, Surface, SurfaceData};
use zkmargin_protocol::value::units::Underlying;

pub const RULE: Rule = Rule::PriceBand;

/// Trader 2 holds so much of the first option, trader 3 so much, and a forward has left its band.
fn holding(held: [i64; 2]) -> World {
    let market = banded_market(&risk_rows(2, 1), true);
    let state = small_state(&market);
    let mut accounts = state.accounts().clone();
    let first = *market.rows().keys().next().expect("two rows");
    for (account, held) in [BUYER, SELLER].into_iter().zip(held) {
        let positions = &mut accounts.get_mut(&index(account)).expect("a trader").positions;
        let change = held - positions.quantity(first).get();
        let book = Underlying::new(1).expect("4 bits");
        if change != 0 {
            positions.add(book, first, quantity(change)).expect("a free slot");
        }
    }
    let state = State::new(Snapshot { accounts, ..state.snapshot() }).expect("a state");
    World { market, state, ..World::new() }
}

/// Trader 2 sells to trader 3.
fn sold(world: &World, quantity_e3: i64) -> [Operation; 1] {
    let row = world.market.rows().values().next().expect("two rows");
    let mut draft = OrderDraft::fair(row, quantity_e3);
    draft.fees = [price(0); 2];
    [trade(&draft, [SELLER, BUYER].map(index), [0, 0])]
}

#[test]
fn accepts_closing_on_both_sides_and_rejects_price_band_of_one_unit_more() {
    for (held, sold_e3, is_closing) in [
        ([2_000, -2_000], 2_000, true),
        ([2_000, -2_000], 1, true),
        ([2_000, -2_000], 2_001, false),
        ([2_000, -1_999], 2_000, false),
        ([1_999, -2_000], 2_000, false),
        ([2_000, 0], 1, false),
        ([0, -2_000], 1, false),
        ([-1, -2_000], 1, false),
    ] {
        let world = holding(held);
        let list = sold(&world, sold_e3);
        if is_closing {
            world.accepts(&format!("{held:?} {sold_e3}"), &list);
        } else {
            world.rejects(RULE, &format!("{held:?} {sold_e3}"), &list);
        }
        // Inside of the band nothing of this matters.
        let market = banded_market(&risk_rows(2, 1), false);
        World { market, ..world }.accepts("inside", &list);
    }
}

#[test]
fn accepts_growth_that_the_same_batch_takes_back_and_counts_the_batch_as_a_whole() {
    let world = holding([2_000, -2_000]);
    let row = world.market.rows().values().next().expect("two rows");
    let mut draft = OrderDraft::fair(row, 100);
    draft.fees = [price(0); 2];
    let there = trade(&draft, [BUYER, SELLER].map(index), [0, 0]);
    let back = trade(&draft, [SELLER, BUYER].map(index), [1, 1]);
    world.rejects(RULE, "there", std::slice::from_ref(&there));
    world.accepts("and back", &[there, back]);
}

#[test]
fn accepts_cash_in_and_out_and_new_accounts_after_a_jump() {
    let world = holding([2_000, -2_000]);
    let list = [
        deposit(index(BUYER), portfolio_book(1), 5),
        deposit(index(7), portfolio_book(1), 5),
        signed_move(index(SELLER), None, 5, 0),
        signed_move(index(BUYER), Some(index(SELLER)), 5, 0),
    ];
    let trace = world.accepts("cash", &list);
    assert_eq!(trace.two_sided().count(), 0, "one side tells that positions are the same");
    let traded = world.accepts("closing", &sold(&world, 500));
    assert_eq!(traded.two_sided().count(), 2);
    let closed = world.accepts("closing all", &sold(&world, 2_000));
    assert_eq!(closed.two_sided().count(), 0, "one side tells that there are none");
}

/// Forwards of three expiries in USDC.
fn surface(underlying: u8, forwards: [u32; 3]) -> Surface {
    let point = SmilePoint { strike: price(1_000), volatility: Volatility(500_000) };
    let expiries = (1u64..).zip(forwards).map(|(weeks, forward)| Expiry {
        expiry: time(NOW_S + weeks * 604_800),
        forward: price(forward * 1_000),
        fixing: None,
        smile: vec![point],
    });
    let underlying = Underlying::new(underlying).expect("4 bits");
    let data = SurfaceData { underlying, time: time(NOW_S), expiries: expiries.collect() };
    Surface::new(data).expect("a surface")
}

#[test]
fn accepts_moves_up_to_the_band_and_says_when_one_is_beyond() {
    let before = [surface(1, [1_000, 1_010, 1_020]), surface(2, [50, 50, 50])];
    let moved = |forwards| is_outside(&before, &[surface(1, forwards)], 100_000);
    assert!(!moved([1_000, 1_010, 1_020]));
    assert!(!moved([1_100, 909, 918]), "ten per cent of the forward before");
    assert!(moved([1_101, 1_010, 1_020]));
    assert!(moved([1_000, 908, 1_020]));
    assert!(moved([1_000, 1_010, 1_123]));
    let second = [surface(1, [1_000, 1_010, 1_020]), surface(2, [50, 50, 56])];
    assert!(is_outside(&before, &second, 100_000), "another underlying");
    assert!(!is_outside(&before[..1], &second[1..], 0), "nothing to differ from");
    assert!(!is_outside(&[], &second, 0), "the first epoch");
}

#[test]
fn rejects_price_band_of_bids_that_enlarge_a_book_while_auctions_start_and_end() {
    let outside = |distress: &Distress| {
        let market = banded_market(&risk_rows(2, 1), true);
        let state = distress.state(&market, auction_world::FUND_E6);
        World { market, state, ..World::new() }
    };
    let world = outside(&auction_world::for_sale(450));
    let taken = [auction_world::bid_for_all()];
    world.rejects(RULE, "a bidder with no positions", &taken);
    // A bidder who is long of what the debtor is short of ends with less.
    let mut snapshot = world.state.snapshot();
    let hedged = snapshot.accounts.get_mut(&bidder()).expect("the bidder");
    for &instrument in world.market.rows().keys() {
        let book = hedged.book.underlying;
        hedged.positions.add(book, instrument, quantity(5_000)).expect("a free slot");
    }
    let state = State::new(snapshot).expect("a state");
    World { state, ..outside(&auction_world::for_sale(450)) }.accepts("a hedged bidder", &taken);
    outside(&Distress::default()).accepts("a start", &[auction_world::start()]);
    let covered = Distress { equity_ppm: 3_000_000, ..auction_world::for_sale(450) };
    outside(&covered).accepts("an end", &[auction_world::end()]);
}
