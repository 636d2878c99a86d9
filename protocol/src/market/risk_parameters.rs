//! The numbers a risk table is built with: data, never constants of the rules.
//! Spec: `docs/spec/market/risk_table.md#Parameters`. All shares are parts per million.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::crypto::domain::Tag;
use crate::crypto::poseidon::sponge_hash;
use crate::market::parameters::BatchParameters;
use crate::market::settlement_price::SettlementParameters;
use crate::pricing::arbitrage::ArbitrageParameters;
use crate::pricing::black76::Volatility;
use crate::pricing::scenario::{Scenario, ScenarioGrid, SkewShape, VolatilityMove};
use crate::pricing::shock::{SkewShock, VolatilityShock};
use crate::pricing::tenor::{RankShock, TenorShock, TimeValueShock};
use crate::value::packing::{pack, part, signed_part};

/// Margin of one contract short on its own (Deribit, Aevo and Derive standard margin).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolatedParameters {
    /// Initial: share of the forward, less the amount out of the money.
    pub initial_ppm: u32,
    /// Initial: least share of the forward.
    pub initial_minimum_ppm: u32,
    /// Initial of a put: at least this multiple of its maintenance.
    pub put_initial_ppm: u32,
    /// Maintenance of a call: share of the forward.
    pub call_maintenance_ppm: u32,
    /// Maintenance of a put: share of the forward.
    pub put_maintenance_ppm: u32,
    /// Maintenance of a put: or share of the mark, if that is more.
    pub put_mark_ppm: u32,
}

/// Everything a risk table depends on beside market data and registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskParameters {
    /// The scenarios.
    pub grid: ScenarioGrid,
    /// Volatility moves.
    pub volatility: VolatilityShock,
    /// The linear skew move.
    pub linear_skew: SkewShock,
    /// The absolute skew move.
    pub absolute_skew: SkewShock,
    /// Add-ons of volatility moves.
    pub time_value: TimeValueShock,
    /// Moves by tenor.
    pub tenor: TenorShock,
    /// Moves by rank of expiry.
    pub rank: RankShock,
    /// Charged for a contract short on top of scan risk, as a share of the forward.
    pub short_charge_ppm: u32,
    /// Margin of contracts short on their own.
    pub isolated: IsolatedParameters,
    /// How a settlement price comes about.
    pub settlement: SettlementParameters,
    /// How much arbitrage a surface may leave.
    pub arbitrage: ArbitrageParameters,
    /// Share by which a forward may differ from that of the epoch before.
    pub band_ppm: u32,
}

impl RiskParameters {
    /// The fit of `docs/risk-fit.md` over the volatility and skew numbers of Derive's published
    /// portfolio margin 2, and its standard margin (scripts/config-mainnet.sol and
    /// docs.derive.xyz/docs/pm2).
    pub fn reference() -> Self {
        let skew = SkewShock {
            cap_static_ppm: 250_000,
            cap_slope_ppm: -100_000,
            width_minimum_ppm: 10_000,
            width_scale_ppm: 4_000_000,
            width_static_ppm: 600_000,
            width_slope_ppm: 0,
        };
        Self {
            grid: ScenarioGrid::reference(),
            volatility: VolatilityShock {
                up_ppm: 500_000,
                down_ppm: 300_000,
                up_minimum: Volatility(400_000),
                reference_s: 30 * 86_400,
                shortest_s: 86_400,
                short_power_ppm: 300_000,
                long_power_ppm: 130_000,
            },
            linear_skew: skew.clone(),
            absolute_skew: skew,
            time_value: TimeValueShock::reference(),
            tenor: TenorShock::reference(),
            rank: RankShock::reference(),
            short_charge_ppm: 2_000,
            isolated: IsolatedParameters {
                initial_ppm: 150_000,
                initial_minimum_ppm: 130_000,
                put_initial_ppm: 1_050_000,
                call_maintenance_ppm: 90_000,
                put_maintenance_ppm: 90_000,
                put_mark_ppm: 90_000,
            },
            settlement: SettlementParameters::reference(),
            arbitrage: ArbitrageParameters::reference(),
            band_ppm: 100_000,
        }
    }

    /// The linear part of PM2, a yardstick: [`ScenarioGrid::pm2`] without add-ons; the short charge
    /// is the sum of the shares PM2 charges on naked shorts for maintenance (0.3 %) and on top for
    /// initial margin (0.2 %).
    pub fn pm2() -> Self {
        Self {
            grid: ScenarioGrid::pm2(),
            time_value: TimeValueShock::none(),
            short_charge_ppm: 5_000,
            ..Self::reference()
        }
    }

    /// What the circuit reads, of the reference but for the age of tables, with the hash of these.
    pub fn batch_parameters(&self, oracle_max_age_s: u32, oracle_skew_s: u32) -> BatchParameters {
        let rest = self.hash();
        BatchParameters { oracle_max_age_s, oracle_skew_s, rest, ..BatchParameters::reference() }
    }

    /// Sponge over all numbers in the order of their declaration, one element a scenario or block.
    pub fn hash(&self) -> Fr {
        let (shock, isolated) = (&self.volatility, &self.isolated);
        let (settlement, arbitrage) = (&self.settlement, &self.arbitrage);
        let mut words: Vec<Fr> = self.grid.scenarios().iter().map(scenario_word).collect();
        words.push(unsigned_word(&[
            shock.up_ppm,
            shock.down_ppm,
            shock.up_minimum.0,
            shock.reference_s,
            shock.shortest_s,
            shock.short_power_ppm,
            shock.long_power_ppm,
        ]));
        words.extend([&self.linear_skew, &self.absolute_skew].map(SkewShock::word));
        words.push(self.time_value.word());
        words.extend(self.tenor.words());
        words.push(self.rank.word());
        words.push(Fr::from(self.short_charge_ppm));
        words.push(unsigned_word(&[
            isolated.initial_ppm,
            isolated.initial_minimum_ppm,
            isolated.put_initial_ppm,
            isolated.call_maintenance_ppm,
            isolated.put_maintenance_ppm,
            isolated.put_mark_ppm,
        ]));
        words.push(unsigned_word(&[
            settlement.window_s,
            settlement.spacing_s,
            settlement.samples_min,
            settlement.gap_max_s,
            arbitrage.butterfly_ppm,
            arbitrage.calendar_ppm,
            self.band_ppm,
        ]));
        sponge_hash(Tag::RiskParameters.field(), &words)
    }
}

fn unsigned_word(numbers: &[u32]) -> Fr {
    pack(&numbers.iter().map(|&number| part(number, 32)).collect::<Vec<_>>())
}

/// Kind (3), then what it has: forward (32) ‖ volatility move (2) ‖ damping (32) of a move;
/// is-absolute (1) ‖ is-rising (1) of a skew; is-rising of a term move; bit (8) ‖ is-rising of a
/// move of ranks.
fn scenario_word(scenario: &Scenario) -> Fr {
    match *scenario {
        Scenario::Move { forward_ppm, volatility, damping_ppm } => {
            let code = match volatility {
                VolatilityMove::Down => 0u8,
                VolatilityMove::Flat => 1,
                VolatilityMove::Up => 2,
            };
            pack(&[part(0u8, 3), part(forward_ppm, 32), part(code, 2), part(damping_ppm, 32)])
        }
        Scenario::Skew { shape, is_rising } => {
            let is_absolute = shape == SkewShape::Absolute;
            pack(&[part(1u8, 3), part(u8::from(is_absolute), 1), part(u8::from(is_rising), 1)])
        }
        Scenario::Term { is_rising } => pack(&[part(2u8, 3), part(u8::from(is_rising), 1)]),
        Scenario::Twist => pack(&[part(3u8, 3)]),
        Scenario::Rank { bit, is_rising } => {
            pack(&[part(4u8, 3), part(bit, 8), part(u8::from(is_rising), 1)])
        }
    }
}

fn signed_word(numbers: &[i32]) -> Fr {
    pack(&numbers.iter().map(|&number| signed_part(number.into(), 32)).collect::<Vec<_>>())
}

impl TimeValueShock {
    fn word(&self) -> Fr {
        signed_word(&[
            self.up_forward_ppm.ppm(),
            self.up_share_ppm.ppm(),
            self.down_share_ppm.ppm(),
            self.bound_ppm.ppm(),
        ])
    }
}

impl TenorShock {
    /// Forwards, seconds and least factor, then a word a knot.
    fn words(&self) -> Vec<Fr> {
        let shares = [self.forward_ppm.ppm(), self.forward_last_ppm.ppm(), self.least_ppm.ppm()];
        let parts = shares.map(|share| signed_part(share.into(), 32));
        let seconds = [self.fade_s, self.lift_s].map(|seconds| part(seconds.get(), 32));
        let mut words = vec![pack(&parts.into_iter().chain(seconds).collect::<Vec<_>>())];
        words.extend(self.term.knots().iter().chain(self.twist.knots()).map(|knot| {
            let shares = [knot.volatility_ppm.ppm(), knot.add_on_ppm.ppm()];
            let [volatility, add_on] = shares.map(|share| signed_part(share.into(), 32));
            pack(&[part(knot.tenor_s, 32), volatility, add_on])
        }));
        words
    }
}

impl RankShock {
    fn word(&self) -> Fr {
        signed_word(&[
            self.forward_ppm.ppm(),
            self.static_ppm.ppm(),
            self.slope_ppm.ppm(),
            self.wing_ppm.ppm(),
            self.wing_width_ppm.ppm(),
        ])
    }
}

impl SkewShock {
    fn word(&self) -> Fr {
        let signed = |number: i32| signed_part(i64::from(number), 32);
        pack(&[
            signed(self.cap_static_ppm),
            signed(self.cap_slope_ppm),
            part(self.width_minimum_ppm, 32),
            signed(self.width_scale_ppm),
            signed(self.width_static_ppm),
            signed(self.width_slope_ppm),
        ])
    }
}
