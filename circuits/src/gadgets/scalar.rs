//! Integers modulo the order l of the prime subgroup, as sign and magnitude.
//!
//! A scalar in `0..=l` is `z` or `l − z` with z of 250 bits, because `l/2 < 2^250 < l`. Both bounds
//! of the scalar come from the width of z, so no comparison with l is needed. Scalars in the middle
//! have both forms; they are the same integer, and nothing but the multiplication sees which was
//! taken.

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use zkmargin_protocol::crypto::babyjubjub::SUBGROUP_ORDER;

use super::boolean::Bool;
use crate::cs::{Cs, Lc};

/// Width of the magnitude.
pub const MAGNITUDE_BITS: usize = 250;

/// The order of the prime subgroup as a field element.
pub fn subgroup_order() -> Fr {
    Fr::from_bigint(SUBGROUP_ORDER).expect("l is below the modulus")
}

/// Sign and magnitude outside of the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Magnitude {
    /// Whether the scalar is `l − z`.
    pub is_negative: bool,
    /// The magnitude z; its bits from 250 on are ignored.
    pub z: BigInt<4>,
}

impl Magnitude {
    /// The form of `scalar`: positive if the magnitude fits, which is wrong, and shown to be, above
    /// l.
    pub fn of(scalar: BigInt<4>) -> Self {
        if scalar.num_bits() as usize > MAGNITUDE_BITS && scalar <= SUBGROUP_ORDER {
            let mut z = SUBGROUP_ORDER;
            z.sub_with_borrow(&scalar);
            return Self { is_negative: true, z };
        }
        Self { is_negative: false, z: scalar }
    }

    /// Bit `k` of the magnitude.
    pub fn bit(&self, k: usize) -> bool {
        self.z.get_bit(k)
    }
}

/// Enforces `scalar = z` if positive and `l − z` if negative, as field elements. One constraint.
pub fn enforce_scalar(
    cs: &mut Cs<Fr>,
    what: &'static str,
    scalar: &Lc<Fr>,
    z: &Lc<Fr>,
    is_negative: &Bool<Fr>,
) {
    let change = cs.constant(subgroup_order()).plus_scaled(z, -Fr::from(2u64));
    cs.enforce(what, is_negative.lc(), &change, &scalar.minus(z));
}

/// `is_negative ? −x : x`. One constraint.
pub fn negate_if(cs: &mut Cs<Fr>, is_negative: &Bool<Fr>, x: &Lc<Fr>) -> Lc<Fr> {
    let twice = x.scaled(Fr::from(2u64));
    x.minus(&cs.product("sign", is_negative.lc(), &twice))
}
