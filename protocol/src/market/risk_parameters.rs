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
    /// Least requirement of a contract short, as a share of the forward.
    pub short_minimum_ppm: u32,
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
    /// Derive's published portfolio margin 2 and standard margin (scripts/config-mainnet.sol and
    /// docs.derive.xyz/docs/pm2); the short minimum is the sum of the shares PM2 charges on naked
    /// shorts for maintenance (0.3 %) and on top for initial margin (0.2 %).
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
            short_minimum_ppm: 5_000,
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
        words.push(Fr::from(self.short_minimum_ppm));
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

/// is-skew (1), then forward (32) ‖ volatility move (2) ‖ damping (32) or is-absolute (1) ‖
/// is-rising (1).
fn scenario_word(scenario: &Scenario) -> Fr {
    match *scenario {
        Scenario::Move { forward_ppm, volatility, damping_ppm } => {
            let code = match volatility {
                VolatilityMove::Down => 0u8,
                VolatilityMove::Flat => 1,
                VolatilityMove::Up => 2,
            };
            pack(&[part(0u8, 1), part(forward_ppm, 32), part(code, 2), part(damping_ppm, 32)])
        }
        Scenario::Skew { shape, is_rising } => {
            let is_absolute = shape == SkewShape::Absolute;
            pack(&[part(1u8, 1), part(u8::from(is_absolute), 1), part(u8::from(is_rising), 1)])
        }
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
