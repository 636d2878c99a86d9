//! What operations do to accounts, and what is counted of all of them. Spec:
//! `docs/spec/ledger/transition.md`.

pub mod forced;
pub mod liquidation;
pub mod open_interest;
pub mod two_sided;
