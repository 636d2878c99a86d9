//! How an account stands whose auction takes a step: equity, maintenance margin, shortfall. Spec:
//! `docs/spec/account/auction.md`.
//!
//! `_e12` and `_e18` amounts are exact, in 10^-12 and 10^-18 USDC.

use crate::account::margin::Margin;
use crate::market::auction_parameters::AuctionParameters;
use crate::value::units::{Cash, PPM};
use crate::{Reject, Rule};

/// Width in bits of what an account in auction is short of its buffered margin, in 10^-18 USDC.
pub const SHORTFALL_BITS: u32 = 104;

/// What refusals call the shortfall.
pub(crate) const SHORTFALL: &str = "shortfall of buffered margin in 10^-18 USDC";

/// One, in 10^-12.
const E12: i128 = 1_000_000_000_000;

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
        let range = -(1 << SHORTFALL_BITS)..=(1 << SHORTFALL_BITS) - 1;
        if !range.contains(&shortfall_e18) {
            return Err(Reject::new(Rule::Range, SHORTFALL, shortfall_e18).within(range));
        }
        Ok(Self { equity, maintenance_e12, shortfall_e18 })
    }

    /// Whether nothing is left for the account: the fund pays a bidder.
    pub fn is_insolvent(&self) -> bool {
        self.equity <= 0
    }

    /// The least fraction, in parts per million, whose sale at `discount_ppm` covers buffered
    /// margin, when `reserve` is not for sale: `⌈10^6·N/(N + E·d + R·(1 − d))⌉`, N the shortfall.
    /// Sold is `E − R` at a price of d; what stays is `1 − f` of the margin.
    pub fn fraction_ceil(&self, discount_ppm: u32, reserve: i128) -> u32 {
        let ppm = i128::from(PPM);
        let kept_e12 =
            self.equity * i128::from(discount_ppm) + reserve * i128::from(PPM - discount_ppm);
        let whole_e18 = self.shortfall_e18 + kept_e12 * ppm;
        let fraction = (self.shortfall_e18 * ppm + whole_e18 - 1).checked_div(whole_e18);
        // Callers ask for a shortfall; without one the number has no meaning.
        let fraction = fraction.map(|fraction| fraction.clamp(0, ppm)).unwrap_or(0);
        u32::try_from(fraction).expect("at most all")
    }

    /// The fee of an auction that starts: a share of the equity that would be sold without
    /// discount, rounded down.
    pub fn fee_floor(&self, parameters: &AuctionParameters) -> i128 {
        let fraction = i128::from(self.fraction_ceil(PPM, 0));
        self.equity * fraction * i128::from(parameters.fee_ppm) / E12
    }
}
