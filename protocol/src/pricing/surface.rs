//! The oracle's market data of one underlying: per expiry a forward and implied volatilities by
//! strike. Spec: `docs/spec/pricing/prices.md#Surface`.

use serde::{Deserialize, Serialize};

use crate::pricing::black76::{Volatility, price_value};
use crate::pricing::fixed::{Fixed, mul_div_nearest};
use crate::value::units::{Price, Time, Underlying};
use crate::{Reject, Rule};

/// Smallest implied volatility of a surface: 0.1 %.
pub const VOLATILITY_MIN: Volatility = Volatility(1_000);
/// Largest implied volatility of a surface: 3,000 %.
pub const VOLATILITY_MAX: Volatility = Volatility(30_000_000);
/// Most expiries of a surface.
pub const EXPIRIES_MAX: usize = 64;
/// Most strikes of an expiry.
pub const STRIKES_MAX: usize = 1 << 12;

/// What the window has fixed of an expiry's settlement price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixing {
    /// Mean of the samples taken.
    pub mean: Price,
    /// Samples taken.
    pub taken: u32,
    /// Places still to come, above zero.
    pub open: u32,
}

impl Fixing {
    /// The part of the forward that is fixed and the part that may still move; their sum is what
    /// the settlement price is expected to be.
    pub fn split(&self, forward: Price) -> [Fixed; 2] {
        let all = u128::from(self.taken) + u128::from(self.open);
        let share = |count: u32| Fixed::ratio_nearest(i128::from(count), all);
        [
            price_value(self.mean).mul_nearest(share(self.taken)),
            price_value(forward).mul_nearest(share(self.open)),
        ]
    }
}

/// Implied volatility at one strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmilePoint {
    /// The strike.
    pub strike: Price,
    /// Its implied volatility.
    pub volatility: Volatility,
}

/// Forward and smile of one expiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    /// When the options expire.
    pub expiry: Time,
    /// The forward price for that time.
    pub forward: Price,
    /// In the settlement window, what it has fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixing: Option<Fixing>,
    /// Volatilities, strictly increasing by strike.
    pub smile: Vec<SmilePoint>,
}

/// Market data of one underlying at one time; checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SurfaceData", into = "SurfaceData")]
pub struct Surface(SurfaceData);

/// Market data as it is written to a file, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurfaceData {
    /// The underlying.
    pub underlying: Underlying,
    /// Time of the data.
    pub time: Time,
    /// Expiries, strictly increasing, all after `time`.
    pub expiries: Vec<Expiry>,
}

impl Surface {
    /// Checks the data.
    ///
    /// # Errors
    /// [`Rule::Range`] for an empty or too long list, an expiry, strike or volatility out of order
    /// or out of bounds, a zero forward or strike.
    pub fn new(data: SurfaceData) -> Result<Self, Reject> {
        if !(1..=EXPIRIES_MAX).contains(&data.expiries.len()) {
            let reject = Reject::new(Rule::Range, "number of expiries", data.expiries.len());
            return Err(reject.within(1..=EXPIRIES_MAX));
        }
        let mut last = data.time;
        for expiry in &data.expiries {
            if expiry.expiry <= last {
                let reject = Reject::new(Rule::Range, "expiry of a surface", expiry.expiry);
                return Err(reject.at_least(last.get() + 1));
            }
            last = expiry.expiry;
            expiry.check()?;
        }
        Ok(Self(data))
    }

    /// The underlying.
    pub fn underlying(&self) -> Underlying {
        self.0.underlying
    }

    /// Time of the data.
    pub fn time(&self) -> Time {
        self.0.time
    }

    /// The expiries in order.
    pub fn expiries(&self) -> &[Expiry] {
        &self.0.expiries
    }

    /// The data of one expiry.
    ///
    /// # Errors
    /// [`Rule::InstrumentLive`] if the surface does not have it; it never has one that has passed.
    pub fn expiry(&self, expiry: Time) -> Result<&Expiry, Reject> {
        self.0
            .expiries
            .binary_search_by_key(&expiry, |data| data.expiry)
            .map(|place| &self.0.expiries[place])
            .map_err(|_| {
                let reject = Reject::new(Rule::InstrumentLive, "expiry", expiry);
                reject.only("an expiry of the surface")
            })
    }
}

impl Expiry {
    fn check(&self) -> Result<(), Reject> {
        if self.forward == Price::MIN {
            return Err(Reject::new(Rule::Range, "forward", self.forward).at_least(1));
        }
        if let Some(Fixing { mean, taken, open }) = self.fixing
            && (open == 0 || (taken == 0) != (mean == Price::MIN))
        {
            let value = format_args!("{mean} of {taken} samples with {open} to come");
            let reject = Reject::new(Rule::Range, "mean fixed", value);
            return Err(reject.only("0 of none or a price of some, with more to come,"));
        }
        if !(1..=STRIKES_MAX).contains(&self.smile.len()) {
            let reject = Reject::new(Rule::Range, "number of strikes", self.smile.len());
            return Err(reject.within(1..=STRIKES_MAX));
        }
        let mut last = Price::MIN;
        for point in &self.smile {
            if point.strike <= last {
                let reject = Reject::new(Rule::Range, "strike of a surface", point.strike);
                return Err(reject.at_least(u64::from(last.get()) + 1));
            }
            last = point.strike;
            if !(VOLATILITY_MIN..=VOLATILITY_MAX).contains(&point.volatility) {
                let value = point.volatility.0;
                let reject = Reject::new(Rule::Range, "volatility", value);
                return Err(reject.within(VOLATILITY_MIN.0..=VOLATILITY_MAX.0));
            }
        }
        Ok(())
    }

    /// The part of the settlement price that is fixed and the part that may still move with the
    /// forward.
    pub fn split(&self) -> [Fixed; 2] {
        match &self.fixing {
            Some(fixing) => fixing.split(self.forward),
            None => [Fixed::ZERO, price_value(self.forward)],
        }
    }

    /// The settlement price to be expected: the sum of both parts.
    pub fn expected(&self) -> Fixed {
        let [fixed, variable] = self.split();
        fixed.add(variable)
    }

    /// Implied volatility at a strike: linear between the strikes around it, to the nearest unit
    /// with halves up; that of the end beyond either end.
    pub fn volatility(&self, strike: Price) -> Volatility {
        let above = self.smile.partition_point(|point| point.strike < strike);
        let (low, high) = match (above.checked_sub(1), self.smile.get(above)) {
            (Some(below), Some(high)) => (self.smile[below], *high),
            (Some(below), None) => return self.smile[below].volatility,
            (None, Some(high)) => return high.volatility,
            // A checked smile is not empty.
            (None, None) => return Volatility::default(),
        };
        let share = |volatility: Volatility, from: Price, to: Price| {
            u128::from(volatility.0) * u128::from(to.get() - from.get())
        };
        let weighted =
            share(high.volatility, low.strike, strike) + share(low.volatility, strike, high.strike);
        let width = u128::from(high.strike.get() - low.strike.get());
        // A mean of two volatilities is one.
        let mean = mul_div_nearest(weighted, 1, width).and_then(|mean| u32::try_from(mean).ok());
        mean.map_or(high.volatility, Volatility)
    }
}

impl TryFrom<SurfaceData> for Surface {
    type Error = Reject;

    fn try_from(data: SurfaceData) -> Result<Self, Reject> {
        Self::new(data)
    }
}

impl From<Surface> for SurfaceData {
    fn from(surface: Surface) -> Self {
        surface.0
    }
}
