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

/// A bid, and the bidder's account after it; or why there is none.
pub type Decision = Result<(Bid, Account), Abstention>;

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
            return Ok(Err(Abstention::Absent));
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
            return Ok(Err(Abstention::NotForSale));
        }
        let before = sale.market.margin_of(own)?;
        let mut fraction_ppm = bid.fill(self.account, &offer)?.fraction_ppm;
        loop {
            bid.fraction_max_ppm = fraction_ppm.max(parameters.bid_minimum_ppm);
            let fill = bid.fill(self.account, &offer)?;
            let abstention = match self.after(own, &before.initial, &fill, sale)? {
                Ok(after) => {
                    bid.limit = limit_of(&fill)?;
                    return Ok(Ok((bid, after)));
                }
                Err(abstention) => abstention,
            };
            fraction_ppm /= 2;
            if fraction_ppm < parameters.bid_minimum_ppm {
                return Ok(Err(abstention));
            }
        }
    }

    /// The bidder's account after a fill, or why it is not to be.
    fn after(
        &self,
        own: &Account,
        initial: &i128,
        fill: &Fill,
        sale: Sale,
    ) -> Result<Result<Account, Abstention>, StressError> {
        let mut after = own.clone();
        let mut value = fill.cash;
        for (&instrument, &share) in &fill.shares {
            value += i128::from(share) * i128::from(sale.market.rows()[&instrument].mark);
            if after.positions.add(own.book.underlying, instrument, share).is_err() {
                return Ok(Err(Abstention::NoSlots));
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
            return Ok(Err(Abstention::NotWorthIt));
        }
        Ok(if is_able { Ok(after) } else { Err(Abstention::NoCapital) })
    }
}

/// The price of the whole at which a fill was priced, with a unit to spare for rounding.
fn limit_of(fill: &Fill) -> Result<Cash, StressError> {
    let whole = fill.price * i128::from(PPM) / i128::from(fill.fraction_ppm.max(1));
    let spare = i128::from(PPM / fill.fraction_ppm.max(1)) + 1;
    Ok(Cash::try_from(whole + spare)?)
}
