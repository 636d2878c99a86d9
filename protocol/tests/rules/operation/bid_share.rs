use super::super::auction_world::{
    auction, bid, bid_for_all, discount_ppm, distressed, fill_of, for_sale, insolvent, judged,
    row_of, signed_bid,
};
use super::super::world::{World, cash, quantity};
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{portfolio_book, random_batch};
use zkmargin_fixtures::forge::forgeries;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::operation::bid::{AuctionStep, Fill};
use zkmargin_protocol::value::units::InstrumentIndex;

pub const RULE: Rule = Rule::BidShare;

/// One million times what is taken differs from the whole times the fraction by less than a
/// million, downwards.
fn is_floor(taken: i128, whole: i128, fraction_ppm: u32) -> bool {
    let rest = whole * i128::from(fraction_ppm) - taken * 1_000_000;
    (0..1_000_000).contains(&rest)
}

/// What the batch found of an account: cash with what is settled, and what is held of an
/// instrument.
fn found(row: &AccountRow, old: &Account, instrument: InstrumentIndex) -> (i128, i128) {
    let is_settled = row.settlement.instruments.contains(&instrument);
    let held = if is_settled { 0 } else { old.positions.quantity(instrument).get() };
    (i128::from(old.cash) + row.settlement.cash, held.into())
}

/// Of every position the same fraction left the account, and of the cash that is for sale, each
/// rounded down: an auditor that reads what the account had and has, and shares no code with the
/// transition.
fn is_shared_evenly(trace: &BatchTrace, row: &AccountRow, fill: &Fill) -> bool {
    let Some(old) = &row.old else { return false };
    let listed: Vec<_> = trace.instruments.iter().map(|row| row.risk.instrument).collect();
    let positions = listed.iter().all(|&instrument| {
        let (_, had) = found(row, old, instrument);
        let left = i128::from(row.new.positions.quantity(instrument));
        is_floor(had - left, had, fill.fraction_ppm)
    });
    let (opening, _) = found(row, old, InstrumentIndex::MIN);
    let equity = row.old_margin.as_ref().map_or(0, |margin| margin.equity);
    let reserve = old.auction.map_or(0, |auction| i128::from(auction.reserve));
    let kept = if equity > reserve { reserve } else { 0 };
    positions && is_floor(fill.cash, opening - kept, fill.fraction_ppm)
}

/// The fills of a batch.
fn fills(trace: &BatchTrace) -> impl Iterator<Item = (&AccountRow, &Fill)> {
    trace.accounts.iter().filter_map(|row| match &row.step {
        Some(AuctionStep::Bid(fill)) => Some((row, fill)),
        _ => None,
    })
}

fn is_honest(trace: &BatchTrace) -> bool {
    fills(trace).all(|(row, fill)| is_shared_evenly(trace, row, fill))
}

#[test]
fn accepts_the_same_fraction_of_everything_rounded_against_the_bidder() {
    for held_e3 in [[-1_234, -4_321], [-1_234, 700], [-1, 1], [-3, 2], [-99_999, 55_555]] {
        for fraction in [10_000, 33_333, 123_457, 333_333] {
            for distress in [for_sale(450), insolvent(600)] {
                let world = distressed(&Distress { held_e3, ..distress });
                let signed = signed_bid(bidder(), bid([0, fraction], i64::MAX), 0);
                let trace = world.accepts("a part", &[signed]);
                assert!(is_honest(&trace), "{held_e3:?} {fraction}");
                let had = &world.state.account(debtor()).expect("the debtor").positions;
                for (&instrument, &share) in &fill_of(&trace).shares {
                    // Fewer of what is long, more of what is short.
                    let (share, had) = (i128::from(share), i128::from(had.quantity(instrument)));
                    assert!(is_floor(share, had, fraction), "{share} of {had}");
                }
            }
        }
    }
}

#[test]
fn accepts_no_gain_of_many_small_bids_beyond_the_discount() {
    // Valued at mark a bidder never gains more than the discount on what it takes: rounding is on
    // the other side.
    let mut world = distressed(&for_sale(450));
    let discount = discount_ppm(&world.market.parameters().auction, 450);
    let worth = |world: &World| judged(world, bidder()).1.equity;
    for nonce in 0..12 {
        let equity = judged(&world, debtor()).1.equity;
        let reserve = world.state.account(debtor()).expect("the debtor").auction;
        let sold = equity - i128::from(reserve.expect("in auction").reserve);
        let signed = signed_bid(bidder(), bid([0, 10_000], i64::MAX), nonce);
        let (state, trace) = world.play(&[signed]).expect("a hundredth");
        assert_eq!(fill_of(&trace).fraction_ppm, 10_000);
        let before = worth(&world);
        world = World { state, ..world };
        let gained = worth(&world) - before;
        let due = sold * (1_000_000 - discount) / 100_000_000;
        assert!(0 < gained && gained <= due, "gained {gained} of {due}");
    }
}

#[test]
fn accepts_random_batches_and_rejects_bid_share_of_forged_ones() {
    let mut sold = 0;
    for seed in 0..240 {
        let trace = random_batch(seed, Shape::TINY);
        sold += fills(&trace).count();
        assert!(is_honest(&trace), "seed {seed}");
    }
    assert!(sold > 5, "{sold} bids");
    let forged: Vec<_> = forgeries().into_iter().filter(|f| f.rule == RULE).collect();
    assert!(!forged.is_empty(), "a share of another fraction");
    for forgery in forged {
        assert!(!is_honest(&forgery.trace), "{}", forgery.what);
    }
    // The auditor sees a micro-USDC and a thousandth of a contract.
    let trace = distressed(&for_sale(450)).accepts("a bid", &[bid_for_all()]);
    for change in [-1i64, 1] {
        let mut other = trace.clone();
        let row = other.accounts.iter_mut().find(|row| row.index == debtor()).expect("the debtor");
        let Some(AuctionStep::Bid(fill)) = &mut row.step else { panic!("a bid") };
        fill.cash += i128::from(change);
        assert!(!is_honest(&other), "{change} micro-USDC");
        let mut other = trace.clone();
        let row = other.accounts.iter_mut().find(|row| row.index == debtor()).expect("the debtor");
        let (instrument, _) = row.new.positions.iter().next().expect("a part is left");
        let one = quantity(change);
        let book = row.new.book.underlying;
        row.new.positions.add(book, instrument, one).expect("a position");
        assert!(!is_honest(&other), "{change} thousandths");
    }
}

/// The world with another bidder.
fn with_bidder(distress: &Distress, change: impl FnOnce(&mut Account)) -> World {
    let world = distressed(distress);
    let mut snapshot = world.state.snapshot();
    change(snapshot.accounts.get_mut(&bidder()).expect("the bidder"));
    World { state: State::new(snapshot).expect("a state"), ..world }
}

#[test]
fn rejects_initial_margin_and_book_of_bidders_who_cannot_hold_what_they_take() {
    let trace = distressed(&for_sale(450)).accepts("rich", &[bid_for_all()]);
    let row = row_of(&trace, bidder().get());
    let spare = row.margin.initial_excess_e12.div_euclid(1_000_000);
    let enough = i64::try_from(i128::from(row.old.as_ref().expect("a trader").cash) - spare);
    let enough = enough.expect("an amount");
    for (cash_e6, is_enough) in [(enough, true), (enough - 1, false)] {
        let world = with_bidder(&for_sale(450), |bidder| bidder.cash = cash(cash_e6));
        if is_enough {
            world.accepts("just enough", &[bid_for_all()]);
        } else {
            world.rejects(Rule::InitialMargin, "one micro-USDC less", &[bid_for_all()]);
        }
    }
    let world = with_bidder(&for_sale(450), |bidder| bidder.book = portfolio_book(2));
    world.rejects(Rule::Book, "another underlying", &[bid_for_all()]);
    let in_auction = |bidder: &mut Account| bidder.auction = auction(5, false, 0);
    let world = with_bidder(&for_sale(450), in_auction);
    world.rejects(Rule::Frozen, "a bidder in auction", &[bid_for_all()]);
}
