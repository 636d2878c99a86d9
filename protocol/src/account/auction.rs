//! Auctions of accounts below maintenance margin. Spec: `docs/spec/account/auction.md`.
//!
//! An account is judged as the batch finds it, with settled positions as cash. Shares are parts per
//! million; `_e12` and `_e18` amounts are exact, in 10^-12 and 10^-18 USDC.

use serde::{Deserialize, Serialize};

use crate::account::margin::Margin;
use crate::account::standing::{SHORTFALL, Standing};
use crate::market::auction_parameters::AuctionParameters;
use crate::value::packing::{Layout, Value};
use crate::value::reading::check_when_read;
use crate::value::units::{CASH_BITS, Cash, TIME_BITS, Time};
use crate::{Reject, Rule};

/// Width in bits of [`WORD`].
pub const AUCTION_BITS: u32 = TIME_BITS + 1 + (CASH_BITS - 1);

/// An auction under way. Reading one from a file checks it by [`Auction::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Auction {
    /// When it started, not 0.
    pub start: Time,
    /// Whether equity was not above zero then: the insurance fund pays instead of the bidder.
    pub is_insolvent: bool,
    /// Cash that bids have paid, which is not for sale; or of an account without equity the deficit
    /// counted; 63 bits.
    pub reserve: Cash,
}

check_when_read!(Auction);

/// An auction in the status word of its account.
pub const WORD: Layout<3> =
    Layout([("start", TIME_BITS), ("is insolvent", 1), ("reserve", CASH_BITS - 1)]);

impl Auction {
    /// It packs as no other does: one that starts at 0 would be no auction, a reserve below zero
    /// none.
    ///
    /// # Errors
    /// [`Rule::Range`].
    pub fn check(&self) -> Result<(), Reject> {
        if self.start == Time::MIN {
            return Err(Reject::new(Rule::Range, "start of an auction", self.start).at_least(1));
        }
        if self.reserve < Cash::default() {
            return Err(Reject::new(Rule::Range, "reserve of an auction", self.reserve).at_least(0));
        }
        Ok(())
    }

    /// The fields of [`WORD`]; zeros without an auction.
    pub fn fields(auction: Option<&Self>) -> [u128; 3] {
        auction.map_or([0; 3], |auction| {
            let reserve = u128::try_from(auction.reserve.get()).unwrap_or(0);
            [auction.start.get().into(), auction.is_insolvent.into(), reserve]
        })
    }

    /// [`WORD`]; zero without an auction.
    pub fn word(auction: Option<&Self>) -> u128 {
        WORD.number(Self::fields(auction).map(Value::Number))
    }

    /// The auction after a bid has paid `price` for a part of an account with `equity`.
    ///
    /// # Errors
    /// [`Rule::Range`] if the reserve leaves its width.
    pub fn after_bid(&self, equity: i128, price: i128) -> Result<Self, Reject> {
        // What is counted of a deficit stays counted until it is counted anew.
        if self.is_insolvent {
            return Ok(*self);
        }
        Ok(Self { reserve: Cash::try_from(self.reserve_left(equity) + price)?, ..*self })
    }

    /// The deficit counted of its account.
    pub fn counted(&self) -> i128 {
        if self.is_insolvent { self.reserve.into() } else { 0 }
    }

    /// What `equity` leaves of the reserve: all, or nothing once it has been lost.
    pub fn reserve_left(&self, equity: i128) -> i128 {
        let reserve = i128::from(self.reserve);
        if equity > reserve { reserve } else { 0 }
    }
}

/// An auction may start: equity is below maintenance margin. One under way may start anew when
/// equity has changed its sign since.
///
/// # Errors
/// [`Rule::AuctionStart`].
pub fn check_start(
    auction: Option<&Auction>,
    margin: &Margin,
    parameters: &AuctionParameters,
) -> Result<(), Reject> {
    let standing = Standing::new(margin, parameters)?;
    let Some(auction) = auction else {
        let excess = margin.maintenance_excess_e12;
        if excess >= 0 || standing.shortfall_e18 <= 0 {
            let what = "excess over maintenance margin in 10^-12 USDC";
            return Err(Reject::new(Rule::AuctionStart, what, excess).only("a shortfall"));
        }
        return Ok(());
    };
    if auction.is_insolvent == standing.is_insolvent() {
        let sentence = "the account is in auction, and its equity has not changed its sign";
        return Err(Reject::because(Rule::AuctionStart, sentence));
    }
    Ok(())
}

/// An auction that has just started, or started anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The auction.
    pub auction: Auction,
    /// Its fee, micro-USDC; only a first start has one, and only of equity.
    pub fee: i128,
}

/// Starts an auction at `time`, or starts it anew.
///
/// # Errors
/// Those of [`Standing::new`]; [`Rule::Range`] at time 0, which means no auction.
pub fn start(
    auction: Option<&Auction>,
    margin: &Margin,
    parameters: &AuctionParameters,
    time: Time,
) -> Result<Started, Reject> {
    let standing = Standing::new(margin, parameters)?;
    let is_insolvent = standing.is_insolvent();
    let has_fee = auction.is_none() && !is_insolvent;
    let fee = if has_fee { standing.fee_floor(parameters) } else { 0 };
    let auction = Auction { start: time, is_insolvent, reserve: Cash::default() };
    auction.check()?;
    Ok(Started { auction, fee })
}

/// A deficit may be counted: of an account in auction without equity that has less than none.
///
/// # Errors
/// [`Rule::Deficit`].
pub fn check_count(auction: Option<&Auction>, equity: i128) -> Result<(), Reject> {
    if equity >= 0 || !auction.is_some_and(|auction| auction.is_insolvent) {
        let reject = Reject::new(Rule::Deficit, "equity", equity);
        return Err(reject.only("a negative one in an insolvent auction"));
    }
    Ok(())
}

/// An auction may end: equity covers buffered margin.
///
/// # Errors
/// [`Rule::AuctionEnd`].
pub fn check_end(
    auction: Option<&Auction>,
    margin: &Margin,
    parameters: &AuctionParameters,
) -> Result<(), Reject> {
    let standing = Standing::new(margin, parameters)?;
    if auction.is_none() {
        return Err(Reject::because(Rule::AuctionEnd, "the account is not in auction"));
    }
    if standing.shortfall_e18 > 0 {
        let reject = Reject::new(Rule::AuctionEnd, SHORTFALL, standing.shortfall_e18);
        return Err(reject.at_most(0));
    }
    Ok(())
}
