//! The R1CS twin of each rule in `zkmargin-protocol`, the tables and the argument that ties them together.
//!
//! Invariant: nothing here decides a rule; the witness comes from the native trace, the constraints judge it.
#![forbid(unsafe_code)]

pub mod catalogue;
pub mod cs;
pub mod gadgets;
