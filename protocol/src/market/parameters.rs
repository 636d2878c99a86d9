//! The parameters a batch is proven under. Spec: `docs/spec/market/parameters.md#BatchParameters`.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::crypto::domain::Tag;
use crate::crypto::poseidon;
use crate::market::auction_parameters::AuctionParameters;
use crate::market::fee_schedule::FeeSchedule;
use crate::value::decimal;
use crate::value::packing::{Layout, read_part};
use crate::value::units::{PENALTY_BITS, TIME_BITS, Time};
use crate::{Reject, Rule};

/// Width in bits of a margin factor.
pub const FACTOR_BITS: u32 = 24;
/// Width in bits of an age or skew in seconds.
pub const AGE_BITS: u32 = 32;

/// Parameters which the circuit reads; the hash covers all others through `rest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchParameters {
    /// Initial margin as a multiple of the requirement, parts per million, below 2^24.
    #[serde(deserialize_with = "read_part::<FACTOR_BITS, _, _>")]
    pub initial_factor_ppm: u32,
    /// Maintenance margin as a multiple of the requirement, parts per million, below 2^24.
    #[serde(deserialize_with = "read_part::<FACTOR_BITS, _, _>")]
    pub maintenance_factor_ppm: u32,
    /// Greatest age of the oracle's time at the batch's time, seconds.
    pub oracle_max_age_s: u32,
    /// Greatest lead of the oracle's time over the batch's time, seconds.
    pub oracle_skew_s: u32,
    /// First second at which a batch may be proven under them.
    pub effective: Time,
    /// What an owner who forces contracts on another account pays beside their mark, parts per
    /// million of the forward, below 2^20.
    #[serde(deserialize_with = "read_part::<PENALTY_BITS, _, _>")]
    pub forced_penalty_ppm: u32,
    /// How accounts below maintenance margin are sold.
    pub auction: AuctionParameters,
    /// What a trade may cost.
    pub fees: FeeSchedule,
    /// Hash of the parameters that only the risk table's builder reads.
    #[serde(with = "decimal")]
    pub rest: Fr,
}

/// The numbers that are no schedule's.
pub const NUMBERS: Layout<6> = Layout([
    ("initial factor", FACTOR_BITS),
    ("maintenance factor", FACTOR_BITS),
    ("greatest age", AGE_BITS),
    ("greatest lead", AGE_BITS),
    ("effective", TIME_BITS),
    ("forced penalty", PENALTY_BITS),
]);

impl BatchParameters {
    /// Factors 1.0 and 0.8 of PM2, tables of at most a minute, a penalty of 0.2 % of the forward,
    /// auctions and fees of the reference, in force from the beginning, with nothing for the
    /// table's builder.
    pub fn reference() -> Self {
        Self {
            initial_factor_ppm: 1_000_000,
            maintenance_factor_ppm: 800_000,
            oracle_max_age_s: 60,
            oracle_skew_s: 5,
            effective: Time::MIN,
            forced_penalty_ppm: 2_000,
            auction: AuctionParameters::reference(),
            fees: FeeSchedule::reference(),
            rest: Fr::from(0u64),
        }
    }

    /// Poseidon of tag, the packed numbers, those of auctions, those of fees, and `rest`.
    pub fn hash(&self) -> Fr {
        let packed = NUMBERS.pack([
            self.initial_factor_ppm.into(),
            self.maintenance_factor_ppm.into(),
            self.oracle_max_age_s.into(),
            self.oracle_skew_s.into(),
            self.effective.get().into(),
            self.forced_penalty_ppm.into(),
        ]);
        let [auction, fees] = [self.auction.word(), self.fees.word()];
        poseidon::hash(&[Tag::Parameters.field(), packed, auction, fees, self.rest])
    }

    /// The parameters are in force at `time`.
    ///
    /// # Errors
    /// [`Rule::ParameterChange`].
    pub fn check_effective(&self, time: Time) -> Result<(), Reject> {
        if time < self.effective {
            let reject = Reject::new(Rule::ParameterChange, "time of the batch", time);
            return Err(reject.at_least(self.effective));
        }
        Ok(())
    }
}
