//! The R1CS twin of each rule in `zkmargin-protocol`, the tables and the argument that ties them
//! together.
//!
//! Invariant: nothing here decides a rule; the witness comes from the native trace, the constraints
//! judge it.
#![forbid(unsafe_code)]

use ark_bn254::Fr;
use ark_ff::Field;

pub mod account;
pub mod batch;
pub mod catalogue;
pub mod crypto;
pub mod cs;
pub mod gadgets;
pub mod ledger;
pub mod market;
pub mod operation;
pub mod value;

/// The constraint system of the batch circuit.
pub type Cs = cs::Cs<Fr>;

/// A linear combination over the field of the batch circuit.
pub type Wire = cs::Lc<Fr>;

/// The sum of many combinations.
pub fn sum<'a>(parts: impl IntoIterator<Item = &'a Wire>) -> Wire {
    Wire::sum(parts.into_iter().map(|part| (part, Fr::ONE)))
}

/// `lc + constant`.
pub fn shifted(cs: &Cs, lc: &Wire, constant: Fr) -> Wire {
    lc.plus(&cs.constant(constant))
}
