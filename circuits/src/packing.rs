//! Twin of `protocol::packing`.

use ark_bn254::Fr;
use ark_ff::Field;

use crate::{Wire, sum};

/// `2^exponent`.
pub fn power_of_two(exponent: u32) -> Fr {
    Fr::from(2u64).pow([u64::from(exponent)])
}

/// `Σ part_k · 2^(bits before k)`. The caller proves each part below `2^bits`; then the packing is injective.
pub fn pack(parts: &[(&Wire, u32)]) -> Wire {
    let mut shift = 0;
    let mut scaled = Vec::with_capacity(parts.len());
    for (part, bits) in parts {
        scaled.push(part.scaled(power_of_two(shift)));
        shift += bits;
    }
    sum(&scaled)
}
