//! Points of the subgroup of prime order.

use ark_bn254::Fr;
use ark_ec::models::CurveConfig;
use ark_ff::PrimeField;
use taceo_ark_babyjubjub::EdwardsConfig;

use super::curve::PointVar;
use super::montgomery::MontgomeryVar;
use crate::cs::Cs;

impl PointVar {
    /// Enforces that the point is in the subgroup of prime order and not the identity.
    ///
    /// - Precondition: none.
    /// - Violation: a constraint fails, whatever the witness.
    /// - Cost: 17 constraints.
    /// - Proof: an eighth `Q` of the point is witnessed on the Montgomery form, shown to be on the
    ///   curve and doubled three times. A doubling of a point of order 2 has no solution (its
    ///   numerator `3x² + 2Ax + 1` is the derivative of the curve's right side, not zero at its
    ///   roots), so the identity never occurs. 8·Q is in the subgroup of order l since the group
    ///   has order 8·l. It has odd order above 1, so the coordinates of its Edwards form are
    ///   determined by [`MontgomeryVar::enforce_is`]. Conversely `Q = (1/8 mod l)·P` satisfies. Q
    ///   is unique up to the 8 points of small order, which nothing else sees.
    pub fn enforce_in_prime_subgroup(&self, cs: &mut Cs<Fr>) {
        let eighth = self.value().mul(EdwardsConfig::COFACTOR_INV.into_bigint());
        let mut point = MontgomeryVar::witness(cs, "eighth of a point", &eighth);
        point.enforce_on_curve(cs);
        for _ in 0..3 {
            point = point.double(cs);
        }
        point.enforce_is(cs, "in the prime subgroup", self);
    }
}
