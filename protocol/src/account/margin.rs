//! Margin of an account against the risk table. Spec: `docs/spec/account/margin.md`.
//!
//! All amounts are exact integers in micro-USDC: quantity (1/1000) times price (1/1000).

use serde::{Deserialize, Serialize};

use crate::account::positions::Slot;
use crate::market::parameters::BatchParameters;
use crate::market::risk_row::RiskRows;
use crate::pricing::scenario::SCENARIOS;
use crate::value::units::{Cash, PPM};
use crate::{Reject, Rule};

/// Width in bits of the spread between the requirement and any one scenario's loss.
pub const SPREAD_BITS: u32 = 52;

/// How an account's requirement is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarginMethod {
    /// The worst of all scenarios over the whole book.
    Portfolio,
    /// The sum of isolated short margins, which cash alone must cover: long options lend nothing.
    Standard,
}

impl MarginMethod {
    /// Whether this is [`MarginMethod::Standard`].
    pub fn is_standard(self) -> bool {
        self == Self::Standard
    }
}

/// An account's margin. Amounts in micro-USDC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Margin {
    /// `Σ q · mark`, negative for a net short book.
    pub mark_value: i128,
    /// cash + mark value.
    pub equity: i128,
    /// `Σ q · loss` by scenario.
    pub losses: Vec<i128>,
    /// `Σ max(0, −q) · short minimum`.
    pub short_floor: i128,
    /// `Σ max(0, −q) · isolated initial`.
    pub isolated_initial: i128,
    /// `Σ max(0, −q) · isolated maintenance`.
    pub isolated_maintenance: i128,
    /// The larger of scan risk (worst scenario, not below zero) and short floor.
    pub requirement: i128,
    /// Initial margin by the account's method, rounded up.
    pub initial: i128,
    /// Maintenance margin by the account's method, rounded up.
    pub maintenance: i128,
    /// Equity above initial margin, exact, in 10^-12 USDC; negative for an account short of it.
    pub initial_excess_e12: i128,
    /// The same above maintenance margin.
    pub maintenance_excess_e12: i128,
}

/// An amount in 10^-12 USDC, in micro-USDC, rounded up: against the account whose requirement it
/// is.
fn usdc_ceil(amount_e12: i128) -> i128 {
    let ppm = i128::from(PPM);
    (amount_e12 + ppm - 1).div_euclid(ppm)
}

/// Margin of an account holding `cash` and `positions`.
///
/// # Errors
/// [`Rule::InstrumentLive`] for a position that is not in the table; [`Rule::MarginSpread`] if the
/// requirement exceeds a scenario's loss, the short floor or zero by 2^52 or more.
pub fn evaluate(
    cash: Cash,
    positions: impl Iterator<Item = Slot>,
    rows: &RiskRows,
    parameters: &BatchParameters,
    method: MarginMethod,
) -> Result<Margin, Reject> {
    let mut mark_value = 0;
    let mut losses = vec![0; SCENARIOS];
    let [mut short_floor, mut isolated_initial, mut isolated_maintenance] = [0; 3];
    for (instrument, quantity) in positions {
        let row = rows.get(&instrument).ok_or_else(|| {
            let reject = Reject::new(Rule::InstrumentLive, "instrument held", instrument);
            reject.only("one in the risk table")
        })?;
        let held = i128::from(quantity);
        mark_value += held * i128::from(row.mark);
        for (sum, loss) in losses.iter_mut().zip(&row.losses) {
            *sum += held * i128::from(*loss);
        }
        let short = (-held).max(0);
        short_floor += short * i128::from(row.short_minimum);
        isolated_initial += short * i128::from(row.isolated_initial);
        isolated_maintenance += short * i128::from(row.isolated_maintenance);
    }
    let requirement = losses.iter().copied().fold(short_floor, i128::max);
    check_spread(requirement, short_floor, &losses)?;
    let ppm = i128::from(PPM);
    let [initial_e12, maintenance_e12] = match method {
        MarginMethod::Portfolio => {
            [parameters.initial_factor_ppm, parameters.maintenance_factor_ppm]
                .map(|factor| requirement * i128::from(factor))
        }
        // Equity holds the mark value of long options; were it counted, a book without cash could
        // buy options on credit. Adding the mark value leaves `cash ≥ Σ max(0, −q) · isolated`.
        MarginMethod::Standard => {
            [isolated_initial, isolated_maintenance].map(|charge| (mark_value + charge) * ppm)
        }
    };
    let equity = i128::from(cash) + mark_value;
    Ok(Margin {
        mark_value,
        equity,
        losses,
        short_floor,
        isolated_initial,
        isolated_maintenance,
        requirement,
        initial: usdc_ceil(initial_e12),
        maintenance: usdc_ceil(maintenance_e12),
        initial_excess_e12: equity * ppm - initial_e12,
        maintenance_excess_e12: equity * ppm - maintenance_e12,
    })
}

/// The requirement exceeds each candidate for the maximum by less than `2^SPREAD_BITS`.
fn check_spread(requirement: i128, short_floor: i128, losses: &[i128]) -> Result<(), Reject> {
    let lowest = losses.iter().copied().fold(short_floor.min(0), i128::min);
    if requirement - lowest >= 1 << SPREAD_BITS {
        let reject = Reject::new(Rule::MarginSpread, "scenario spread", requirement - lowest);
        return Err(reject.at_most((1i128 << SPREAD_BITS) - 1));
    }
    Ok(())
}

impl Margin {
    /// By how many candidates for the maximum, zero among them, the requirement exceeds half of
    /// what there is room for: by `2^(SPREAD_BITS − 1)` or more.
    pub fn wide_spreads(&self) -> u32 {
        let candidates = self.losses.iter().chain([&self.short_floor, &0]);
        let is_wide = |candidate: &&i128| self.requirement - **candidate >= 1 << (SPREAD_BITS - 1);
        candidates.filter(is_wide).count() as u32
    }

    /// Equity covers the initial margin.
    ///
    /// # Errors
    /// [`Rule::InitialMargin`].
    pub fn check_initial(&self) -> Result<(), Reject> {
        if self.initial_excess_e12 < 0 {
            let reject = Reject::new(Rule::InitialMargin, "equity", self.equity);
            return Err(reject.at_least(self.initial));
        }
        Ok(())
    }
}
