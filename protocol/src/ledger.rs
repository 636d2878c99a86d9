//! What operations do to accounts, and what is counted of all of them. Spec: `docs/spec/operations.md`.

mod account_change;
pub mod custody;
mod fees;
mod forced;
mod liquidation;
pub mod open_interest;
pub mod settlement;
pub mod state;
pub mod transition;
