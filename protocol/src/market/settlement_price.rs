//! The settlement price: the mean of the index over the last minutes before expiry.
//! Spec: `docs/spec/market/settlement_price.md`.
//!
//! The oracle's members sign samples of the index at places fixed by the parameters; anybody can
//! collect them and comes to the same price, or to the same answer that there is none yet.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::crypto::domain::Tag;
use crate::crypto::eddsa::Signature;
use crate::crypto::poseidon;
use crate::market::oracle::{ORACLE_SIGNERS, OracleSet};
use crate::pricing::black76::PRICE_UNITS;
use crate::pricing::fixed::mul_div_nearest;
use crate::pricing::surface::Fixing;
use crate::value::packing::{pack, part};
use crate::value::units::{PRICE_BITS, Price, TIME_BITS, Time, UNDERLYING_BITS, Underlying};
use crate::{Reject, Rule};

/// Settlement prices by underlying and expiry.
pub type Settlements = BTreeMap<(Underlying, Time), Price>;

/// Most samples of a window.
pub const SAMPLES_MAX: u32 = 1 << 16;

/// Where samples are taken, and how many a price needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlementParameters {
    /// Length of the window that ends at expiry, seconds.
    pub window_s: u32,
    /// Seconds from a sample to the next; a divisor of the window.
    pub spacing_s: u32,
    /// Fewest samples a price is made of.
    pub samples_min: u32,
    /// Longest part of the window without a sample, seconds.
    pub gap_max_s: u32,
}

impl SettlementParameters {
    /// Half an hour, as Deribit and Derive have it; a sample a minute, two of three present, none
    /// missing for more than five minutes.
    pub fn reference() -> Self {
        Self { window_s: 1_800, spacing_s: 60, samples_min: 20, gap_max_s: 300 }
    }

    /// Samples of a full window.
    ///
    /// # Errors
    /// [`Rule::Range`] if the numbers do not fit each other.
    pub fn samples(&self) -> Result<u32, Reject> {
        let samples = self.window_s.checked_div(self.spacing_s).unwrap_or(0);
        let is_whole = self.spacing_s.checked_mul(samples) == Some(self.window_s);
        if !is_whole || !(1..=SAMPLES_MAX).contains(&samples) {
            let value = format_args!("{}/{}", self.window_s, self.spacing_s);
            let reject = Reject::new(Rule::Range, "number of samples in a window", value);
            return Err(reject.only(format_args!("a whole number from 1 to {SAMPLES_MAX}")));
        }
        if !(1..=samples).contains(&self.samples_min) {
            let reject = Reject::new(Rule::Range, "minimum number of samples", self.samples_min);
            return Err(reject.within(1..=samples));
        }
        Ok(samples)
    }

    /// Places of the window still to come when `seconds` are left.
    fn open(&self, seconds: u64) -> u64 {
        seconds.div_ceil(u64::from(self.spacing_s))
    }
}

/// One reading of an index, as the oracle's members sign it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexSample {
    /// Whose index.
    pub underlying: Underlying,
    /// When it was read.
    pub time: Time,
    /// The index.
    pub price: Price,
    /// Units of `price` in one USDC, so that nobody signs a number without saying of what.
    pub units_per_usdc: u32,
}

impl IndexSample {
    /// Poseidon of tag, domain and underlying (4) ‖ time (40) ‖ price (32) ‖ units per USDC (32).
    pub fn hash(&self, domain: Fr) -> Fr {
        let packed = pack(&[
            part(self.underlying.get(), UNDERLYING_BITS),
            part(self.time.get(), TIME_BITS),
            part(self.price.get(), PRICE_BITS),
            part(self.units_per_usdc, PRICE_BITS),
        ]);
        poseidon::hash(&[Tag::IndexSample.field(), domain, packed])
    }
}

/// A sample with the signatures of the members that signed it, by place in the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedSample {
    /// What was signed.
    pub sample: IndexSample,
    /// `signatures[k]` is by member `k`.
    pub signatures: [Option<Signature>; ORACLE_SIGNERS],
}

/// The samples of one expiry collected so far.
#[derive(Clone, Debug)]
pub struct SettlementWindow {
    underlying: Underlying,
    expiry: Time,
    parameters: SettlementParameters,
    samples: BTreeMap<Time, Price>,
}

impl SettlementWindow {
    /// No sample yet.
    ///
    /// # Errors
    /// [`Rule::Range`] for parameters that do not fit each other, or an expiry before the window
    /// has passed once.
    pub fn new(
        underlying: Underlying,
        expiry: Time,
        parameters: SettlementParameters,
    ) -> Result<Self, Reject> {
        parameters.samples()?;
        if expiry.get() < u64::from(parameters.window_s) {
            let reject = Reject::new(Rule::Range, "expiry", expiry);
            return Err(reject.at_least(parameters.window_s));
        }
        Ok(Self { underlying, expiry, parameters, samples: BTreeMap::new() })
    }

    /// Takes a sample.
    ///
    /// # Errors
    /// [`Rule::OracleQuorum`] if a quorum did not sign it for `domain`; [`Rule::SettlementSample`]
    /// if it is of another underlying or unit, zero, outside of the window, between two places, or
    /// at a place taken before.
    pub fn take(
        &mut self,
        signed: &SignedSample,
        domain: Fr,
        set: &OracleSet,
    ) -> Result<(), Reject> {
        let sample = &signed.sample;
        set.check_quorum(sample.hash(domain), &signed.signatures)?;
        let refuse = |what, value: u64| Reject::new(Rule::SettlementSample, what, value);
        if sample.underlying != self.underlying {
            let found = sample.underlying.get().into();
            return Err(refuse("underlying of the sample", found).only(self.underlying));
        }
        if sample.units_per_usdc != PRICE_UNITS {
            let found = sample.units_per_usdc.into();
            return Err(refuse("number of units per USDC", found).only(PRICE_UNITS));
        }
        if sample.price == Price::MIN {
            return Err(refuse("index sampled", 0).at_least(1));
        }
        let time = sample.time.get();
        let (expiry, window_s) = (self.expiry.get(), u64::from(self.parameters.window_s));
        let Some(left) = expiry.checked_sub(time).filter(|&left| left < window_s) else {
            let window = expiry - window_s + 1..=expiry;
            return Err(refuse("time of the sample", time).within(window));
        };
        let spacing_s = self.parameters.spacing_s;
        if !left.is_multiple_of(u64::from(spacing_s)) {
            let place = format_args!("a multiple of {spacing_s} s before expiry");
            return Err(refuse("time of the sample", time).only(place));
        }
        if self.samples.contains_key(&sample.time) {
            return Err(refuse("time of the sample", time).only("one without a sample"));
        }
        self.samples.insert(sample.time, sample.price);
        Ok(())
    }

    /// The mean of the samples, each with the same weight, to the nearest unit with halves up:
    /// options are held on both sides, so neither direction is the safe one.
    ///
    /// # Errors
    /// [`Rule::SettlementPrice`] while there are too few samples, or too long a part of the window
    /// has none: settlement waits.
    pub fn price(&self) -> Result<Price, Reject> {
        let taken = self.samples.len();
        if taken < self.parameters.samples_min as usize {
            let reject = Reject::new(Rule::SettlementPrice, "number of samples", taken);
            return Err(reject.at_least(self.parameters.samples_min));
        }
        let gap = self.longest_gap();
        if gap > u64::from(self.parameters.gap_max_s) {
            let what = "number of seconds without a sample";
            let reject = Reject::new(Rule::SettlementPrice, what, gap);
            return Err(reject.at_most(self.parameters.gap_max_s));
        }
        mean(self.samples.values())
    }

    /// The longest part of the window without a sample, from its start to its end.
    fn longest_gap(&self) -> u64 {
        let start = self.expiry.get() - u64::from(self.parameters.window_s);
        let ends = self.samples.keys().map(|time| time.get()).chain([self.expiry.get()]);
        let (gap, _) = ends.fold((0, start), |(gap, last), time| (gap.max(time - last), time));
        gap
    }

    /// What is fixed at `now`, a time in the window; `None` before it and from expiry on.
    ///
    /// # Errors
    /// None for a mean of prices.
    pub fn fixing(&self, now: Time) -> Result<Option<Fixing>, Reject> {
        let left = self.expiry.get().saturating_sub(now.get());
        if left == 0 || left >= u64::from(self.parameters.window_s) {
            return Ok(None);
        }
        let taken: Vec<_> = self.samples.range(..=now).map(|(_, price)| price).collect();
        let narrow = |count: u64| {
            let reject = |_| Reject::new(Rule::Range, "number of samples", count).at_most(u32::MAX);
            u32::try_from(count).map_err(reject)
        };
        Ok(Some(Fixing {
            mean: mean(taken.iter().copied())?,
            taken: narrow(taken.len() as u64)?,
            open: narrow(self.parameters.open(left))?,
        }))
    }
}

/// The mean to the nearest unit, halves up; 0 of none.
fn mean<'a>(prices: impl Iterator<Item = &'a Price>) -> Result<Price, Reject> {
    let (sum, count) = prices
        .fold((0u128, 0u128), |(sum, count), price| (sum + u128::from(price.get()), count + 1));
    let mean = mul_div_nearest(sum, 1, count.max(1)).unwrap_or(u128::MAX);
    Price::try_from(i128::try_from(mean).unwrap_or(i128::MAX))
}

impl Fixing {
    /// The counts are those of a window of which `seconds` are left.
    ///
    /// # Errors
    /// [`Rule::SettlementPrice`].
    pub fn check(&self, seconds: u64, parameters: &SettlementParameters) -> Result<(), Reject> {
        let samples = u64::from(parameters.samples()?);
        let open = parameters.open(seconds);
        if u64::from(self.open) != open {
            let what = "number of samples to come";
            return Err(Reject::new(Rule::SettlementPrice, what, self.open).only(open));
        }
        if u64::from(self.taken) + open > samples {
            let reject = Reject::new(Rule::SettlementPrice, "number of samples taken", self.taken);
            return Err(reject.at_most(samples.saturating_sub(open)));
        }
        Ok(())
    }
}
