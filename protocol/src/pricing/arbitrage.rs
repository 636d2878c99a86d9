//! Arbitrage that a surface leaves between strikes and between expiries. Spec:
//! `docs/spec/pricing/prices.md#SurfaceArbitrage`.
//!
//! All is measured at the strikes given, on undiscounted calls, as a share of the forward. Between
//! two strikes the volatility is linear, which can leave a little more.

use serde::{Deserialize, Serialize};

use crate::pricing::black76::{
    OptionKind, deviation, price_nearest, price_value, root_years, value,
};
use crate::pricing::fixed::Fixed;
use crate::pricing::surface::{Expiry, SmilePoint, Surface};
use crate::value::units::{PPM, Price, Time};
use crate::{Reject, Rule};

/// How much arbitrage a surface may leave, in parts per million of the forward: marks are rounded,
/// and recorded option by option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArbitrageParameters {
    /// Between the strikes of an expiry: a call that rises with the strike, or lies above its
    /// neighbours' chord.
    pub butterfly_ppm: u32,
    /// Between an expiry and the next: a call worth more at the same share of a forward.
    pub calendar_ppm: u32,
}

impl ArbitrageParameters {
    /// Set from recorded chains, see `docs/spec/pricing/prices.md#SurfaceArbitrage`.
    pub fn reference() -> Self {
        Self { butterfly_ppm: 1_000, calendar_ppm: 500 }
    }
}

/// The largest arbitrage of one kind: its share of the forward, at least 0, and where it was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worst {
    /// Share of the forward.
    pub share: Fixed,
    /// Expiry; the earlier one between two.
    pub expiry: Time,
    /// Strike.
    pub strike: Price,
}

impl Worst {
    fn see(&mut self, share: Fixed, expiry: Time, strike: Price) {
        if share > self.share {
            *self = Self { share, expiry, strike };
        }
    }

    /// The share in parts per million, rounded up.
    pub fn ppm_ceil(&self) -> i128 {
        self.share.units_ceil(PPM)
    }
}

/// What a surface leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arbitrage {
    /// Between strikes.
    pub butterfly: Worst,
    /// Between expiries.
    pub calendar: Worst,
}

/// A surface leaves no more than `parameters` allow.
///
/// # Errors
/// [`Rule::SurfaceArbitrage`] with the share in parts per million.
pub fn check(surface: &Surface, parameters: &ArbitrageParameters) -> Result<(), Reject> {
    let found = measure(surface);
    for (what, worst, limit_ppm) in [
        ("butterfly arbitrage in ppm of the forward", found.butterfly, parameters.butterfly_ppm),
        ("calendar arbitrage in ppm of the forward", found.calendar, parameters.calendar_ppm),
    ] {
        if worst.ppm_ceil() > i128::from(limit_ppm) {
            let Worst { expiry, strike, .. } = worst;
            let place = format!("{} at expiry {expiry} and strike {strike}", worst.ppm_ceil());
            return Err(Reject::new(Rule::SurfaceArbitrage, what, place).at_most(limit_ppm));
        }
    }
    Ok(())
}

/// The largest arbitrage of each kind.
pub fn measure(surface: &Surface) -> Arbitrage {
    let mut found = Arbitrage::default();
    let slices: Vec<_> =
        surface.expiries().iter().map(|expiry| Slice::new(expiry, surface.time())).collect();
    for slice in &slices {
        slice.see_strikes(&mut found.butterfly);
    }
    for pair in slices.windows(2) {
        let [early, late] = pair else { continue };
        // Once a part is fixed, the volatility is no longer that of a forward.
        if early.expiry.fixing.is_none() {
            early.see_calendar(late, &mut found.calendar);
        }
    }
    found
}

/// One expiry with what its calls are priced with.
struct Slice<'a> {
    expiry: &'a Expiry,
    forward: Fixed,
    root_years: Fixed,
}

impl<'a> Slice<'a> {
    fn new(expiry: &'a Expiry, now: Time) -> Self {
        let seconds = expiry.expiry.get() - now.get();
        Self { expiry, forward: expiry.expected(), root_years: root_years(seconds) }
    }

    /// A call as a share of the forward.
    fn call(&self, strike: Price) -> Fixed {
        let spread = deviation(self.expiry.volatility(strike).value(), self.root_years);
        value(OptionKind::Call, self.forward, price_value(strike), spread).div_nearest(self.forward)
    }

    /// Calls fall with the strike and lie on or below the chord of their neighbours, the lowest
    /// one's being strike 0.
    fn see_strikes(&self, worst: &mut Worst) {
        let mut last = [(Fixed::ZERO, Fixed::ONE); 2];
        let mut middle = Price::MIN;
        for SmilePoint { strike, .. } in &self.expiry.smile {
            let here = (price_value(*strike), self.call(*strike));
            let [low, high] = last;
            worst.see(here.1.sub(high.1), self.expiry.expiry, *strike);
            if middle != Price::MIN {
                let place = high.0.sub(low.0).div_nearest(here.0.sub(low.0));
                let chord = low.1.add(here.1.sub(low.1).mul_nearest(place));
                worst.see(high.1.sub(chord), self.expiry.expiry, middle);
            }
            last = [high, here];
            middle = *strike;
        }
    }

    /// Calls are worth no more than those of the later expiry at the same share of the forward,
    /// wherever one of the two has a strike within the strikes of the other.
    fn see_calendar(&self, late: &Self, worst: &mut Worst) {
        for SmilePoint { strike, .. } in &self.expiry.smile {
            if let Some(same) = self.same_share(*strike, late) {
                worst.see(self.call(*strike).sub(late.call(same)), self.expiry.expiry, *strike);
            }
        }
        for SmilePoint { strike, .. } in &late.expiry.smile {
            if let Some(same) = late.same_share(*strike, self) {
                worst.see(self.call(same).sub(late.call(*strike)), self.expiry.expiry, same);
            }
        }
    }

    /// The strike of `other` at the same share of its forward, to the nearest unit, if its smile
    /// reaches there.
    fn same_share(&self, strike: Price, other: &Self) -> Option<Price> {
        let ratio = other.forward.div_nearest(self.forward);
        let same = price_nearest(price_value(strike).mul_nearest(ratio)).ok()?;
        let (first, last) = (other.expiry.smile.first(), other.expiry.smile.last());
        let reaches = first.is_some_and(|point| point.strike <= same)
            && last.is_some_and(|point| same <= point.strike);
        reaches.then_some(same)
    }
}
