//! The scenario grid: which moves of forward and volatility the risk table prices.
//! Spec: `docs/spec/pricing/prices.md#Scenarios`.

use serde::{Deserialize, Serialize};

use crate::value::units::PPM;
use crate::{Reject, Rule};

/// Scenarios of the grid: 17 regular moves, 7 tails, 2 skew moves, 3 of tenors, 6 of ranks.
pub const SCENARIOS: usize = 35;

/// Bits of the rank of an expiry that scenarios may look at.
pub const RANK_BITS: u8 = 3;

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
    /// Forwards move together but for the last hours of each; volatilities move by tenor.
    Term {
        /// Whether forwards rise; they fall otherwise.
        is_rising: bool,
    },
    /// Forwards stay; volatilities move by tenor.
    Twist,
    /// Expiries whose rank has the bit move against those whose rank does not.
    Rank {
        /// Bit of the rank, below [`RANK_BITS`].
        bit: u8,
        /// Whether the forwards of ranks without the bit rise; they fall otherwise.
        is_rising: bool,
    },
}

/// Largest factor of a forward, parts per million: ten times.
pub const FORWARD_PPM_MAX: u32 = 10 * PPM;

/// The [`SCENARIOS`] scenarios in the order of the losses of a risk row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Scenario>", into = "Vec<Scenario>")]
pub struct ScenarioGrid([Scenario; SCENARIOS]);

/// Damped moves of PM2 far beyond the regular range: factor of the forward and damping.
const TAILS: [(u32, u32); 8] = [
    (340_000, 210_000),
    (670_000, 420_000),
    (1_500_000, 277_200),
    (2_000_000, 138_600),
    (3_000_000, 69_300),
    (4_000_000, 46_200),
    (5_000_000, 34_650),
    (6_000_000, 27_720),
];

/// Factors of the forward within PM2's regular range that come with several moves of volatility.
const REGULAR: [u32; 7] = [1_135_000, 1_090_000, 1_045_000, PPM, 955_000, 910_000, 865_000];

const fn damped(forward_ppm: u32, volatility: VolatilityMove, damping_ppm: u32) -> Scenario {
    Scenario::Move { forward_ppm, volatility, damping_ppm }
}

const UNMOVED: Scenario = damped(PPM, VolatilityMove::Flat, PPM);

impl ScenarioGrid {
    /// A grid that contains the unmoved market, so that no book's worst loss is negative.
    ///
    /// # Errors
    /// [`Rule::Range`] for another number of scenarios, a factor or bit out of range, or no unmoved
    /// scenario.
    pub fn new(scenarios: Vec<Scenario>) -> Result<Self, Reject> {
        let grid: [Scenario; SCENARIOS] = scenarios.try_into().map_err(|list: Vec<_>| {
            Reject::new(Rule::Range, "number of scenarios", list.len()).only(SCENARIOS)
        })?;
        for scenario in &grid {
            scenario.check()?;
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

    /// 17 regular moves (±18 % with volatility up; ±13.5, ±9, ±4.5 and 0 % with volatility down;
    /// ±9, ±4.5 and 0 % with volatility up; ±13.5 and 0 % with volatility flat), 7 damped tails
    /// with volatility up, the linear skew in both directions, both term moves, the twist, and the
    /// moves of ranks in both directions by each of three bits. `docs/risk-fit.md` says which fit.
    pub fn reference() -> Self {
        use VolatilityMove::{Down, Flat, Up};
        let mut scenarios = vec![damped(1_180_000, Up, PPM)];
        for forward_ppm in REGULAR {
            let moves: &[VolatilityMove] = match forward_ppm {
                PPM => &[Down, Flat, Up],
                865_000 | 1_135_000 => &[Down, Flat],
                _ => &[Down, Up],
            };
            scenarios.extend(moves.iter().map(|&at| damped(forward_ppm, at, PPM)));
        }
        scenarios.push(damped(820_000, Up, PPM));
        let tails = TAILS.into_iter().filter(|&(forward_ppm, _)| forward_ppm != 5_000_000);
        scenarios.extend(tails.map(|(forward_ppm, damping)| damped(forward_ppm, Up, damping)));
        let shape = SkewShape::Linear;
        scenarios.extend([true, false].map(|is_rising| Scenario::Skew { shape, is_rising }));
        scenarios.extend([true, false].map(|is_rising| Scenario::Term { is_rising }));
        scenarios.push(Scenario::Twist);
        let ranks = (0..RANK_BITS).flat_map(|bit| [(bit, true), (bit, false)]);
        scenarios.extend(ranks.map(|(bit, is_rising)| Scenario::Rank { bit, is_rising }));
        Self::filled(scenarios)
    }

    /// The yardstick's: all 23 regular moves, 8 tails and the linear skew in both directions of
    /// Derive PM2 (docs.derive.xyz, "Portfolio Margin 2"), then the unmoved market twice.
    pub fn pm2() -> Self {
        use VolatilityMove::{Down, Flat, Up};
        let mut scenarios = vec![damped(1_180_000, Up, PPM)];
        for forward_ppm in REGULAR {
            scenarios.extend([Down, Flat, Up].map(|at| damped(forward_ppm, at, PPM)));
        }
        scenarios.push(damped(820_000, Up, PPM));
        scenarios.extend(TAILS.map(|(forward_ppm, damping)| damped(forward_ppm, Up, damping)));
        let shape = SkewShape::Linear;
        scenarios.extend([true, false].map(|is_rising| Scenario::Skew { shape, is_rising }));
        Self::filled(scenarios)
    }

    /// These, then the unmoved market.
    fn filled(scenarios: Vec<Scenario>) -> Self {
        let mut grid = [UNMOVED; SCENARIOS];
        for (place, scenario) in grid.iter_mut().zip(scenarios) {
            *place = scenario;
        }
        Self(grid)
    }
}

impl Scenario {
    /// Forward and volatility stay: the loss is zero.
    pub fn is_unmoved(&self) -> bool {
        matches!(self, Self::Move { forward_ppm: PPM, volatility: VolatilityMove::Flat, .. })
    }

    fn check(&self) -> Result<(), Reject> {
        match *self {
            Self::Move { forward_ppm, damping_ppm, .. } => {
                if !(1..=FORWARD_PPM_MAX).contains(&forward_ppm) {
                    let reject = Reject::new(Rule::Range, "scenario's forward, ppm,", forward_ppm);
                    return Err(reject.within(1..=FORWARD_PPM_MAX));
                }
                if !(1..=PPM).contains(&damping_ppm) {
                    let reject = Reject::new(Rule::Range, "scenario's damping, ppm,", damping_ppm);
                    return Err(reject.within(1..=PPM));
                }
            }
            Self::Rank { bit, .. } if bit >= RANK_BITS => {
                let reject = Reject::new(Rule::Range, "scenario's bit of a rank", bit);
                return Err(reject.at_most(RANK_BITS - 1));
            }
            Self::Rank { .. } | Self::Skew { .. } | Self::Term { .. } | Self::Twist => {}
        }
        Ok(())
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
