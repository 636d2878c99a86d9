//! The rules of zkmargin: types, units, encoding, hashing, trees, pricing, margin and transitions.
//!
//! Invariant: nothing in this crate does IO, reads a clock, starts a service or uses floating
//! point.
#![forbid(unsafe_code)]

pub mod account;
pub mod batch;
pub mod crypto;
pub mod ledger;
pub mod market;
pub mod operation;
pub mod pricing;
pub mod value;

pub use value::{Reject, Rule};
