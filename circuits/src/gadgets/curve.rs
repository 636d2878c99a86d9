//! Points of Baby Jubjub, `a·x² + y² = 1 + d·x²·y²` with a = 168700 and d = 168696, order 8·l.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkmargin_protocol::crypto::babyjubjub::Point;

use super::boolean::Bool;
use crate::cs::{Cs, Lc};

/// Coefficient of x².
const A: u64 = 168_700;
/// Coefficient of x²·y².
const D: u64 = 168_696;

/// A pair of coordinates. Whether it is on the curve is the business of whoever made it.
#[derive(Clone, Debug)]
pub struct PointVar {
    /// Coordinate x.
    pub x: Lc<Fr>,
    /// Coordinate y.
    pub y: Lc<Fr>,
}

/// `a / b` for a witness, 0 where b is: the constraint that states the quotient then fails or says
/// why it holds.
pub(super) fn hint_quotient(a: Fr, b: Fr) -> Fr {
    b.inverse().map_or(Fr::ZERO, |inverse| a * inverse)
}

impl PointVar {
    /// A pair from outside; nothing is checked.
    pub fn external(cs: &mut Cs<Fr>, name: &'static str, point: &Point) -> Self {
        Self { x: cs.external(name, point.x), y: cs.external(name, point.y) }
    }

    /// A constant point.
    pub fn constant(cs: &Cs<Fr>, point: &Point) -> Self {
        Self { x: cs.constant(point.x), y: cs.constant(point.y) }
    }

    /// The coordinates under the current assignment.
    pub fn value(&self) -> Point {
        Point { x: self.x.value(), y: self.y.value() }
    }

    /// The point with x negated, the inverse of a point of the curve. No constraint.
    pub fn negated(&self) -> Self {
        Self { x: self.x.negated(), y: self.y.clone() }
    }

    /// `flag ? a : b`. 2 constraints.
    pub fn select(cs: &mut Cs<Fr>, flag: &Bool<Fr>, a: &Self, b: &Self) -> Self {
        Self { x: flag.select(cs, &a.x, &b.x), y: flag.select(cs, &a.y, &b.y) }
    }

    /// Enforces the equation of the curve. 3 constraints: `x²`, `y²`, `d·x²·y² = a·x² + y² − 1`.
    pub fn enforce_on_curve(&self, cs: &mut Cs<Fr>) {
        let x2 = cs.product("x^2", &self.x, &self.x);
        let y2 = cs.product("y^2", &self.y, &self.y);
        let right = x2.scaled(Fr::from(A)).plus(&y2).minus(&cs.one());
        cs.enforce("on the curve", &x2.scaled(Fr::from(D)), &y2, &right);
    }

    /// The sum.
    ///
    /// - Precondition: both points are on the curve; they may be equal, inverse, of small order or
    ///   the identity.
    /// - Cost: 6 constraints.
    /// - Proof: a is a square and d is not, so the addition law is complete: `1 ± d·x1·x2·y1·y2` is
    ///   never zero and the two quotients are determined. With `β = x1·y2`, `γ = y1·x2` and `δ =
    ///   (y1 − a·x1)(x2 + y2) = y1·y2 − a·x1·x2 + γ − a·β`, the sum is `x3 = (β + γ)/(1 + d·β·γ)`,
    ///   `y3 = (δ + a·β − γ)/(1 − d·β·γ)`, and is on the curve.
    pub fn add(&self, cs: &mut Cs<Fr>, other: &Self) -> Self {
        let (a, d) = (Fr::from(A), Fr::from(D));
        let beta = cs.product("point sum", &self.x, &other.y);
        let gamma = cs.product("point sum", &self.y, &other.x);
        let left = self.y.plus_scaled(&self.x, -a);
        let delta = cs.product("point sum", &left, &other.x.plus(&other.y));
        let tau = cs.product("point sum", &beta, &gamma);

        let numerator = beta.plus(&gamma);
        let denominator = cs.one().plus_scaled(&tau, d);
        let x = cs.witness("point", hint_quotient(numerator.value(), denominator.value()));
        cs.enforce("point sum x", &x, &denominator, &numerator);

        let numerator = delta.plus_scaled(&beta, a).minus(&gamma);
        let denominator = cs.one().plus_scaled(&tau, -d);
        let y = cs.witness("point", hint_quotient(numerator.value(), denominator.value()));
        cs.enforce("point sum y", &y, &denominator, &numerator);
        Self { x, y }
    }
}
