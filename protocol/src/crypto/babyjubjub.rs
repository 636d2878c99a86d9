//! Baby Jubjub, the twisted Edwards curve `a·x² + y² = 1 + d·x²·y²` over the BN254 scalar field
//! with a = 168700 and d = 168696: circomlib's coordinates (EIP-2494). Its order is 8·l with l
//! prime.

use ark_bn254::Fr;
use ark_ec::{AdditiveGroup as _, twisted_edwards::TECurveConfig};
use ark_ff::{BigInt, BigInteger, Field, PrimeField};
use serde::{Deserialize, Serialize};
use taceo_ark_babyjubjub::{
    EdwardsAffine, EdwardsConfig, EdwardsProjective, GENERATOR_X, GENERATOR_Y,
};

use crate::value::decimal::Decimal;

/// Integers modulo the order of the prime subgroup.
pub type Scalar = taceo_ark_babyjubjub::Fr;

/// The order l of the prime subgroup,
/// 2736030358979909402780800718157159386076813972158567259200215660948447373041, 251 bits.
pub const SUBGROUP_ORDER: BigInt<4> = Scalar::MODULUS;

/// The base point of signatures, "Base8" of circomlib; it generates the prime subgroup.
pub const BASE8: Point = Point { x: GENERATOR_X, y: GENERATOR_Y };

/// A pair of coordinates. In JSON two decimal strings, `["x", "y"]`.
///
/// Nothing says that it lies on the curve: whoever takes one from outside asks
/// [`Point::is_on_curve`]. Sums and multiples of pairs off the curve mean nothing, but never panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "[Decimal<Fr>; 2]", into = "[Decimal<Fr>; 2]")]
pub struct Point {
    /// Coordinate x.
    pub x: Fr,
    /// Coordinate y.
    pub y: Fr,
}

impl Point {
    /// The neutral element, (0, 1).
    pub const IDENTITY: Self = Self { x: Fr::ZERO, y: Fr::ONE };

    /// Whether the equation of the curve holds.
    pub fn is_on_curve(&self) -> bool {
        let (x2, y2) = (self.x.square(), self.y.square());
        EdwardsConfig::COEFF_A * x2 + y2 == Fr::ONE + EdwardsConfig::COEFF_D * x2 * y2
    }

    /// Whether the point is on the curve and l times it is the identity. The identity is.
    pub fn is_in_prime_subgroup(&self) -> bool {
        self.is_on_curve()
            && mul_public([(self.projective(), SUBGROUP_ORDER)]) == EdwardsProjective::ZERO
    }

    /// The sum of two points of the curve.
    pub fn add(&self, other: &Self) -> Self {
        Self::from_projective(self.projective() + other.projective())
    }

    /// The point with x negated, the inverse of a point of the curve.
    pub fn neg(&self) -> Self {
        Self { x: -self.x, y: self.y }
    }

    /// `factor` times a point of the curve, an integer of 256 bits, not reduced. Takes the same
    /// steps for every factor, so that it may be secret.
    pub fn mul(&self, factor: BigInt<4>) -> Self {
        Self::from_projective(EdwardsConfig::mul_projective(&self.projective(), &factor.0))
    }

    pub(crate) fn projective(&self) -> EdwardsProjective {
        EdwardsAffine::new_unchecked(self.x, self.y).into()
    }

    fn from_projective(point: EdwardsProjective) -> Self {
        // The addition law is complete: z is zero only if the inputs were off the curve.
        let scale = point.z.inverse().unwrap_or(Fr::ZERO);
        Self { x: point.x * scale, y: point.y * scale }
    }
}

impl From<[Decimal<Fr>; 2]> for Point {
    fn from([x, y]: [Decimal<Fr>; 2]) -> Self {
        Self { x: x.0, y: y.0 }
    }
}

impl From<Point> for [Decimal<Fr>; 2] {
    fn from(point: Point) -> Self {
        [Decimal(point.x), Decimal(point.y)]
    }
}

/// `Σ factor·point` of public values, by doubling and adding all together. The steps depend on the
/// factors.
pub(crate) fn mul_public<const N: usize>(
    terms: [(EdwardsProjective, BigInt<4>); N],
) -> EdwardsProjective {
    let bits = terms.iter().map(|(_, factor)| factor.num_bits()).max().unwrap_or(0);
    let mut sum = EdwardsProjective::ZERO;
    for position in (0..bits as usize).rev() {
        sum.double_in_place();
        for (point, factor) in &terms {
            if factor.get_bit(position) {
                sum += point;
            }
        }
    }
    sum
}
