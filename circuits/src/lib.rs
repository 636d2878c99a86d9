//! The R1CS twin of each rule in `zkmargin-protocol`, the tables and the argument that ties them together.
//!
//! Invariant: nothing here decides a rule; the witness comes from the native trace, the constraints judge it.
#![forbid(unsafe_code)]

use ark_bn254::Fr;
use ark_ff::Field;

pub mod account;
pub mod action;
pub mod argument;
pub mod auction;
pub mod auction_parameters;
pub mod batch;
pub mod bid;
pub mod catalogue;
pub mod cipher;
pub mod cs;
pub mod custody;
pub mod deposit;
pub mod fee_schedule;
pub mod forced;
pub mod gadgets;
pub mod liquidation;
pub mod margin;
pub mod nonce;
pub mod open_interest;
pub mod oracle;
pub mod order;
pub mod packing;
pub mod parameters;
pub mod positions;
pub mod price_band;
pub mod reduction;
pub mod request;
pub mod risk_row;
pub mod settlement;
pub mod standing;
pub mod statement;
pub mod trade;
pub mod tree;
pub mod witness;

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
