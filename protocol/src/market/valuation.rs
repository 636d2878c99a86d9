//! The portfolio valuation of Derive's PM2 in full, which is not linear in positions: the yardstick
//! for what the linear risk array keeps and drops. No rule reads it. Spec:
//! `docs/spec/market/risk_table.md#Valuation`.

pub mod standard;

use serde::{Deserialize, Serialize};

use crate::market::risk_parameters::RiskParameters;
use crate::pricing::black76::{self, OptionKind, YEAR_SECONDS, deviation, root_years};
use crate::pricing::fixed::Fixed;
use crate::pricing::scenario::{Scenario, SkewShape};
use crate::pricing::shock::share;
use crate::value::units::PPM;

/// Discounting of shocked values and the basis contingency; shares in parts per million.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValuationParameters {
    /// Factor of an expiry whose shocked value is positive.
    pub long_static_ppm: u32,
    /// Share of the rate a positive value is discounted by.
    pub long_rate_ppm: u32,
    /// Yearly rate a positive value is discounted by on top.
    pub long_extra_ppm: u32,
    /// Factor of an expiry whose shocked value is negative.
    pub short_static_ppm: u32,
    /// Share of the rate a negative value is grown by.
    pub short_rate_ppm: u32,
    /// Yearly rate a negative value is grown by on top.
    pub short_extra_ppm: u32,
    /// Forward factors of the basis contingency.
    pub basis_forward_ppm: [u32; 2],
    /// Share of the loss charged for basis.
    pub basis_static_ppm: u32,
    /// Share of the loss charged for basis, times τ.
    pub basis_slope_ppm: u32,
    /// In the last seconds before expiry the settlement average fixes the forward step by step;
    /// not 0.
    pub settlement_window_s: u32,
}

impl ValuationParameters {
    /// Those of Derive's published PM2 cases.
    pub fn reference() -> Self {
        Self {
            long_static_ppm: 950_000,
            long_rate_ppm: PPM,
            long_extra_ppm: 80_000,
            short_static_ppm: 1_040_000,
            short_rate_ppm: 500_000,
            short_extra_ppm: 80_000,
            basis_forward_ppm: [1_045_000, 955_000],
            basis_static_ppm: 500_000,
            basis_slope_ppm: 2_000_000,
            settlement_window_s: 1_800,
        }
    }
}

/// A position valued in full.
#[derive(Clone, Copy, Debug)]
pub struct ValuedPosition {
    /// Call or put.
    pub kind: OptionKind,
    /// Strike, USDC.
    pub strike: Fixed,
    /// Implied volatility.
    pub volatility: Fixed,
    /// Contracts, negative if short.
    pub amount: Fixed,
}

/// All positions of one expiry and its market data.
#[derive(Clone, Debug)]
pub struct ExpiryBook {
    /// Time to expiry.
    pub seconds: u64,
    /// Forward, USDC.
    pub forward: Fixed,
    /// Interest rate; negative ones count as 0.
    pub rate: Fixed,
    /// The positions.
    pub positions: Vec<ValuedPosition>,
}

impl ExpiryBook {
    fn years(&self) -> Fixed {
        Fixed::ratio_nearest(i128::from(self.seconds), u128::from(YEAR_SECONDS))
    }

    /// exp(−τ·(rate·`rate_ppm` + `extra_ppm`)).
    fn discount(&self, rate_ppm: u32, extra_ppm: u32) -> Fixed {
        let rate = self.rate.max(Fixed::ZERO).mul_nearest(share(i64::from(rate_ppm)));
        rate.add(share(i64::from(extra_ppm))).mul_nearest(self.years()).neg().exp()
    }

    /// The forward with the part that is not yet fixed times `forward_ppm`/10^6.
    fn shocked_forward(&self, forward_ppm: u32, parameters: &ValuationParameters) -> Fixed {
        let window = u64::from(parameters.settlement_window_s);
        let open = Fixed::ratio_nearest(self.seconds.min(window) as i128, u128::from(window));
        let shock = share(i64::from(forward_ppm) - i64::from(PPM)).mul_nearest(open);
        self.forward.mul_nearest(Fixed::ONE.add(shock))
    }

    /// Discounted mark-to-market with the forward and each volatility replaced.
    fn value(&self, forward: Fixed, volatility: impl Fn(&ValuedPosition) -> Fixed) -> Fixed {
        let root = root_years(self.seconds);
        let sum = self.positions.iter().fold(Fixed::ZERO, |sum, position| {
            let spread = deviation(volatility(position), root);
            let one = black76::value(position.kind, forward, position.strike, spread);
            sum.add(position.amount.mul_nearest(one))
        });
        sum.mul_nearest(self.discount(PPM, 0))
    }

    /// Mark-to-market.
    pub fn mark_value(&self) -> Fixed {
        self.value(self.forward, |position| position.volatility)
    }

    /// A shocked value made worse: a positive one shrinks, a negative one grows.
    fn discounted(&self, value: Fixed, parameters: &ValuationParameters) -> Fixed {
        let factor = if value >= Fixed::ZERO {
            let discount = self.discount(parameters.long_rate_ppm, parameters.long_extra_ppm);
            share(i64::from(parameters.long_static_ppm)).mul_nearest(discount)
        } else {
            let growth = self.discount(parameters.short_rate_ppm, parameters.short_extra_ppm);
            let grown = share(i64::from(parameters.short_static_ppm)).div_nearest(growth);
            Fixed::ONE.div_nearest(self.discount(PPM, 0)).min(grown)
        };
        value.mul_nearest(factor)
    }

    /// Profit in a scenario before damping. A skew move may go either way in each expiry: its loss.
    fn profit(
        &self,
        scenario: &Scenario,
        risk: &RiskParameters,
        parameters: &ValuationParameters,
    ) -> Fixed {
        let shocked = match *scenario {
            Scenario::Move { forward_ppm, volatility, .. } => {
                let scale = risk.volatility.scale(self.seconds);
                self.value(self.shocked_forward(forward_ppm, parameters), |position| {
                    risk.volatility.moved(position.volatility, volatility, scale)
                })
            }
            Scenario::Skew { shape, is_rising } => {
                let skew = match shape {
                    SkewShape::Linear => &risk.linear_skew,
                    SkewShape::Absolute => &risk.absolute_skew,
                };
                let root = root_years(self.seconds);
                self.value(self.forward, |position| {
                    let (strike, forward) = (position.strike.bits(), self.forward.bits());
                    let log_strike = Fixed::ln_ratio(strike as u128, forward as u128);
                    let factor = skew.factor(shape, is_rising, log_strike, root);
                    position.volatility.mul_nearest(factor)
                })
            }
        };
        let profit = self.discounted(shocked, parameters).sub(self.mark_value());
        match scenario {
            Scenario::Skew { .. } => profit.min(profit.neg()),
            Scenario::Move { .. } => profit,
        }
    }

    /// The basis contingency of one expiry, at most 0.
    fn basis(&self, parameters: &ValuationParameters) -> Fixed {
        let mark = self.mark_value();
        let worst = parameters.basis_forward_ppm.iter().fold(Fixed::ZERO, |worst, &factor| {
            let forward = self.shocked_forward(factor, parameters);
            worst.min(self.value(forward, |position| position.volatility).sub(mark))
        });
        let slope = share(i64::from(parameters.basis_slope_ppm)).mul_nearest(self.years());
        worst.mul_nearest(share(i64::from(parameters.basis_static_ppm)).add(slope))
    }
}

/// Profit in USDC of a book of options in one scenario: per expiry the shocked value, discounted by
/// its sign, less the mark; summed and damped.
pub fn profit(
    books: &[ExpiryBook],
    scenario: &Scenario,
    risk: &RiskParameters,
    parameters: &ValuationParameters,
) -> Fixed {
    let sum = books
        .iter()
        .fold(Fixed::ZERO, |sum, book| sum.add(book.profit(scenario, risk, parameters)));
    match *scenario {
        Scenario::Move { damping_ppm, .. } => sum.mul_nearest(share(i64::from(damping_ppm))),
        Scenario::Skew { .. } => sum,
    }
}

/// The basis contingency in USDC, at most 0: forwards of different expiries need not move together.
pub fn basis_contingency(books: &[ExpiryBook], parameters: &ValuationParameters) -> Fixed {
    books.iter().fold(Fixed::ZERO, |sum, book| sum.add(book.basis(parameters)))
}
