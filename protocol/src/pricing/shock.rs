//! What a scenario does to an implied volatility. Spec: `docs/spec/pricing/prices.md#Shocks`.

use crate::pricing::black76::Volatility;
use crate::pricing::fixed::Fixed;
use crate::pricing::scenario::{SkewShape, VolatilityMove};
use crate::value::units::PPM;
use serde::Deserialize;
use serde::Serialize;

/// `share_ppm`/10^6, to the nearest 2^-80.
pub const fn share(share_ppm: i64) -> Fixed {
    Fixed::ratio_nearest(share_ppm as i128, PPM as u128)
}

/// How far volatility moves: by `up` or `down` times `(reference/time to expiry)^power`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolatilityShock {
    /// Share added by an up move of an option at the reference time.
    pub up_ppm: u32,
    /// Share taken by a down move of an option at the reference time.
    pub down_ppm: u32,
    /// Least volatility after an up move.
    pub up_minimum: Volatility,
    /// Time to expiry at which the shares hold as they are, seconds, not 0.
    pub reference_s: u32,
    /// Shorter times to expiry count as this one, seconds, not 0.
    pub shortest_s: u32,
    /// Power up to the reference time.
    pub short_power_ppm: u32,
    /// Power beyond the reference time.
    pub long_power_ppm: u32,
}

/// How far a skew move bends a smile: volatility times `1 ± clamp(k·cap/width, ±cap)`, with
/// `cap = cap_static + cap_slope·√τ` and
/// `width = max(width_minimum, width_scale·√τ·(width_static + width_slope·√τ))`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkewShock {
    /// Largest change of a volatility.
    pub cap_static_ppm: i32,
    /// Its change with √τ.
    pub cap_slope_ppm: i32,
    /// Least |k| at which the largest change is reached, not 0.
    pub width_minimum_ppm: u32,
    /// Factor of the |k| at which the largest change is reached.
    pub width_scale_ppm: i32,
    /// Volatility that width is measured in.
    pub width_static_ppm: i32,
    /// Its change with √τ.
    pub width_slope_ppm: i32,
}

impl VolatilityShock {
    /// `(reference/max(seconds, shortest))^power`: short options move more. Continuous in time;
    /// error below 2^-70 for the reference parameters.
    pub fn scale(&self, seconds: u64) -> Fixed {
        let seconds = seconds.max(u64::from(self.shortest_s));
        let power = if seconds <= u64::from(self.reference_s) {
            self.short_power_ppm
        } else {
            self.long_power_ppm
        };
        let log = Fixed::ln_ratio(u128::from(self.reference_s), u128::from(seconds));
        log.mul_nearest(share(i64::from(power))).exp()
    }

    /// `volatility` after a move, with the [`VolatilityShock::scale`] of its expiry. Never
    /// negative.
    pub fn moved(&self, volatility: Fixed, direction: VolatilityMove, scale: Fixed) -> Fixed {
        let share_of = |ppm: u32| share(i64::from(ppm)).mul_nearest(scale);
        match direction {
            VolatilityMove::Flat => volatility,
            VolatilityMove::Up => {
                let factor = Fixed::ONE.add(share_of(self.up_ppm));
                volatility.mul_nearest(factor).max(self.up_minimum.value())
            }
            VolatilityMove::Down => {
                let factor = Fixed::ONE.sub(share_of(self.down_ppm)).max(Fixed::ZERO);
                volatility.mul_nearest(factor)
            }
        }
    }
}

impl SkewShock {
    /// Factor of the volatility at `log_strike` = ln(strike/forward), √τ = `root_years`. Never
    /// negative.
    pub fn factor(
        &self,
        shape: SkewShape,
        is_rising: bool,
        log_strike: Fixed,
        root_years: Fixed,
    ) -> Fixed {
        let linear = |constant: i32, slope: i32| {
            share(i64::from(constant)).add(share(i64::from(slope)).mul_nearest(root_years))
        };
        let cap = linear(self.cap_static_ppm, self.cap_slope_ppm);
        let spread = linear(self.width_static_ppm, self.width_slope_ppm).mul_nearest(root_years);
        let width = share(i64::from(self.width_scale_ppm)).mul_nearest(spread);
        let width = width.max(share(i64::from(self.width_minimum_ppm)));
        let log_strike = match shape {
            SkewShape::Absolute if log_strike < Fixed::ZERO => log_strike.neg(),
            _ => log_strike,
        };
        // For a cap above zero this is `clamp(±cap)`; PM2 takes this form for the others as well.
        let change = log_strike.mul_nearest(cap).div_nearest(width);
        let change = if log_strike > Fixed::ZERO { change.min(cap) } else { change.max(cap.neg()) };
        let change = if is_rising { change } else { change.neg() };
        Fixed::ONE.add(change).max(Fixed::ZERO)
    }
}
