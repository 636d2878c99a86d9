//! What a scenario does to an implied volatility. Spec: `docs/spec/risk.md#Shocks`.

use crate::fixed::Fixed;
use crate::risk_parameters::{SkewShock, VolatilityShock, share};
use crate::scenario::{SkewShape, VolatilityMove};

impl VolatilityShock {
    /// `(reference/max(seconds, shortest))^power`: short options move more. Continuous in time; error
    /// below 2^-70 for the reference parameters.
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

    /// `volatility` after a move, with the [`VolatilityShock::scale`] of its expiry. Never negative.
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
    /// Factor of the volatility at `log_strike` = ln(strike/forward), √τ = `root_years`. Never negative.
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
