//! Building the risk table: every instrument priced once per scenario and epoch.
//! Spec: `docs/spec/market/risk_table.md#RiskTable`.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::market::instrument::InstrumentSpec;
use crate::market::risk_parameters::RiskParameters;
use crate::market::risk_row::{RiskRow, RiskRows};
use crate::market::settlement_price::Settlements;
use crate::pricing::arbitrage;
use crate::pricing::black76::{PRICE_UNITS, Volatility};
use crate::pricing::black76::{deviation, price_nearest, price_value, root_years, value};
use crate::pricing::fixed::{Fixed, mul_div_ceil};
use crate::pricing::scenario::{SCENARIOS, Scenario, SkewShape};
use crate::pricing::shock::share;
use crate::pricing::surface::{Expiry, Surface};
use crate::value::units::{InstrumentIndex, Loss, PPM, Price};
use crate::{Reject, Rule};

/// Registered instruments by index.
pub type Registry = BTreeMap<InstrumentIndex, InstrumentSpec>;

/// The rows of all registered instruments, from one surface per underlying. An instrument that has
/// expired at the surface's time has the row of its settlement price, and none while its settlement
/// waits. The result, and which instrument an error names, do not depend on the number of threads.
///
/// # Errors
/// [`Rule::SurfaceArbitrage`] for a surface with more arbitrage than allowed;
/// [`Rule::InstrumentLive`] for an instrument without a surface, or whose expiry is to come and not
/// on it; [`Rule::InstrumentSpec`] for an index of another underlying than its specification;
/// [`Rule::SettlementPrice`] for an expiry in its settlement window without the right fixing, or
/// with one before; [`Rule::Range`] for a loss or margin wider than its unit, or a surface given
/// twice.
pub fn build(
    surfaces: &[Surface],
    registry: &Registry,
    settlements: &Settlements,
    parameters: &RiskParameters,
) -> Result<RiskRows, Reject> {
    let mut by_underlying = BTreeMap::new();
    for surface in surfaces {
        if by_underlying.insert(surface.underlying(), surface).is_some() {
            let reject = Reject::new(Rule::Range, "underlying of a surface", surface.underlying());
            return Err(reject.only("one without another surface"));
        }
        arbitrage::check(surface, &parameters.arbitrage)?;
    }
    let listed: Vec<_> = registry.iter().collect();
    let rows: Vec<Result<Option<RiskRow>, Reject>> = listed
        .into_par_iter()
        .map(|(&instrument, spec)| {
            let surface = by_underlying.get(&spec.underlying).ok_or_else(|| {
                let what = "underlying of an instrument";
                Reject::new(Rule::InstrumentLive, what, spec.underlying).only("one with a surface")
            })?;
            if spec.expiry > surface.time() {
                return row(instrument, spec, surface, parameters).map(Some);
            }
            let price = settlements.get(&(spec.underlying, spec.expiry));
            price.map(|&price| settled_row(instrument, spec, price)).transpose()
        })
        .collect();
    let rows = rows.into_iter().filter_map(Result::transpose);
    rows.map(|row| row.map(|row| (row.instrument, row))).collect()
}

/// The row of one instrument. `mark` and each loss are rounded to the nearest unit, halves up:
/// positions are held on both sides, so neither direction is the safe one; a loss is off by half a
/// unit of 1/1000 USDC per contract at most. Short charges are rounded up.
///
/// # Errors
/// As [`build`].
pub fn row(
    instrument: InstrumentIndex,
    spec: &InstrumentSpec,
    surface: &Surface,
    parameters: &RiskParameters,
) -> Result<RiskRow, Reject> {
    check_index(instrument, spec)?;
    let expiry = surface.expiry(spec.expiry)?;
    let seconds = spec.expiry.get() - surface.time().get();
    check_fixing(expiry, seconds, parameters)?;
    let volatility = expiry.volatility(spec.strike);
    let option = MarkedOption::new(spec, expiry.split(), volatility, seconds);
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
        is_settled: false,
        mark,
        forward: expiry.forward,
        losses,
        short_minimum: share_ceil(expiry.forward, parameters.short_minimum_ppm)?,
        isolated_initial: parameters.isolated.initial(spec, expiry.forward, mark)?,
        isolated_maintenance: parameters.isolated.maintenance(spec, expiry.forward, mark)?,
    })
}

/// An expiry has a fixing in its settlement window, and only there.
fn check_fixing(expiry: &Expiry, seconds: u64, parameters: &RiskParameters) -> Result<(), Reject> {
    let is_settling = seconds < u64::from(parameters.settlement.window_s);
    match &expiry.fixing {
        Some(fixing) if is_settling => fixing.check(seconds, &parameters.settlement),
        None if !is_settling => Ok(()),
        Some(_) => Err(Reject::because(Rule::SettlementPrice, "a mean is fixed before the window")),
        None => Err(Reject::because(Rule::SettlementPrice, "no mean is fixed in the window")),
    }
}

fn check_index(instrument: InstrumentIndex, spec: &InstrumentSpec) -> Result<(), Reject> {
    if instrument.get() == 0 || instrument.underlying() != spec.underlying {
        let reject = Reject::new(Rule::InstrumentSpec, "instrument index", instrument);
        return Err(reject.only(format_args!("one of underlying {}", spec.underlying)));
    }
    Ok(())
}

/// The row of an expired instrument: its payoff at the settlement price, which nothing can change
/// any more.
///
/// # Errors
/// [`Rule::InstrumentSpec`] as [`build`].
pub fn settled_row(
    instrument: InstrumentIndex,
    spec: &InstrumentSpec,
    price: Price,
) -> Result<RiskRow, Reject> {
    check_index(instrument, spec)?;
    Ok(RiskRow {
        instrument,
        spec: *spec,
        is_settled: true,
        mark: spec.payoff(price),
        forward: price,
        losses: vec![Loss::default(); SCENARIOS],
        short_minimum: Price::MIN,
        isolated_initial: Price::MIN,
        isolated_maintenance: Price::MIN,
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
    /// The settlement price to be expected, USDC: the forward, or in the settlement window fixed
    /// and open part.
    pub forward: Fixed,
    /// The part of it that a move of the forward moves.
    pub variable: Fixed,
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
    /// An option `seconds` before its expiry, on a forward of a fixed and a variable part.
    pub fn new(
        spec: &InstrumentSpec,
        [fixed, variable]: [Fixed; 2],
        implied: Volatility,
        seconds: u64,
    ) -> Self {
        let mut option = Self {
            spec: *spec,
            forward: fixed.add(variable),
            variable,
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
    /// [`crate::pricing::shock::VolatilityShock::scale`].
    pub fn value_in(
        &self,
        scenario: &Scenario,
        scale: Fixed,
        parameters: &RiskParameters,
    ) -> (Fixed, Fixed) {
        match *scenario {
            Scenario::Move { forward_ppm, volatility, damping_ppm } => {
                let fixed = self.forward.sub(self.variable);
                let forward = fixed.add(self.variable.mul_nearest(share(i64::from(forward_ppm))));
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
