//! The world of the auction tables: account 5 is in distress, account 3 has ten million USDC to
//! bid, account 0 is the insurance fund. What a table expects is computed here from margins and
//! parameters by the formulas of `docs/spec/ledger/liquidation.md`, in products alone: nothing is
//! divided but where the page rounds.

use super::world::{World, cash, index, time};
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{NOW_S, market, signed_request};
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::account::margin::{Margin, MarginMethod};
use zkmargin_protocol::account::{Account, INSURANCE_FUND};
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::{AuctionStep, Bid, Fill};
use zkmargin_protocol::value::units::{AccountIndex, Cash};

pub const MILLION: i128 = 1_000_000;
pub const METHODS: [MarginMethod; 2] = [MarginMethod::Portfolio, MarginMethod::Standard];
/// What the insurance fund has unless a table says otherwise, micro-USDC.
pub const FUND_E6: i64 = 5_000_000_000_000;

/// The world of a debtor and a fund.
pub fn distressed_with(distress: &Distress, fund_e6: i64) -> World {
    let market = market(2, 1);
    let state = distress.state(&market, fund_e6);
    World { market, state, ..World::new() }
}

/// The world of a debtor and a fund with plenty.
pub fn distressed(distress: &Distress) -> World {
    distressed_with(distress, FUND_E6)
}

/// An auction that started `age_s` seconds ago.
pub fn auction(age_s: u64, is_insolvent: bool, reserve_e6: i64) -> Option<Auction> {
    Some(Auction { start: time(NOW_S - age_s), is_insolvent, reserve: cash(reserve_e6) })
}

/// Three fifths of maintenance margin, in auction for `age_s` seconds.
pub fn for_sale(age_s: u64) -> Distress {
    Distress { auction: auction(age_s, false, 0), ..Distress::default() }
}

/// A debt of a fifth of maintenance margin, in auction for `age_s` seconds.
pub fn insolvent(age_s: u64) -> Distress {
    let auction = auction(age_s, true, 0);
    Distress { equity_ppm: -200_000, auction, ..Distress::default() }
}

/// A bid for the debtor's account: least and greatest fraction, and the limit.
pub fn bid(fractions_ppm: [u32; 2], limit_e6: i64) -> Bid {
    let [fraction_min_ppm, fraction_max_ppm] = fractions_ppm;
    Bid { account: debtor(), fraction_min_ppm, fraction_max_ppm, limit: cash(limit_e6) }
}

/// A bid signed by `account`.
pub fn signed_bid(account: AccountIndex, bid: Bid, nonce: u64) -> Operation {
    signed_request(account, Action::Bid(bid), nonce)
}

/// The bidder's bid for all that may be had, at any price.
pub fn bid_for_all() -> Operation {
    signed_bid(bidder(), bid([0, 1_000_000], i64::MAX), 0)
}

/// The debtor is put up.
pub fn start() -> Operation {
    Operation::StartAuction(debtor())
}

/// The debtor's auction ends.
pub fn end() -> Operation {
    Operation::EndAuction(debtor())
}

/// An account of the world, and its margin.
pub fn judged(world: &World, account: AccountIndex) -> (Account, Margin) {
    let account = world.state.account(account).expect("it exists").clone();
    let margin = world.market.margin_of(&account).expect("options of the market");
    (account, margin)
}

/// Maintenance margin in 10^-12 USDC by the definition.
pub fn maintenance_e12(world: &World, account: &Account, margin: &Margin) -> i128 {
    match account.book.method {
        MarginMethod::Portfolio => {
            margin.requirement * i128::from(world.market.parameters().maintenance_factor_ppm)
        }
        MarginMethod::Standard => (margin.mark_value + margin.isolated_maintenance) * MILLION,
    }
}

/// What an account is short of its buffered margin, in 10^-18 USDC.
pub fn shortfall_e18(world: &World, account: &Account, margin: &Margin) -> i128 {
    let buffer = i128::from(world.market.parameters().auction.buffer_ppm);
    (MILLION + buffer) * maintenance_e12(world, account, margin) - margin.equity * MILLION * MILLION
}

/// The share of equity asked for after `age_s`, parts per million, rounded up.
pub fn discount_ppm(parameters: &AuctionParameters, age_s: u64) -> i128 {
    let [start, fast] =
        [parameters.discount_start_ppm, parameters.discount_fast_ppm].map(i128::from);
    let [fast_s, slow_s] = [parameters.fast_s, parameters.slow_s].map(i128::from);
    let age = i128::from(age_s);
    // start·(1 − t/T) + fast·t/T, then fast·(1 − t/T), over the common denominator.
    let (share, length) = if age < fast_s {
        (start * (fast_s - age) + fast * age, fast_s)
    } else {
        (fast * (slow_s - (age - fast_s).min(slow_s)), slow_s)
    };
    (share + length - 1) / length
}

/// `⌈a/b⌉` of whole numbers, b > 0.
pub fn ceil(a: i128, b: i128) -> i128 {
    a.div_euclid(b) + i128::from(a.rem_euclid(b) != 0)
}

/// The row of an account.
pub fn row_of(trace: &BatchTrace, account: u32) -> &AccountRow {
    trace.accounts.iter().find(|row| row.index == index(account)).expect("touched")
}

/// The only fill of a batch.
pub fn fill_of(trace: &BatchTrace) -> &Fill {
    let fills = trace.accounts.iter().filter_map(|row| match &row.step {
        Some(AuctionStep::Bid(fill)) => Some(fill),
        _ => None,
    });
    let fills: Vec<_> = fills.collect();
    let [fill] = fills[..] else { panic!("{} fills", fills.len()) };
    fill
}

/// What an account's cash changed by in a batch.
pub fn paid_to(trace: &BatchTrace, account: AccountIndex) -> i128 {
    let row = row_of(trace, account.get());
    let old = row.old.as_ref().map_or(Cash::default(), |old| old.cash);
    i128::from(row.new.cash) - i128::from(old)
}

/// What the insurance fund's cash changed by.
pub fn paid_to_fund(trace: &BatchTrace) -> i128 {
    paid_to(trace, INSURANCE_FUND)
}
