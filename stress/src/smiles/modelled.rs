//! A surface that follows the price.

use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::pricing::black76::{Volatility, deviation, root_years};
use zkmargin_protocol::pricing::fixed::Fixed;
use zkmargin_protocol::pricing::shock::share;
use zkmargin_protocol::pricing::surface::VOLATILITY_MAX;
use zkmargin_protocol::value::units::{Price, Time};

/// A surface that follows the price. Numbers of volatility are 10^-6.
#[derive(Clone, Debug)]
pub struct Modelled {
    /// Volatility at the money while the price stands still.
    pub base: Volatility,
    /// Volatility added for each part of the price that it lies below its mean, for 30 days.
    pub slope: u32,
    /// Most that is added for 30 days.
    pub cap: Volatility,
    /// The mean forgets half in this time, seconds.
    pub half_life_s: u64,
    mean_e9: i128,
    seen: Time,
}

impl Modelled {
    /// Three points of volatility for each per cent below the mean of about two days, 150 points at
    /// most.
    pub fn reference(base: Volatility) -> Self {
        Self {
            base,
            slope: 3,
            cap: Volatility(1_500_000),
            half_life_s: 172_800,
            mean_e9: 0,
            seen: Time::default(),
        }
    }

    pub(super) fn observe(&mut self, time: Time, price: Price) {
        let price_e9 = i128::from(price) * 1_000_000;
        if self.mean_e9 == 0 {
            self.mean_e9 = price_e9;
        } else {
            // ln 2, in parts per million.
            let passed_s = i128::from(time.get() - self.seen.get());
            let weight_ppm = (passed_s * 693_147 / i128::from(self.half_life_s)).min(1_000_000);
            self.mean_e9 += (price_e9 - self.mean_e9) * weight_ppm / 1_000_000;
        }
        self.seen = time;
    }

    /// What is added for 30 days at a price.
    fn stress(&self, price: Price) -> u32 {
        let below = (self.mean_e9 - i128::from(price) * 1_000_000).max(0);
        let added = below * 1_000_000 * i128::from(self.slope) / self.mean_e9.max(1);
        u32::try_from(added).map_or(self.cap.0, |added| added.min(self.cap.0))
    }

    /// At the money base plus stress, the stress more for short times as the risk table's own
    /// volatility moves are; at d standard deviations from the forward times
    /// `1 − 0.054·d + 0.05·d²`, d at most 2.5.
    pub(super) fn volatility(
        &self,
        time: Time,
        expiry: Time,
        strike: Price,
        forward: Price,
    ) -> Volatility {
        let seconds = expiry.get() - time.get();
        let scale = RiskParameters::reference().volatility.scale(seconds);
        let stress = Volatility(self.stress(forward)).value().mul_nearest(scale);
        let level = self.base.value().add(stress);
        let log_strike = Fixed::ln_ratio(strike.get().into(), forward.get().max(1).into());
        let limit = share(2_500_000);
        let deviations = log_strike.div_nearest(deviation(level, root_years(seconds)));
        let deviations = deviations.clamp(limit.neg(), limit);
        let bend = share(50_000).mul_nearest(deviations).sub(share(54_000));
        let factor = Fixed::ONE.add(deviations.mul_nearest(bend));
        let units = level.mul_nearest(factor).units_nearest(1_000_000);
        u32::try_from(units).map_or(VOLATILITY_MAX, Volatility)
    }
}
