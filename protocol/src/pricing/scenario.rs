//! The scenario grid: which moves of forward and volatility the risk table prices.
//! Spec: `docs/spec/pricing/prices.md#Scenarios`.

use serde::{Deserialize, Serialize};

use crate::value::units::PPM;
use crate::{Reject, Rule};

/// Scenarios of the grid: 23 regular, 8 tails, 2 skew moves.
pub const SCENARIOS: usize = 33;

/// How a scenario moves every implied volatility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolatilityMove {
    /// Down by the parameters' range.
    Down,
    /// Not at all.
    Flat,
    /// Up by the parameters' range, at least to the parameters' floor.
    Up,
}

/// How a skew move grows with k = ln(strike/forward).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkewShape {
    /// With k: one wing up, the other down.
    Linear,
    /// With |k|: both wings alike.
    Absolute,
}

/// One scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scenario {
    /// Every forward times `forward_ppm`/10^6, volatility moved, the loss times `damping_ppm`/10^6.
    Move {
        /// Factor of the forward, parts per million.
        forward_ppm: u32,
        /// Move of the volatility.
        volatility: VolatilityMove,
        /// Factor of the resulting loss, parts per million, at most 10^6.
        damping_ppm: u32,
    },
    /// Forwards stay; volatilities are multiplied by 1 ± the skew of the strike.
    Skew {
        /// Shape over strikes.
        shape: SkewShape,
        /// Whether volatility grows with k (or |k|); it falls otherwise.
        is_rising: bool,
    },
}

/// Largest factor of a forward, parts per million: ten times.
pub const FORWARD_PPM_MAX: u32 = 10 * PPM;

/// The [`SCENARIOS`] scenarios in the order of the losses of a risk row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Scenario>", into = "Vec<Scenario>")]
pub struct ScenarioGrid([Scenario; SCENARIOS]);

impl ScenarioGrid {
    /// A grid that contains the unmoved market, so that no book's worst loss is negative.
    ///
    /// # Errors
    /// [`Rule::Range`] for another number of scenarios, a factor out of range, or no unmoved
    /// scenario.
    pub fn new(scenarios: Vec<Scenario>) -> Result<Self, Reject> {
        let grid: [Scenario; SCENARIOS] = scenarios.try_into().map_err(|list: Vec<_>| {
            Reject::new(Rule::Range, "number of scenarios", list.len()).only(SCENARIOS)
        })?;
        for scenario in &grid {
            if let Scenario::Move { forward_ppm, damping_ppm, .. } = *scenario {
                if !(1..=FORWARD_PPM_MAX).contains(&forward_ppm) {
                    let reject = Reject::new(Rule::Range, "scenario's forward, ppm,", forward_ppm);
                    return Err(reject.within(1..=FORWARD_PPM_MAX));
                }
                if !(1..=PPM).contains(&damping_ppm) {
                    let reject = Reject::new(Rule::Range, "scenario's damping, ppm,", damping_ppm);
                    return Err(reject.within(1..=PPM));
                }
            }
        }
        if !grid.iter().any(Scenario::is_unmoved) {
            let reject = Reject::new(Rule::Range, "number of scenarios that move nothing", 0);
            return Err(reject.at_least(1));
        }
        Ok(Self(grid))
    }

    /// The scenarios in order.
    pub fn scenarios(&self) -> &[Scenario; SCENARIOS] {
        &self.0
    }

    /// 23 regular moves (±18 % with volatility up; ±13.5, ±9, ±4.5 and 0 % with volatility down,
    /// flat and up), 8 damped tails with volatility up, and the linear skew in both directions.
    /// Numbers: Derive PM2 (docs.derive.xyz, "Portfolio Margin 2"); `docs/spec/pricing/prices.md`
    /// says what differs.
    pub fn reference() -> Self {
        use VolatilityMove::{Down, Flat, Up};
        let damped = |forward_ppm, volatility, damping_ppm| Scenario::Move {
            forward_ppm,
            volatility,
            damping_ppm,
        };
        let mut grid = [damped(PPM, Flat, PPM); SCENARIOS];
        let mut places = grid.iter_mut();
        let mut push = |scenario| {
            if let Some(place) = places.next() {
                *place = scenario;
            }
        };
        push(damped(1_180_000, Up, PPM));
        for forward_ppm in [1_135_000, 1_090_000, 1_045_000, PPM, 955_000, 910_000, 865_000] {
            for volatility in [Down, Flat, Up] {
                push(damped(forward_ppm, volatility, PPM));
            }
        }
        push(damped(820_000, Up, PPM));
        for (forward_ppm, damping_ppm) in [
            (340_000, 210_000),
            (670_000, 420_000),
            (1_500_000, 277_200),
            (2_000_000, 138_600),
            (3_000_000, 69_300),
            (4_000_000, 46_200),
            (5_000_000, 34_650),
            (6_000_000, 27_720),
        ] {
            push(damped(forward_ppm, Up, damping_ppm));
        }
        for is_rising in [true, false] {
            push(Scenario::Skew { shape: SkewShape::Linear, is_rising });
        }
        Self(grid)
    }
}

impl Scenario {
    /// Forward and volatility stay: the loss is zero.
    pub fn is_unmoved(&self) -> bool {
        matches!(self, Self::Move { forward_ppm: PPM, volatility: VolatilityMove::Flat, .. })
    }
}

impl TryFrom<Vec<Scenario>> for ScenarioGrid {
    type Error = Reject;

    fn try_from(scenarios: Vec<Scenario>) -> Result<Self, Reject> {
        Self::new(scenarios)
    }
}

impl From<ScenarioGrid> for Vec<Scenario> {
    fn from(grid: ScenarioGrid) -> Self {
        grid.0.to_vec()
    }
}
