//! What the oracle signs. Spec: `docs/spec/market/risk_table.md`.

pub mod auction_parameters;
pub mod fee_schedule;
pub mod oracle;
pub mod parameters;
pub mod risk_row;
