//! Margin by other code than the rules'. Amounts `_e12` are micro-USDC times parts per million.

use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::pricing::scenario::SCENARIOS;

use super::observation::Holding;

/// One, in parts per million.
pub const ONE_PPM: i128 = 1_000_000;

/// `⌈a/b⌉` for b > 0.
pub fn ceil(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}

/// Equity and what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Micro-USDC.
    pub equity: i128,
    /// Initial margin.
    pub initial_e12: i128,
    /// Maintenance margin.
    pub maintenance_e12: i128,
    /// Requirement of a portfolio, whatever the method.
    pub requirement: i128,
    /// By how much that exceeds the loss of the best scenario, or of one without any.
    pub spread: i128,
}

impl Standing {
    /// Of a holding whose options are all in the table.
    pub fn of(holding: &Holding, market: &Market, method: MarginMethod) -> Option<Self> {
        let rows = holding.contracts.iter().map(|(index, &q)| Some((market.rows().get(index)?, q)));
        let rows: Vec<_> = rows.collect::<Option<_>>()?;
        let value: i128 = rows.iter().map(|(row, q)| q * i128::from(row.mark)).sum();
        let short = |charge: fn(&zkmargin_protocol::market::risk_row::RiskRow) -> i128| -> i128 {
            rows.iter().filter(|(_, q)| *q < 0).map(|(row, q)| -q * charge(row)).sum()
        };
        let scenario =
            |s: usize| -> i128 { rows.iter().map(|(row, q)| q * i128::from(row.losses[s])).sum() };
        let floor = short(|row| row.short_minimum.into());
        let worst = (0..SCENARIOS).map(scenario).max().unwrap_or(0);
        let requirement = worst.max(floor);
        let spread = requirement - (0..SCENARIOS).map(scenario).min().unwrap_or(0).min(0);
        let parameters = market.parameters();
        let (initial_e12, maintenance_e12) = match method {
            MarginMethod::Portfolio => (
                requirement * i128::from(parameters.initial_factor_ppm),
                requirement * i128::from(parameters.maintenance_factor_ppm),
            ),
            MarginMethod::Standard => (
                (value + short(|row| row.isolated_initial.into())) * ONE_PPM,
                (value + short(|row| row.isolated_maintenance.into())) * ONE_PPM,
            ),
        };
        let equity = holding.cash + value;
        Some(Self { equity, initial_e12, maintenance_e12, requirement, spread })
    }

    /// Equity above initial margin.
    pub fn excess_e12(&self) -> i128 {
        self.equity * ONE_PPM - self.initial_e12
    }

    /// What equity is short of buffered margin, micro-USDC times 10^12.
    pub fn shortfall_e18(&self, parameters: &AuctionParameters) -> i128 {
        let buffered = ONE_PPM + i128::from(parameters.buffer_ppm);
        self.maintenance_e12 * buffered - self.equity * ONE_PPM * ONE_PPM
    }
}

/// Value of a holding at the marks; an option without a row counts nothing.
pub fn value_at_marks(holding: &Holding, market: &Market) -> i128 {
    let marks = holding
        .contracts
        .iter()
        .filter_map(|(index, q)| Some(q * i128::from(market.rows().get(index)?.mark)));
    holding.cash + marks.sum::<i128>()
}
