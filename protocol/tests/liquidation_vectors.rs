//! Auctions of an account short of one call, against Derive's own cases.
//!
//! The expected numbers of the file follow from a buffer of 0.2, a price of 0.98 of equity at the
//! start, 0.80 after 100 seconds and nothing after 14,400 more, and a fee of 0.02 (the parameters
//! the file names are of an older set). Cases are played a thousand times over, so that a millionth
//! of a position is a whole number of our units and fractions alone are rounded.
//!
//! Cases without equity are of an older model whose payout starts at zero and ends at the file's
//! own `Lowerbound`; ours starts at mark value and ends at maintenance margin. With an equity of
//! zero and a maintenance margin of the lower bound the two are the same line.

mod common;

use common::{reference_json, shifted, text_of};
use serde_json::Value;
use zkmargin_fixtures::build::{account, account_index, portfolio_book};
use zkmargin_protocol::account::Account;
use zkmargin_protocol::account::auction::{self, Auction};
use zkmargin_protocol::account::margin::Margin;
use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::operation::bid::{Bid, Fill, Offer};
use zkmargin_protocol::value::units::{Cash, InstrumentIndex, Quantity, Time, Underlying};

/// When auctions start.
const START_S: u64 = 1_000;
const MILLION: i128 = 1_000_000;

fn parameters() -> AuctionParameters {
    AuctionParameters {
        buffer_ppm: 200_000,
        discount_start_ppm: 980_000,
        discount_fast_ppm: 800_000,
        fast_s: 100,
        slow_s: 14_400,
        insolvent_s: 100,
        fee_ppm: 20_000,
        bid_minimum_ppm: 10_000,
        dust_e6: 0,
    }
}

/// A number of the file, in 10^-18, times 10^`places`, to the nearest.
fn number(value: &Value, places: i32) -> i128 {
    shifted(&text_of(value), places - 18).try_into().expect("in range")
}

/// An amount of the file a thousand times over, micro-USDC.
fn amount_e6(value: &Value) -> i128 {
    number(value, 9)
}

/// A margin of which auctions read equity and maintenance.
fn margin(equity: i128, maintenance: i128) -> Margin {
    Margin {
        mark_value: 0,
        equity,
        losses: Vec::new(),
        short_floor: 0,
        isolated_initial: 0,
        isolated_maintenance: 0,
        requirement: maintenance,
        initial: maintenance,
        maintenance,
        initial_excess_e12: (equity - maintenance) * MILLION,
        maintenance_excess_e12: (equity - maintenance) * MILLION,
    }
}

/// The account before a bid: the file's cash and calls, and what bids have paid so far.
fn seller(action: &Value, is_insolvent: bool, reserve: i128) -> Account {
    let portfolio = &action["PortfolioAndFeeds"];
    let mut account = account(account_index(5), portfolio_book(1));
    account.cash = Cash::try_from(amount_e6(&portfolio["Cash"])).expect("cash");
    let held = Quantity::try_from(number(&portfolio["OptionAmounts"][0], 6)).expect("contracts");
    let call = InstrumentIndex::of(Underlying::new(1).expect("4 bits"), 1).expect("a slot");
    account.positions.add(account.book.underlying, call, held).expect("a free slot");
    let reserve = Cash::try_from(reserve).expect("cash");
    let start = Time::new(START_S).expect("a time");
    account.auction = Some(Auction { start, is_insolvent, reserve });
    account
}

/// What a bid for the fraction the case asks for takes; the file counts fractions of what there was
/// at the start.
fn fill_of(action: &Value, account: &Account, margin: &Margin) -> Fill {
    let wanted = number(&action["Liquidator"]["PercentWant"], 18);
    let held = -i128::from(account.positions.iter().next().expect("a call").1);
    // Of 10^6 units at the start `held` are left.
    let fraction = (wanted / held).min(MILLION * MILLION) + MILLION / 2;
    let bid = Bid {
        account: account_index(5),
        fraction_min_ppm: 0,
        fraction_max_ppm: u32::try_from((fraction / MILLION).min(MILLION)).expect("a share"),
        limit: Cash::MAX,
    };
    let time_s = START_S + action["Time"].as_u64().expect("seconds");
    let parameters = parameters();
    let time = Time::new(time_s).expect("a time");
    let offer = Offer::new(account, margin, &parameters, time).expect("in range");
    bid.check_phase(&offer).expect("in auction");
    bid.check_fraction(&offer).expect("short of buffered margin");
    bid.check_price(&offer).expect("no limit");
    bid.fill(account_index(3), &offer).expect("in range")
}

#[track_caller]
fn assert_near(what: &str, ours: i128, theirs: i128, bound: i128) {
    assert!((ours - theirs).abs() <= bound, "{what}: {ours}, theirs {theirs}, bound {bound}");
}

#[test]
fn accepts_the_bids_of_the_cases_with_equity() {
    let Some(file) = reference_json("margin/derive_liquidation_cases.json") else { return };
    let mut bids = 0;
    for name in ["Test1", "Test3", "Test5"] {
        let mut reserve = 0;
        let mut left: Option<(i128, i128)> = None;
        for action in file["cases"][name]["Actions"].as_array().expect("a list") {
            let results = &action["Results"];
            let [equity, excess] = ["PreMtM", "PreMM"].map(|k| amount_e6(&results[k]));
            let maintenance = equity - excess;
            let account = seller(action, false, reserve);
            let held = -i128::from(account.positions.iter().next().expect("a call").1);
            let fill = fill_of(action, &account, &margin(equity, maintenance));
            let what = format!("{name} at {}", action["Time"]);
            // Ours is rounded up to a millionth, the discount too, which lowers it by less than a
            // millionth.
            let most = number(&results["PreFMax"], 12);
            let wanted = number(&action["Liquidator"]["PercentWant"], 18) / held;
            let taken = i128::from(fill.fraction_ppm);
            assert_near(&what, taken * MILLION, most.min(wanted), MILLION);
            // The price of the whole is below equity: two roundings of a millionth of it, and one
            // unit.
            let price = amount_e6(&results["ExpectedBidPrice"]);
            let bound = 2 * equity / MILLION + 1;
            assert_near(&what, fill.price, price, bound);
            let shares: Vec<i128> = fill.shares.values().map(|&share| share.into()).collect();
            assert_eq!(shares, [-(held * taken + MILLION - 1).div_euclid(MILLION)], "{what}");
            // What is left: equity, maintenance margin and the excess over buffered margin.
            let equity_left = equity - (equity - reserve) * taken / MILLION + fill.price;
            let maintenance_left = maintenance * (MILLION - taken) / MILLION;
            assert_near(&what, equity_left, amount_e6(&results["PostMtM"]), bound);
            let over = equity_left - maintenance_left;
            let bound = bound + maintenance / MILLION + 1;
            assert_near(&what, over, amount_e6(&results["PostMM"]), bound);
            let over = equity_left - maintenance_left * 6 / 5;
            let bound = bound + maintenance / MILLION + 1;
            assert_near(&what, over, amount_e6(&results["PostBM"]), bound);
            if taken * MILLION + MILLION > most {
                assert!((0..=bound).contains(&over), "{what}: covered, by {over}");
            }
            let cash = i128::from(account.cash);
            if let Some((cash_left, held_left)) = left {
                assert_near(&what, cash, cash_left, 2);
                assert_eq!(held, held_left, "{what}");
            }
            left = Some((cash - fill.cash + fill.price, held + shares[0]));
            reserve += fill.price;
            bids += 1;
        }
    }
    assert_eq!(bids, 4);
}

#[test]
fn accepts_the_fee_of_the_cases() {
    let Some(file) = reference_json("margin/derive_liquidation_cases.json") else { return };
    for name in ["Test1", "Test3", "Test5"] {
        // All start from the portfolio of the first case, which records it at the moment of the
        // start, the fee paid.
        let case = &file["cases"][name];
        assert_eq!(case["InitialPortfolio"], file["cases"]["Test1"]["InitialPortfolio"]);
        let fee: i128 = shifted(&text_of(&case["LiquidationFee"]), 9).try_into().expect("in range");
        let results = &file["cases"]["Test1"]["Actions"][0]["Results"];
        let [equity, excess] = ["PreMtM", "PreMM"].map(|k| amount_e6(&results[k]));
        let before = margin(equity + fee, equity - excess);
        let time = Time::new(START_S).expect("a time");
        let started = auction::start(None, &before, &parameters(), time).expect("in range");
        // The fraction is rounded up to a millionth of equity, of which a fiftieth is paid.
        assert_near(name, started.fee, fee, equity / MILLION / 50 + 1);
    }
}

#[test]
fn accepts_the_payouts_of_the_case_without_equity() {
    let Some(file) = reference_json("margin/derive_liquidation_cases.json") else { return };
    let mut paid = Vec::new();
    for action in file["cases"]["InsolventTest1"]["Actions"].as_array().expect("a list") {
        let results = &action["Results"];
        let equity = amount_e6(&results["PreMtM"]);
        assert!(equity < 0);
        let account = seller(action, true, 0);
        let held = -i128::from(account.positions.iter().next().expect("a call").1);
        // The lower bound is that of all there was; `held` millionths of it are left.
        let lower = -amount_e6(&results["Lowerbound"]) * held / MILLION;
        let fill = fill_of(action, &account, &margin(0, lower));
        let what = format!("at {}", action["Time"]);
        let bound = 2 * lower / MILLION + 1;
        assert_near(&what, fill.price, amount_e6(&results["SMPayout"]), bound);
        let taken = i128::from(fill.fraction_ppm);
        let equity_left = equity - (equity * taken).div_euclid(MILLION);
        assert_near(&what, equity_left, amount_e6(&results["PostMtM"]), -equity / MILLION + 1);
        let cash = i128::from(account.cash);
        assert_eq!(fill.cash, (cash * taken).div_euclid(MILLION), "{what}");
        // Our own payout: mark value at first, then on the way to maintenance margin.
        let maintenance = equity - amount_e6(&results["PreMM"]);
        let ours = fill_of(action, &account, &margin(equity, maintenance));
        let passed = i128::from(action["Time"].as_u64().expect("seconds")).min(100);
        let whole = equity - maintenance * passed / 100;
        assert_near(&what, ours.price, whole * taken / MILLION, 2);
        paid.push(ours.price);
    }
    assert_eq!(paid.len(), 2);
}
