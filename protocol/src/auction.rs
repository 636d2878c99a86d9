//! Auctions of accounts below maintenance margin. Spec: `docs/spec/liquidation.md`.
//!
//! An account is judged as the batch finds it, with settled positions as cash. Shares are parts per million; `_e12` and
//! `_e18` amounts are exact, in 10^-12 and 10^-18 USDC.

use ark_bn254::Fr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::margin::Margin;
use crate::packing::{Part, pack, part};
use crate::parameters::PPM;
use crate::units::{CASH_BITS, Cash, TIME_BITS, Time};
use crate::{Reject, Rule};

/// Width in bits of a share of at most one.
pub const SHARE_BITS: u32 = 20;
/// Width in bits of a length in seconds.
pub const LENGTH_BITS: u32 = 24;
/// Width in bits of [`AuctionParameters::dust_e6`].
pub const DUST_BITS: u32 = 40;
/// Width in bits of what an account in auction is short of its buffered margin, in 10^-18 USDC.
pub const SHORTFALL_BITS: u32 = 104;

/// One, in 10^-12.
const E12: i128 = 1_000_000_000_000;

/// How auctions go: data, never constants of the rules. Reading them from a file checks them by [`AuctionParameters::check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct AuctionParameters {
    /// Buffered margin exceeds maintenance margin by this share.
    pub buffer_ppm: u32,
    /// Price of the whole account as a share of its equity when the auction starts.
    pub discount_start_ppm: u32,
    /// The same after `fast_s`.
    pub discount_fast_ppm: u32,
    /// Seconds from the first to the second share.
    pub fast_s: u32,
    /// Seconds from there to nothing.
    pub slow_s: u32,
    /// Seconds from mark value to maintenance margin of an account without equity.
    pub insolvent_s: u32,
    /// Fee of the insurance fund: share of what would be sold at no discount when the auction starts.
    pub fee_ppm: u32,
    /// Least fraction a bid may ask for.
    pub bid_minimum_ppm: u32,
    /// Of an account with less equity than this all may be taken, micro-USDC.
    pub dust_e6: u64,
}

// With `remote = "Self"` the derived functions are inherent, so that reading can check what they read.
impl Serialize for AuctionParameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for AuctionParameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parameters = Self::deserialize(deserializer)?;
        parameters.check().map_err(de::Error::custom)?;
        Ok(parameters)
    }
}

impl AuctionParameters {
    /// Derive v2's published figures; the smallest bid and the dust are ours.
    pub fn reference() -> Self {
        Self {
            buffer_ppm: 150_000,
            discount_start_ppm: 950_000,
            discount_fast_ppm: 700_000,
            fast_s: 900,
            slow_s: 43_200,
            insolvent_s: 3_600,
            fee_ppm: 100_000,
            bid_minimum_ppm: 10_000,
            dust_e6: 100_000_000,
        }
    }

    /// Shares are at most one and the second discount not above the first, lengths have 1 to 2^24 − 1 seconds and the dust
    /// 40 bits.
    ///
    /// # Errors
    /// [`Rule::Range`].
    pub fn check(&self) -> Result<(), Reject> {
        let shares = [self.buffer_ppm, self.discount_start_ppm, self.fee_ppm, self.bid_minimum_ppm];
        if let Some(share) = shares.into_iter().find(|&share| share > PPM) {
            return Err(Reject::value(Rule::Range, "share of an auction", share));
        }
        if self.discount_fast_ppm > self.discount_start_ppm {
            let share = self.discount_fast_ppm;
            return Err(Reject::value(Rule::Range, "second discount of an auction", share));
        }
        let lengths = [self.fast_s, self.slow_s, self.insolvent_s];
        if let Some(length) = lengths.into_iter().find(|&s| s == 0 || s >> LENGTH_BITS != 0) {
            return Err(Reject::value(Rule::Range, "length of an auction", length));
        }
        if self.dust_e6 >> DUST_BITS != 0 {
            return Err(Reject::value(Rule::Range, "dust of an auction", self.dust_e6));
        }
        Ok(())
    }

    /// buffer (20) ‖ discounts (20, 20) ‖ fee (20) ‖ least bid (20) ‖ lengths (24, 24, 24) ‖ dust (40).
    pub fn word(&self) -> Fr {
        let shares = [
            self.buffer_ppm,
            self.discount_start_ppm,
            self.discount_fast_ppm,
            self.fee_ppm,
            self.bid_minimum_ppm,
        ];
        let mut parts: Vec<Part> = shares.map(|share| part(share, SHARE_BITS)).to_vec();
        let lengths = [self.fast_s, self.slow_s, self.insolvent_s];
        parts.extend(lengths.map(|length| part(length, LENGTH_BITS)));
        parts.push(part(self.dust_e6, DUST_BITS));
        pack(&parts)
    }

    /// Price of the whole account as a share of its equity, `age_s` seconds into the auction, rounded up: for the account.
    pub fn discount_ceil(&self, age_s: u64) -> u32 {
        let fast_s = u64::from(self.fast_s);
        if age_s < fast_s {
            let drop = self.discount_start_ppm - self.discount_fast_ppm;
            self.discount_start_ppm - passed_floor(drop, age_s, self.fast_s)
        } else {
            let drop = self.discount_fast_ppm;
            drop - passed_floor(drop, age_s - fast_s, self.slow_s)
        }
    }

    /// Share of maintenance margin paid beside mark value for an account without equity, rounded down: for the fund.
    pub fn payout_floor(&self, age_s: u64) -> u32 {
        passed_floor(PPM, age_s, self.insolvent_s)
    }
}

/// `⌊whole · age/length⌋`, at most `whole`.
fn passed_floor(whole: u32, age_s: u64, length_s: u32) -> u32 {
    let age_s = age_s.min(u64::from(length_s));
    let passed = u64::from(whole) * age_s / u64::from(length_s);
    u32::try_from(passed).expect("no more than the whole")
}

/// An auction under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auction {
    /// When it started, not 0.
    pub start: Time,
    /// Whether equity was not above zero then: the insurance fund pays instead of the bidder.
    pub is_insolvent: bool,
    /// Cash that bids have paid, which is not for sale; 63 bits.
    pub reserve: Cash,
}

impl Auction {
    /// start (40) ‖ is insolvent (1) ‖ reserve (63); zero without an auction.
    pub fn parts(auction: Option<&Self>) -> [Part; 3] {
        let (start, is_insolvent, reserve) = auction.map_or((0, false, 0), |auction| {
            let reserve = u64::try_from(auction.reserve.get()).unwrap_or(0);
            (auction.start.get(), auction.is_insolvent, reserve)
        });
        [part(start, TIME_BITS), part(is_insolvent, 1), part(reserve, CASH_BITS - 1)]
    }

    /// The auction after a bid has paid `price` for a part of an account with `equity`.
    ///
    /// # Errors
    /// [`Rule::Range`] if the reserve leaves its width.
    pub fn after_bid(&self, equity: i128, price: i128) -> Result<Self, Reject> {
        let paid = if self.is_insolvent { 0 } else { price };
        Ok(Self { reserve: Cash::try_from(self.reserve_left(equity) + paid)?, ..*self })
    }

    /// What `equity` leaves of the reserve: all, or nothing once it has been lost.
    pub fn reserve_left(&self, equity: i128) -> i128 {
        let reserve = i128::from(self.reserve);
        if equity > reserve { reserve } else { 0 }
    }
}

/// What happens to an account's auction in a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AuctionStep {
    /// It starts, or starts anew, and the insurance fund gets `fee`.
    Start {
        /// Micro-USDC.
        fee: i128,
    },
    /// It ends.
    End,
    /// A part of the account is sold.
    Bid(crate::bid::Fill),
}

/// An account's equity and margin as far as auctions read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Equity, micro-USDC.
    pub equity: i128,
    /// Maintenance margin, exact.
    pub maintenance_e12: i128,
    /// What equity is short of buffered margin; negative where it covers it.
    pub shortfall_e18: i128,
}

impl Standing {
    /// Of an account with `margin`.
    ///
    /// # Errors
    /// [`Rule::Range`] for equity or shortfall beyond what the proof compares, 2^63 and 2^104.
    pub fn new(margin: &Margin, parameters: &AuctionParameters) -> Result<Self, Reject> {
        let equity = i128::from(Cash::try_from(margin.equity)?);
        let maintenance_e12 = equity * i128::from(PPM) - margin.maintenance_excess_e12;
        let buffered = i128::from(PPM + parameters.buffer_ppm);
        let shortfall_e18 = buffered * maintenance_e12 - equity * E12;
        if !(-(1 << SHORTFALL_BITS)..1 << SHORTFALL_BITS).contains(&shortfall_e18) {
            return Err(Reject::value(Rule::Range, "shortfall of a margin", shortfall_e18));
        }
        Ok(Self { equity, maintenance_e12, shortfall_e18 })
    }

    /// Whether nothing is left for the account: the fund pays a bidder.
    pub fn is_insolvent(&self) -> bool {
        self.equity <= 0
    }

    /// The least fraction, in parts per million, whose sale at `discount_ppm` covers buffered margin, when `reserve` is
    /// not for sale: `⌈10^6·N/(N + E·d + R·(1 − d))⌉`, N the shortfall. Sold is `E − R` at a price of d; what stays is `1 − f` of
    /// the margin.
    pub fn fraction_ceil(&self, discount_ppm: u32, reserve: i128) -> u32 {
        let ppm = i128::from(PPM);
        let kept_e12 =
            self.equity * i128::from(discount_ppm) + reserve * i128::from(PPM - discount_ppm);
        let whole_e18 = self.shortfall_e18 + kept_e12 * ppm;
        let fraction = (self.shortfall_e18 * ppm + whole_e18 - 1).checked_div(whole_e18);
        // Without a shortfall nothing is sold.
        let fraction = fraction.map(|fraction| fraction.clamp(0, ppm)).unwrap_or(0);
        u32::try_from(fraction).expect("at most all")
    }

    /// The fee of an auction that starts: a share of the equity that would be sold without discount, rounded down.
    fn fee_floor(&self, parameters: &AuctionParameters) -> i128 {
        let fraction = i128::from(self.fraction_ceil(PPM, 0));
        self.equity * fraction * i128::from(parameters.fee_ppm) / E12
    }
}

/// An auction may start: equity is below maintenance margin. One under way may start anew when equity has changed its
/// sign since.
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
            return Err(Reject::value(Rule::AuctionStart, "above maintenance margin by", excess));
        }
        return Ok(());
    };
    if auction.is_insolvent == standing.is_insolvent() {
        return Err(Reject::value(Rule::AuctionStart, "in auction since", auction.start));
    }
    Ok(())
}

/// The auction that starts at `time`, or starts anew, and its fee; only a first start has one, and only of equity.
///
/// # Errors
/// Those of [`Standing::new`].
pub fn start(
    auction: Option<&Auction>,
    margin: &Margin,
    parameters: &AuctionParameters,
    time: Time,
) -> Result<(Auction, i128), Reject> {
    let standing = Standing::new(margin, parameters)?;
    let is_insolvent = standing.is_insolvent();
    let reserve = auction.map_or(Cash::default(), |auction| auction.reserve);
    let has_fee = auction.is_none() && !is_insolvent;
    let fee = if has_fee { standing.fee_floor(parameters) } else { 0 };
    Ok((Auction { start: time, is_insolvent, reserve }, fee))
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
        return Err(Reject::value(Rule::AuctionEnd, "not in auction, equity", margin.equity));
    }
    if standing.shortfall_e18 > 0 {
        let shortfall = standing.shortfall_e18;
        return Err(Reject::value(Rule::AuctionEnd, "short of buffered margin by", shortfall));
    }
    Ok(())
}
