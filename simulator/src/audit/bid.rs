//! Bids by the specification's arithmetic, in exact integers.

use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::{AuctionStep, Bid, Fill};
use zkmargin_protocol::value::units::AccountIndex;

use super::auction::standing;
use super::margin::{ONE_PPM, Standing, ceil};
use super::memory::Memory;
use super::observation::{Accounts, Holding, Step};
use super::{Finding, demand};

/// An account in auction as the batch found it.
pub struct Sale<'a> {
    found: &'a Holding,
    /// Its auction.
    pub auction: Auction,
    standing: Standing,
    parameters: &'a AuctionParameters,
    age_s: i128,
    /// Cash paid by bids that is not for sale.
    pub reserve: i128,
}

impl<'a> Sale<'a> {
    /// What may be had of an account.
    pub fn of(memory: &'a Memory, step: &'a Step, index: AccountIndex) -> Result<Self, String> {
        let found = memory.opened.get(&index).ok_or("an account the batch did not find")?;
        let auction = step.opening.get(&index).and_then(|account| account.auction);
        let auction = auction.ok_or_else(|| format!("account {index} was not in auction"))?;
        let standing = standing(memory, step, index)?;
        let parameters = &step.market.parameters().auction;
        let age_s = i128::from(step.time.get()) - i128::from(auction.start.get());
        let reserve = i128::from(auction.reserve);
        let reserve = if standing.equity > reserve { reserve } else { 0 };
        Ok(Self { found, auction, standing, parameters, age_s, reserve })
    }

    /// Share of equity asked for the whole, rounded up.
    fn discount_ppm(&self) -> i128 {
        let p = self.parameters;
        let (start, fast) = (i128::from(p.discount_start_ppm), i128::from(p.discount_fast_ppm));
        let (fast_s, slow_s) = (i128::from(p.fast_s), i128::from(p.slow_s));
        if self.age_s < fast_s {
            return ceil(start * fast_s - (start - fast) * self.age_s, fast_s);
        }
        let slow_age = (self.age_s - fast_s).min(slow_s);
        ceil(fast * (slow_s - slow_age), slow_s)
    }

    /// Price of the whole account, micro-USDC times 10^12.
    fn whole_e18(&self) -> i128 {
        if self.auction.is_insolvent {
            let insolvent_s = i128::from(self.parameters.insolvent_s);
            let payout_ppm = ONE_PPM * self.age_s.min(insolvent_s) / insolvent_s;
            return self.standing.equity * ONE_PPM * ONE_PPM
                - self.standing.maintenance_e12 * payout_ppm;
        }
        (self.standing.equity - self.reserve) * self.discount_ppm() * ONE_PPM
    }

    /// What equity is short of buffered margin once `fraction_ppm` is sold, micro-USDC times 10^18.
    fn shortfall_after_e24(&self, fraction_ppm: i128) -> i128 {
        let buffered_e18 =
            self.standing.maintenance_e12 * (ONE_PPM + i128::from(self.parameters.buffer_ppm));
        let given = (self.standing.equity - self.reserve) * (ONE_PPM - self.discount_ppm());
        let equity_e12 = self.standing.equity * ONE_PPM * ONE_PPM - fraction_ppm * given;
        buffered_e18 * (ONE_PPM - fraction_ppm) - equity_e12 * ONE_PPM
    }
}

/// The bid of a step and what it took.
pub fn bid<'a>(step: &'a Step) -> Option<(&'a Bid, &'a Fill)> {
    let Operation::Request(signed) = step.operation else { return None };
    let Action::Bid(bid) = &signed.request.action else { return None };
    let Some(AuctionStep::Bid(fill)) = step.auction else { return None };
    Some((bid, fill))
}

/// [`crate::invariants::Invariant::BidFraction`]
pub fn bid_fraction(memory: &Memory, step: &Step) -> Finding {
    let Some((bid, fill)) = bid(step) else { return Ok(()) };
    let sale = Sale::of(memory, step, bid.account)?;
    let fraction = i128::from(fill.fraction_ppm);
    let [least, most] = [bid.fraction_min_ppm, bid.fraction_max_ppm].map(i128::from);
    demand!(sale.shortfall_after_e24(0) > 0, "account {} is not short", bid.account);
    demand!((least..=most).contains(&fraction), "{fraction} ppm of {least} to {most}");
    demand!(fraction <= ONE_PPM, "{fraction} ppm is more than all");
    demand!(most >= sale.parameters.bid_minimum_ppm.into(), "a bid for {most} ppm");
    let is_dust = sale.standing.equity < i128::from(sale.parameters.dust_e6);
    if !is_dust && fraction > 0 {
        // A millionth less would not have been enough.
        let short = sale.shortfall_after_e24(fraction - 1);
        demand!(short > 0, "{fraction} ppm sold, covered {} before the last", -short);
    }
    // Either the bidder wanted no more, or no more was needed.
    let is_enough = fraction == most || sale.shortfall_after_e24(fraction) <= 0;
    demand!(is_enough, "{fraction} ppm of {most} do not cover");
    Ok(())
}

/// [`crate::invariants::Invariant::BidPrice`]
pub fn bid_price(memory: &Memory, step: &Step) -> Finding {
    let Some((bid, fill)) = bid(step) else { return Ok(()) };
    let sale = Sale::of(memory, step, bid.account)?;
    let is_insolvent = sale.standing.equity <= 0;
    demand!(sale.auction.is_insolvent == is_insolvent, "the auction is to start anew");
    demand!(sale.age_s >= 0, "the auction starts in {} s", -sale.age_s);
    let (whole, fraction) = (sale.whole_e18(), i128::from(fill.fraction_ppm));
    let price = ceil(whole * fraction, ONE_PPM.pow(3));
    demand!(fill.price == price, "{} paid, the price is {price}", fill.price);
    let limit_e18 = i128::from(bid.limit) * ONE_PPM * ONE_PPM;
    demand!(whole <= limit_e18, "the whole costs {whole}, the limit is {limit_e18}");
    Ok(())
}

/// [`crate::invariants::Invariant::BidShare`]
pub fn bid_share(memory: &Memory, step: &Step) -> Finding {
    let Some((bid, fill)) = bid(step) else { return Ok(()) };
    let sale = Sale::of(memory, step, bid.account)?;
    let fraction = i128::from(fill.fraction_ppm);
    let floor = |whole: i128| (whole * fraction).div_euclid(ONE_PPM);
    let cash = floor(sale.found.cash - sale.reserve);
    demand!(fill.cash == cash, "cash {} taken, the share is {cash}", fill.cash);
    let bidder =
        |accounts: &Accounts, k| accounts.get(&fill.bidder).map_or(0, |a| Holding::of(a).held(k));
    for (&instrument, &held) in &sale.found.contracts {
        let share = floor(held);
        let start = memory.start(fill.bidder, step.before).held(instrument);
        let taken = bidder(step.after, instrument) - start;
        demand!(taken == share, "{taken} of {held} {instrument} taken, the share is {share}");
    }
    Ok(())
}
