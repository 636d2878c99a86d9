//! Building the risk table: every instrument priced once per scenario and epoch.
//! Spec: `docs/spec/risk.md#RiskTable`.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::black76::{PRICE_UNITS, Volatility};
use crate::black76::{deviation, price_nearest, price_value, root_years, value};
use crate::fixed::{Fixed, mul_div_ceil};
use crate::instrument::InstrumentSpec;
use crate::market::RiskRows;
use crate::parameters::PPM;
use crate::risk_parameters::{RiskParameters, share};
use crate::risk_row::RiskRow;
use crate::scenario::{Scenario, SkewShape};
use crate::surface::Surface;
use crate::units::{InstrumentIndex, Loss, Price};
use crate::{Reject, Rule};

/// Registered instruments by index.
pub type Registry = BTreeMap<InstrumentIndex, InstrumentSpec>;

/// The rows of all registered instruments, from one surface per underlying. The result, and which
/// instrument an error names, do not depend on the number of threads.
///
/// # Errors
/// [`Rule::InstrumentLive`] for an instrument without a surface, or whose expiry is not on it (an expired one
/// never is); [`Rule::InstrumentSpec`] for an index of another underlying than its specification;
/// [`Rule::Range`] for a loss or margin wider than its unit, or a surface given twice.
pub fn build(
    surfaces: &[Surface],
    registry: &Registry,
    parameters: &RiskParameters,
) -> Result<RiskRows, Reject> {
    let mut by_underlying = BTreeMap::new();
    for surface in surfaces {
        if by_underlying.insert(surface.underlying(), surface).is_some() {
            return Err(Reject::value(Rule::Range, "surface given twice", surface.underlying()));
        }
    }
    let listed: Vec<_> = registry.iter().collect();
    let rows: Vec<Result<RiskRow, Reject>> = listed
        .into_par_iter()
        .map(|(&instrument, spec)| {
            let surface = by_underlying.get(&spec.underlying).ok_or_else(|| {
                Reject::value(Rule::InstrumentLive, "no surface of underlying", spec.underlying)
            })?;
            row(instrument, spec, surface, parameters)
        })
        .collect();
    rows.into_iter().map(|row| row.map(|row| (row.instrument, row))).collect()
}

/// The row of one instrument. `mark` and each loss are rounded to the nearest unit, halves up: positions
/// are held on both sides, so neither direction is the safe one; a loss is off by half a unit of 1/1000
/// USDC per contract at most. Short charges are rounded up.
///
/// # Errors
/// As [`build`].
pub fn row(
    instrument: InstrumentIndex,
    spec: &InstrumentSpec,
    surface: &Surface,
    parameters: &RiskParameters,
) -> Result<RiskRow, Reject> {
    if instrument.get() == 0 || instrument.underlying() != spec.underlying {
        return Err(Reject::value(Rule::InstrumentSpec, "index of another underlying", instrument));
    }
    let expiry = surface.expiry(spec.expiry)?;
    let seconds = spec.expiry.get() - surface.time().get();
    let option = MarkedOption::new(spec, expiry.forward, expiry.volatility(spec.strike), seconds);
    let mark = price_nearest(option.value)?;
    let scale = parameters.volatility.scale(seconds);
    let losses = parameters
        .grid
        .scenarios()
        .iter()
        .map(|scenario| option.loss(scenario, scale, parameters))
        .collect::<Result<_, _>>()?;
    Ok(RiskRow {
        instrument,
        spec: *spec,
        mark,
        losses,
        short_minimum: share_ceil(expiry.forward, parameters.short_minimum_ppm)?,
        isolated_initial: parameters.isolated.initial(spec, expiry.forward, mark)?,
        isolated_maintenance: parameters.isolated.maintenance(spec, expiry.forward, mark)?,
    })
}

/// `⌈price · share_ppm / 10^6⌉`.
fn share_ceil(price: Price, share_ppm: u32) -> Result<Price, Reject> {
    let units = mul_div_ceil(u128::from(price.get()), u128::from(share_ppm), u128::from(PPM));
    let units = units.and_then(|units| u32::try_from(units).ok()).unwrap_or(u32::MAX);
    Price::new(units)
}

/// One option with its market data, in fixed point.
#[derive(Clone, Copy, Debug)]
pub struct MarkedOption {
    /// The contract.
    pub spec: InstrumentSpec,
    /// Forward, USDC.
    pub forward: Fixed,
    /// Strike, USDC.
    pub strike: Fixed,
    /// Implied volatility.
    pub volatility: Fixed,
    /// √τ in years.
    pub root_years: Fixed,
    /// Undiscounted value of one contract, USDC.
    pub value: Fixed,
}

impl MarkedOption {
    /// An option `seconds` before its expiry.
    pub fn new(spec: &InstrumentSpec, forward: Price, implied: Volatility, seconds: u64) -> Self {
        let mut option = Self {
            spec: *spec,
            forward: price_value(forward),
            strike: price_value(spec.strike),
            volatility: implied.value(),
            root_years: root_years(seconds),
            value: Fixed::ZERO,
        };
        option.value = option.value_at(option.forward, option.volatility);
        option
    }

    /// Value of one contract at another forward and volatility.
    pub fn value_at(&self, forward: Fixed, volatility: Fixed) -> Fixed {
        value(self.spec.kind, forward, self.strike, deviation(volatility, self.root_years))
    }

    /// Value of one contract in a scenario before damping, and the damping. `scale` is that of
    /// [`crate::risk_parameters::VolatilityShock::scale`].
    pub fn value_in(
        &self,
        scenario: &Scenario,
        scale: Fixed,
        parameters: &RiskParameters,
    ) -> (Fixed, Fixed) {
        match *scenario {
            Scenario::Move { forward_ppm, volatility, damping_ppm } => {
                let forward = self.forward.mul_nearest(share(i64::from(forward_ppm)));
                let volatility = parameters.volatility.moved(self.volatility, volatility, scale);
                (self.value_at(forward, volatility), share(i64::from(damping_ppm)))
            }
            Scenario::Skew { shape, is_rising } => {
                let skew = match shape {
                    SkewShape::Linear => &parameters.linear_skew,
                    SkewShape::Absolute => &parameters.absolute_skew,
                };
                let (strike, forward) = (self.strike.bits(), self.forward.bits());
                let log_strike = Fixed::ln_ratio(strike as u128, forward as u128);
                let factor = skew.factor(shape, is_rising, log_strike, self.root_years);
                (self.value_at(self.forward, self.volatility.mul_nearest(factor)), Fixed::ONE)
            }
        }
    }

    fn loss(
        &self,
        scenario: &Scenario,
        scale: Fixed,
        parameters: &RiskParameters,
    ) -> Result<Loss, Reject> {
        let (value, damping) = self.value_in(scenario, scale, parameters);
        let loss = self.value.sub(value).mul_nearest(damping);
        Loss::try_from(loss.units_nearest(PRICE_UNITS))
    }
}
