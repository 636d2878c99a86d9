//! Liquidators: when they bid, and for how much.

use zkmargin_protocol::account::Account;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::bid::{Bid, Fill, Offer};
use zkmargin_protocol::value::units::{AccountIndex, Cash, PPM, Time};

use crate::StressError;

/// A liquidator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bidder {
    /// Its account.
    pub account: AccountIndex,
    /// What a bid must earn at the marks, as a share of the initial margin it adds, parts per
    /// million.
    pub hurdle_ppm: u32,
}

/// Why a liquidator does not bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Abstention {
    /// The liquidator is in auction itself, or there is none.
    Absent,
    /// The rules have nothing for sale: the auction must start anew or end before.
    NotForSale,
    /// It would earn too little, or the fund cannot pay.
    NotWorthIt,
    /// It could not margin what it takes.
    NoCapital,
    /// It has no slots left for the options.
    NoSlots,
}

/// Whether a liquidator bids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It does.
    Bids {
        /// The bid.
        bid: Bid,
        /// The bidder's account after the bid.
        after: Account,
    },
    /// It does not, and why.
    Abstains(Abstention),
}

/// Equity a bidder keeps, as a share of its initial margin, parts per million.
const KEPT_PPM: i128 = 1_100_000;

/// What is for sale, and when.
#[derive(Clone, Copy)]
pub struct Sale<'a> {
    /// Index of the account in auction.
    pub index: AccountIndex,
    /// The account.
    pub account: &'a Account,
    /// The table.
    pub market: &'a Market,
    /// Time of the batch.
    pub time: Time,
    /// Cash of the insurance fund.
    pub fund: i128,
}

impl Bidder {
    /// The largest bid that pays and that the bidder can margin: of the greatest fraction to be
    /// had, its half, and so on.
    ///
    /// # Errors
    /// Those of the rules that price the account.
    pub fn decide(&self, own: &Account, sale: Sale) -> Result<Decision, StressError> {
        if own.auction.is_some() {
            return Ok(Decision::Abstains(Abstention::Absent));
        }
        let parameters = &sale.market.parameters().auction;
        let margin = sale.market.margin_of(sale.account)?;
        let offer = Offer::new(sale.account, &margin, parameters, sale.time)?;
        let mut bid = Bid {
            account: sale.index,
            fraction_min_ppm: 0,
            fraction_max_ppm: PPM,
            limit: Cash::MAX,
        };
        if bid.check_phase(&offer).is_err() || bid.check_fraction(&offer).is_err() {
            return Ok(Decision::Abstains(Abstention::NotForSale));
        }
        let before = sale.market.margin_of(own)?;
        let mut fraction_ppm = bid.fill(self.account, &offer)?.fraction_ppm;
        loop {
            bid.fraction_max_ppm = fraction_ppm.max(parameters.bid_minimum_ppm);
            let decision = self.weigh(own, before.initial, &bid, &offer, sale)?;
            fraction_ppm /= 2;
            let is_last = fraction_ppm < parameters.bid_minimum_ppm;
            if is_last || matches!(decision, Decision::Bids { .. }) {
                return Ok(decision);
            }
        }
    }

    /// Whether this bid pays and can be margined; `initial` is the bidder's margin before it.
    fn weigh(
        &self,
        own: &Account,
        initial: i128,
        bid: &Bid,
        offer: &Offer,
        sale: Sale,
    ) -> Result<Decision, StressError> {
        let fill = bid.fill(self.account, offer)?;
        let mut after = own.clone();
        let mut value = fill.cash;
        for (&instrument, &share) in &fill.shares {
            value += i128::from(share) * i128::from(sale.market.rows()[&instrument].mark);
            if after.positions.add(own.book.underlying, instrument, share).is_err() {
                return Ok(Decision::Abstains(Abstention::NoSlots));
            }
        }
        after.cash = Cash::try_from(i128::from(own.cash) + fill.cash - fill.price)?;
        let margin = sale.market.margin_of(&after)?;
        let ppm = i128::from(PPM);
        let earned = value - fill.price;
        let added = (margin.initial - initial).max(0);
        let pays = earned > 0 && earned * ppm >= added * i128::from(self.hurdle_ppm);
        let is_able = margin.equity * ppm >= margin.initial * KEPT_PPM;
        let is_funded = -fill.price <= sale.fund;
        if !pays || !is_funded {
            return Ok(Decision::Abstains(Abstention::NotWorthIt));
        }
        if !is_able {
            return Ok(Decision::Abstains(Abstention::NoCapital));
        }
        let bid = Bid { limit: limit_of(&fill)?, ..bid.clone() };
        Ok(Decision::Bids { bid, after })
    }
}

/// The price of the whole at which a fill was priced, with a unit to spare for rounding.
fn limit_of(fill: &Fill) -> Result<Cash, StressError> {
    let whole = fill.price * i128::from(PPM) / i128::from(fill.fraction_ppm.max(1));
    let spare = i128::from(PPM / fill.fraction_ppm.max(1)) + 1;
    Ok(Cash::try_from(whole + spare)?)
}
