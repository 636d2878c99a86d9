//! What operations do to accounts, and what is counted of all of them. Spec:
//! `docs/spec/ledger/transition.md`.

mod account_change;
pub(crate) mod draft;
mod fees;
mod forced;
pub(crate) mod liberties;
mod liquidation;
pub mod open_interest;
pub mod state;
pub mod transition;
