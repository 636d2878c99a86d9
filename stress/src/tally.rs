//! What a replay adds up.

use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::value::units::{Price, Time};

use crate::standing::Counts;

/// Prices of the bids of one kind, as shares in parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Bids.
    pub count: u64,
    /// Their sum.
    pub sum_ppm: u64,
    /// The least.
    pub least_ppm: u32,
    /// The greatest.
    pub greatest_ppm: u32,
}

impl Shares {
    fn add(&mut self, share_ppm: u32) {
        self.least_ppm = if self.count == 0 { share_ppm } else { self.least_ppm.min(share_ppm) };
        self.greatest_ppm = self.greatest_ppm.max(share_ppm);
        self.count += 1;
        self.sum_ppm += u64::from(share_ppm);
    }

    /// The mean, rounded down; 0 of none.
    pub fn mean_ppm(&self) -> u64 {
        self.sum_ppm.checked_div(self.count).unwrap_or(0)
    }
}

/// How things stand when a step is over. Cash in micro-USDC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub time: Time,
    /// Price of the underlying.
    pub price: Price,
    /// Accounts in auction.
    pub auctions: usize,
    /// Cash of the insurance fund.
    pub fund_e6: i128,
    /// Sum of the equity of accounts below zero, without its sign.
    pub debt_e6: i128,
    /// Deficits counted.
    pub deficit_e6: i128,
}

/// What a replay adds up. Cash in micro-USDC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accounts, funds and liquidators included.
    pub accounts: usize,
    /// Batches sealed.
    pub batches: usize,
    /// Auctions started.
    pub started: usize,
    /// Auctions started of accounts without equity, or anew after equity had changed its sign.
    pub turned: usize,
    /// Auctions ended.
    pub ended: usize,
    /// Share of the value paid for, by bids for accounts with equity.
    pub prices: Shares,
    /// Share of maintenance margin paid by the fund, by bids for accounts without.
    pub payouts: Shares,
    /// Fees of auctions.
    pub fees_e6: i128,
    /// Paid by the fund to bidders.
    pub drawn_e6: i128,
    /// Given by the fund to accounts whose deficit was counted.
    pub covered_e6: i128,
    /// Books opened.
    pub opened: usize,
    /// Greatest worth of the underlying of all options held.
    pub interest_e6: i128,
    /// Cash deposited by writers.
    pub writers_e6: i128,
    /// Cash deposited by liquidators.
    pub bidders_e6: i128,
    /// Cash of the fund at the start.
    pub fund_e6: i128,
    /// Falls of accounts below zero, by how they stood before the step in which they fell.
    pub falls: Counts,
    /// Of these falls, those of accounts that could have been liquidated in time.
    pub avoidable: usize,
    /// Accounts below maintenance margin when a step was over, by why; once a step.
    pub waits: Counts,
    /// Steps outside of the price band.
    pub outside_band: usize,
    /// Steps whose surface was repaired.
    pub repaired: usize,
    /// Every step.
    pub moments: Vec<Moment>,
}

impl Tally {
    /// Adds what a batch did.
    pub fn add(&mut self, trace: &BatchTrace) {
        let parameters = &trace.parameters.auction;
        self.batches += 1;
        for row in &trace.accounts {
            let before = row.old.as_ref().and_then(|account| account.auction);
            match &row.step {
                Some(AuctionStep::Start { fee }) => {
                    self.started += usize::from(before.is_none());
                    let is_insolvent = row.new.auction.is_some_and(|auction| auction.is_insolvent);
                    self.turned += usize::from(before.is_some() || is_insolvent);
                    self.fees_e6 += fee;
                }
                Some(AuctionStep::End) => self.ended += 1,
                Some(AuctionStep::Count { cover }) => self.covered_e6 += cover,
                Some(AuctionStep::Bid(fill)) => {
                    let Some(auction) = before else { continue };
                    let age_s = trace.time.get() - auction.start.get();
                    self.add_price(parameters, auction.is_insolvent, age_s);
                    if auction.is_insolvent {
                        self.drawn_e6 -= fill.price;
                    }
                }
                None => {}
            }
        }
    }

    fn add_price(&mut self, parameters: &AuctionParameters, is_insolvent: bool, age_s: u64) {
        if is_insolvent {
            self.payouts.add(parameters.payout_floor(age_s));
        } else {
            self.prices.add(parameters.discount_ceil(age_s));
        }
    }

    /// The last step.
    pub fn last(&self) -> Option<&Moment> {
        self.moments.last()
    }

    /// The step with the greatest debt; the first of several.
    pub fn worst(&self) -> Option<&Moment> {
        self.moments.iter().rev().max_by_key(|moment| moment.debt_e6)
    }

    /// The step with the most auctions; the first of several.
    pub fn busiest(&self) -> Option<&Moment> {
        self.moments.iter().rev().max_by_key(|moment| moment.auctions)
    }

    /// What the fund paid and what is left uncovered, as a share of the greatest open interest,
    /// parts per million.
    pub fn bad_debt_ppm(&self) -> i128 {
        let left = self.last().map_or(0, |moment| moment.debt_e6);
        (self.drawn_e6 + self.covered_e6 + left) * 1_000_000 / self.interest_e6.max(1)
    }
}
