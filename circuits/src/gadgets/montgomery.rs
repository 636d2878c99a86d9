//! The Montgomery form of Baby Jubjub, `y² = x³ + A·x² + x` with A = 168698, and its incomplete
//! addition.
//!
//! The map `x = (1 + y')/(1 − y')`, `y = x/x'` from Edwards coordinates (x', y') is defined except
//! at the identity and the point of order 2. Affine addition has no solution, or too many, when two
//! abscissas meet; whoever adds proves that they don't, by the multiples of one point that both
//! are.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkmargin_protocol::crypto::babyjubjub::Point;

use super::curve::{PointVar, hint_quotient};
use crate::cs::{Cs, Lc};

/// Coefficient of x².
const A: u64 = 168_698;

/// The Montgomery coordinates of an Edwards point other than the identity and the point of order 2.
pub fn coordinates(point: &Point) -> (Fr, Fr) {
    let x = hint_quotient(Fr::ONE + point.y, Fr::ONE - point.y);
    (x, hint_quotient(x, point.x))
}

/// A point in Montgomery coordinates, never the identity.
#[derive(Clone, Debug)]
pub struct MontgomeryVar {
    /// Abscissa.
    pub x: Lc<Fr>,
    /// Ordinate.
    pub y: Lc<Fr>,
}

impl MontgomeryVar {
    /// A new point with the coordinates of `point`; nothing is checked.
    pub fn witness(cs: &mut Cs<Fr>, name: &'static str, point: &Point) -> Self {
        let (x, y) = coordinates(point);
        Self { x: cs.witness(name, x), y: cs.witness(name, y) }
    }

    /// The Montgomery form of a point. 2 constraints.
    ///
    /// - Precondition: the point is on the curve and of order above 2, so that `1 − y ≠ 0 ≠ x`.
    pub fn from_edwards(cs: &mut Cs<Fr>, point: &PointVar) -> Self {
        let (x, y) = coordinates(&point.value());
        let one = cs.one();
        let x = cs.witness("montgomery x", x);
        cs.enforce("montgomery x", &x, &one.minus(&point.y), &one.plus(&point.y));
        let y = cs.witness("montgomery y", y);
        cs.enforce("montgomery y", &y, &point.x, &x);
        Self { x, y }
    }

    /// The Edwards form. 2 constraints.
    ///
    /// - Precondition: the point is on the curve and of order above 2. Then y ≠ 0, and x ≠ −1
    ///   because all points of the complete Edwards form are finite.
    pub fn to_edwards(&self, cs: &mut Cs<Fr>) -> PointVar {
        let (x, y) = (self.x.value(), self.y.value());
        let result = PointVar {
            x: cs.witness("point", hint_quotient(x, y)),
            y: cs.witness("point", hint_quotient(x - Fr::ONE, x + Fr::ONE)),
        };
        self.enforce_is(cs, "edwards form", &result);
        result
    }

    /// Enforces that `point` is the Edwards form of this one. 2 constraints; precondition as
    /// [`Self::to_edwards`].
    pub fn enforce_is(&self, cs: &mut Cs<Fr>, what: &'static str, point: &PointVar) {
        let one = cs.one();
        cs.enforce(what, &self.y, &point.x, &self.x);
        cs.enforce(what, &self.x.plus(&one), &point.y, &self.x.minus(&one));
    }

    /// Enforces the equation of the curve. 3 constraints: `x²`, `y²`, `x·(x² + A·x + 1) = y²`.
    pub fn enforce_on_curve(&self, cs: &mut Cs<Fr>) {
        let x2 = cs.product("x^2", &self.x, &self.x);
        let y2 = cs.product("y^2", &self.y, &self.y);
        let factor = x2.plus_scaled(&self.x, Fr::from(A)).plus(&cs.one());
        cs.enforce("on the Montgomery curve", &self.x, &factor, &y2);
    }

    /// The point with y negated, the inverse. No constraint.
    pub fn negated(&self) -> Self {
        Self { x: self.x.clone(), y: self.y.negated() }
    }

    /// Twice the point. 4 constraints.
    ///
    /// - Precondition: the point is on the curve.
    /// - Violation: a point of order 2 has y = 0 and no slope; the constraint fails.
    pub fn double(&self, cs: &mut Cs<Fr>) -> Self {
        let a = Fr::from(A);
        let x2 = cs.product("x^2", &self.x, &self.x);
        let three = Fr::from(3u64);
        let rise = x2.scaled(three).plus_scaled(&self.x, a.double()).plus(&cs.one());
        let run = self.y.scaled(Fr::from(2u64));
        let slope = cs.witness("tangent", hint_quotient(rise.value(), run.value()));
        cs.enforce("tangent", &slope, &run, &rise);
        self.on_line(cs, &slope, &self.x)
    }

    /// The sum with another point. 3 constraints.
    ///
    /// - Precondition: both are on the curve and neither equal nor inverse, so that the abscissas
    ///   differ.
    /// - Violation: for inverse points the constraint fails; for equal points **the slope is
    ///   free**.
    pub fn add_unequal(&self, cs: &mut Cs<Fr>, other: &Self) -> Self {
        let slope = self.chord(cs, other);
        self.on_line(cs, &slope, &other.x)
    }

    /// `2·self + other` as `(self + other) + self`, without the ordinate in between. 5 constraints.
    ///
    /// - Precondition: `self ≠ ±other`, and both are on the curve.
    /// - Violation: if `2·self + other` is the identity the constraint "second chord" fails. The
    ///   middle sum never equals `self`, since `other` is not the identity.
    /// - Proof: the second slope is `(−y_m − y)/(x_m − x)` with `y_m` on the first chord, which is
    ///   `2y/(x − x_m)` less the first slope.
    pub fn double_and_add(&self, cs: &mut Cs<Fr>, other: &Self) -> Self {
        let first = self.chord(cs, other);
        let middle = self.abscissa(cs, &first, &other.x);
        let run = self.x.minus(&middle);
        let rise = self.y.scaled(Fr::from(2u64));
        let slope = hint_quotient(rise.value(), run.value()) - first.value();
        let second = cs.witness("second chord", slope);
        cs.enforce("second chord", &first.plus(&second), &run, &rise);
        self.on_line(cs, &second, &middle)
    }

    fn chord(&self, cs: &mut Cs<Fr>, other: &Self) -> Lc<Fr> {
        let (rise, run) = (other.y.minus(&self.y), other.x.minus(&self.x));
        let slope = cs.witness("chord", hint_quotient(rise.value(), run.value()));
        cs.enforce("chord", &slope, &run, &rise);
        slope
    }

    /// Abscissa of the third point of the line through this one and one with abscissa `other`.
    fn abscissa(&self, cs: &mut Cs<Fr>, slope: &Lc<Fr>, other: &Lc<Fr>) -> Lc<Fr> {
        let known = self.x.plus(other).plus(&cs.constant(Fr::from(A)));
        let x = cs.witness("abscissa", slope.value() * slope.value() - known.value());
        cs.enforce("abscissa", slope, slope, &x.plus(&known));
        x
    }

    /// The inverse of the third point of the line.
    fn on_line(&self, cs: &mut Cs<Fr>, slope: &Lc<Fr>, other: &Lc<Fr>) -> Self {
        let x = self.abscissa(cs, slope, other);
        let run = self.x.minus(&x);
        let y = cs.witness("ordinate", slope.value() * run.value() - self.y.value());
        cs.enforce("ordinate", slope, &run, &y.plus(&self.y));
        Self { x, y }
    }
}
