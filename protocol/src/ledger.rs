//! What operations do to accounts, and what is counted of all of them. Spec:
//! `docs/spec/operations.md`.

mod account_change;
mod fees;
mod forced;
mod liquidation;
pub mod open_interest;
pub mod state;
pub mod transition;
