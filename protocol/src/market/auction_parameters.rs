//! How auctions go. Spec: `docs/spec/market/parameters.md#AuctionParameters`. Shares are parts per
//! million.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::value::packing::Layout;
use crate::value::reading::check_when_read;
use crate::value::units::PPM;
use crate::{Reject, Rule};

/// Width in bits of a share of at most one.
pub const SHARE_BITS: u32 = 20;
/// Width in bits of a length in seconds.
pub const LENGTH_BITS: u32 = 24;
/// Width in bits of [`AuctionParameters::dust_e6`].
pub const DUST_BITS: u32 = 40;

/// How auctions go: data, never constants of the rules. Reading them from a file checks them by
/// [`AuctionParameters::check`].
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
    /// Fee of the insurance fund: share of what would be sold at no discount when the auction
    /// starts.
    pub fee_ppm: u32,
    /// Least fraction a bid may ask for.
    pub bid_minimum_ppm: u32,
    /// Of an account with less equity than this all may be taken, micro-USDC.
    pub dust_e6: u64,
}

check_when_read!(AuctionParameters);

/// The parameters in one word.
pub const WORD: Layout<9> = Layout([
    ("buffer", SHARE_BITS),
    ("first discount", SHARE_BITS),
    ("second discount", SHARE_BITS),
    ("fee", SHARE_BITS),
    ("least bid", SHARE_BITS),
    ("first part", LENGTH_BITS),
    ("second part", LENGTH_BITS),
    ("insolvent part", LENGTH_BITS),
    ("dust", DUST_BITS),
]);

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

    /// Shares are at most one and the second discount not above the first, lengths have 1 to 2^24 −
    /// 1 seconds and the dust 40 bits.
    ///
    /// # Errors
    /// [`Rule::Range`].
    pub fn check(&self) -> Result<(), Reject> {
        let shares = [self.buffer_ppm, self.discount_start_ppm, self.fee_ppm, self.bid_minimum_ppm];
        if let Some(share) = shares.into_iter().find(|&share| share > PPM) {
            return Err(Reject::new(Rule::Range, "share of an auction in ppm", share).at_most(PPM));
        }
        if self.discount_fast_ppm > self.discount_start_ppm {
            let what = "second discount of an auction in ppm";
            let reject = Reject::new(Rule::Range, what, self.discount_fast_ppm);
            return Err(reject.at_most(self.discount_start_ppm));
        }
        let lengths = [self.fast_s, self.slow_s, self.insolvent_s];
        if let Some(length) = lengths.into_iter().find(|&s| s == 0 || s >> LENGTH_BITS != 0) {
            let reject = Reject::new(Rule::Range, "length of an auction in seconds", length);
            return Err(reject.within(1..=(1 << LENGTH_BITS) - 1));
        }
        if self.dust_e6 >> DUST_BITS != 0 {
            let reject = Reject::new(Rule::Range, "dust of an auction", self.dust_e6);
            return Err(reject.at_most((1u64 << DUST_BITS) - 1));
        }
        Ok(())
    }

    /// [`WORD`].
    pub fn word(&self) -> Fr {
        WORD.pack([
            self.buffer_ppm.into(),
            self.discount_start_ppm.into(),
            self.discount_fast_ppm.into(),
            self.fee_ppm.into(),
            self.bid_minimum_ppm.into(),
            self.fast_s.into(),
            self.slow_s.into(),
            self.insolvent_s.into(),
            self.dust_e6.into(),
        ])
    }

    /// Price of the whole account as a share of its equity, `age_s` seconds into the auction,
    /// rounded up: for the account.
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

    /// Share of maintenance margin paid beside mark value for an account without equity, rounded
    /// down: for the fund.
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
