//! The rules of zkmargin: types, units, encoding, hashing, trees, pricing, margin and transitions.
//!
//! Invariant: nothing in this crate does IO, reads a clock, starts a service or uses floating point.
#![forbid(unsafe_code)]

pub mod babyjubjub;
pub mod black76;
pub mod decimal;
pub mod domain;
pub mod eddsa;
pub mod fixed;
pub mod instrument;
pub mod poseidon;
mod reject;
mod rule;
pub mod tree;
pub mod units;

pub use reject::Reject;
pub use rule::Rule;
