//! Building the risk table: every instrument priced once per scenario and epoch.
//! Spec: `docs/spec/market/risk_table.md#RiskTable`.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::market::instrument::InstrumentSpec;
use crate::market::risk_parameters::RiskParameters;
use crate::market::risk_row::{RiskRow, RiskRows};
use crate::market::settlement_price::Settlements;
use crate::pricing::arbitrage;
use crate::pricing::black76::{PRICE_UNITS, Volatility, YEAR_SECONDS};
use crate::pricing::black76::{
    deviation, intrinsic, price_nearest, price_value, root_years, value,
};
use crate::pricing::fixed::{Fixed, mul_div_ceil};
use crate::pricing::scenario::{SCENARIOS, Scenario, SkewShape, VolatilityMove};
use crate::pricing::shock::share;
use crate::pricing::surface::{Expiry, Surface};
use crate::pricing::tenor::{Place, RankShock, TenorMove};
use crate::value::units::{InstrumentIndex, Loss, PPM, Price, Time};
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
/// with one before; [`Rule::Range`] for a loss or margin wider than its unit, a surface given
/// twice, or a volatility move that [`crate::pricing::shock::VolatilityShock::check`] refuses.
pub fn build(
    surfaces: &[Surface],
    registry: &Registry,
    settlements: &Settlements,
    parameters: &RiskParameters,
) -> Result<RiskRows, Reject> {
    parameters.volatility.check()?;
    let mut by_underlying = BTreeMap::new();
    for surface in surfaces {
        let live = live_expiries(surface, registry);
        if by_underlying.insert(surface.underlying(), (surface, live)).is_some() {
            let reject = Reject::new(Rule::Range, "underlying of a surface", surface.underlying());
            return Err(reject.only("one without another surface"));
        }
        arbitrage::check(surface, &parameters.arbitrage)?;
    }
    let listed: Vec<_> = registry.iter().collect();
    let rows: Vec<Result<Option<RiskRow>, Reject>> = listed
        .into_par_iter()
        .map(|(&instrument, spec)| {
            let (surface, live) = by_underlying.get(&spec.underlying).ok_or_else(|| {
                let what = "underlying of an instrument";
                Reject::new(Rule::InstrumentLive, what, spec.underlying).only("one with a surface")
            })?;
            if spec.expiry > surface.time() {
                return row(instrument, spec, surface, live, parameters).map(Some);
            }
            let price = settlements.get(&(spec.underlying, spec.expiry));
            price.map(|&price| settled_row(instrument, spec, price)).transpose()
        })
        .collect();
    let rows = rows.into_iter().filter_map(Result::transpose);
    rows.map(|row| row.map(|row| (row.instrument, row))).collect()
}

/// The listed expiries of the surface's underlying after its time, ascending, each once.
pub fn live_expiries(surface: &Surface, registry: &Registry) -> Vec<Time> {
    let own = registry.values().filter(|spec| spec.underlying == surface.underlying());
    let live = own.map(|spec| spec.expiry).filter(|&expiry| expiry > surface.time());
    live.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The row of one instrument, whose expiry has its place among the `live` ones. `mark` and each
/// loss are rounded to the nearest unit, halves up: positions are held on both sides, so neither
/// direction is the safe one; a loss is off by half a unit of 1/1000 USDC per contract at most.
/// Short charges are rounded up.
///
/// # Errors
/// As [`build`].
pub fn row(
    instrument: InstrumentIndex,
    spec: &InstrumentSpec,
    surface: &Surface,
    live: &[Time],
    parameters: &RiskParameters,
) -> Result<RiskRow, Reject> {
    check_index(instrument, spec)?;
    let expiry = surface.expiry(spec.expiry)?;
    let place = Place::among(live, surface.time(), spec.expiry);
    let seconds = place.seconds;
    check_fixing(expiry, seconds, parameters)?;
    let volatility = expiry.volatility(spec.strike);
    let option = MarkedOption::new(spec, expiry.split(), volatility, seconds);
    let mark = price_nearest(option.value)?;
    let scale = parameters.volatility.scale(seconds);
    let losses = parameters
        .grid
        .scenarios()
        .iter()
        .map(|scenario| {
            let loss = option.loss_in(scenario, &place, scale, parameters);
            Loss::try_from(loss.units_nearest(PRICE_UNITS))
        })
        .collect::<Result<_, _>>()?;
    Ok(RiskRow {
        instrument,
        spec: *spec,
        is_settled: false,
        mark,
        forward: expiry.forward,
        losses,
        short_charge: share_ceil(expiry.forward, parameters.short_charge_ppm)?,
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
        short_charge: Price::MIN,
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

    /// The part of `value`, of one contract at `forward`, that is above intrinsic value. Never
    /// negative.
    fn time_value(&self, value: Fixed, forward: Fixed) -> Fixed {
        value.sub(intrinsic(self.spec.kind, forward, self.strike))
    }

    /// The forward with its open part grown by `share`.
    fn moved_forward(&self, share: Fixed) -> Fixed {
        self.forward.add(self.variable.mul_nearest(share))
    }

    /// ln(strike/forward).
    fn log_strike(&self) -> Fixed {
        Fixed::ln_ratio(self.strike.bits() as u128, self.forward.bits() as u128)
    }

    /// Loss of one contract long in a scenario, USDC. `place` is that of its expiry, `scale` that
    /// of [`crate::pricing::shock::VolatilityShock::scale`].
    pub fn loss_in(
        &self,
        scenario: &Scenario,
        place: &Place,
        scale: Fixed,
        parameters: &RiskParameters,
    ) -> Fixed {
        match *scenario {
            Scenario::Move { forward_ppm, volatility, damping_ppm } => {
                let [forward, damping] = [forward_ppm, damping_ppm].map(|ppm| share(ppm.into()));
                self.move_loss([forward, damping], volatility, scale, parameters)
            }
            Scenario::Skew { shape, is_rising } => {
                let skew = match shape {
                    SkewShape::Linear => &parameters.linear_skew,
                    SkewShape::Absolute => &parameters.absolute_skew,
                };
                let factor = skew.factor(shape, is_rising, self.log_strike(), self.root_years);
                let volatility = self.volatility.mul_nearest(factor);
                self.value.sub(self.value_at(self.forward, volatility))
            }
            Scenario::Term { is_rising } => {
                self.tenor_loss(&parameters.tenor.term(place, is_rising), scale, parameters)
            }
            Scenario::Twist => self.tenor_loss(&parameters.tenor.twist(place), scale, parameters),
            Scenario::Rank { bit, is_rising } => {
                let shock = &parameters.rank;
                self.rank_loss(shock, shock.forward(place, bit, is_rising), place.seconds)
            }
        }
    }

    fn move_loss(
        &self,
        [factor, damping]: [Fixed; 2],
        volatility: VolatilityMove,
        scale: Fixed,
        parameters: &RiskParameters,
    ) -> Fixed {
        let forward = self.moved_forward(factor.sub(Fixed::ONE));
        let moved = parameters.volatility.moved(self.volatility, volatility, scale);
        let value = self.value_at(forward, moved);
        let loss = self.value.sub(value).mul_nearest(damping);
        let own = self.time_value(self.value, self.forward);
        match volatility {
            VolatilityMove::Flat => loss,
            VolatilityMove::Up => loss.sub(parameters.time_value.up(self.forward, own)),
            VolatilityMove::Down => {
                loss.add(parameters.time_value.down(own, self.time_value(value, forward)))
            }
        }
    }

    fn tenor_loss(&self, at: &TenorMove, scale: Fixed, parameters: &RiskParameters) -> Fixed {
        let forward = self.moved_forward(at.forward);
        let up = share(i64::from(parameters.volatility.up_ppm)).mul_nearest(scale);
        let factor = parameters.tenor.factor(at.volatility, up);
        let value = self.value_at(forward, self.volatility.mul_nearest(factor));
        let own = self.time_value(self.value, self.forward);
        let add_on = at.bounded_add_on(self.forward, own, self.time_value(value, forward));
        self.value.sub(value).sub(add_on)
    }

    fn rank_loss(&self, shock: &RankShock, moved: Fixed, seconds: u64) -> Fixed {
        let forward = self.moved_forward(moved);
        let value = self.value_at(forward, self.volatility);
        let years = Fixed::ratio_nearest(seconds.into(), YEAR_SECONDS.into());
        let factor = shock.factor(years);
        let own = self.time_value(self.value, self.forward);
        let (option, times) =
            ([self.forward, self.log_strike()], [own, self.time_value(value, forward)]);
        let add_on = shock.bounded_add_on(option, moved > Fixed::ZERO, factor, times);
        self.value.sub(value).mul_nearest(factor).sub(add_on)
    }
}
