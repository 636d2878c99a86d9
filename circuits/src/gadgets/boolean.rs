//! Bits: wires that hold 0 or 1.

use std::ops::Deref;

use ark_bn254::Fr;
use ark_ff::PrimeField;

use crate::cs::{Cs, Lc};

/// A wire that holds 0 or 1.
#[derive(Clone, Debug)]
pub struct Bool<F: PrimeField = Fr>(Lc<F>);

impl<F: PrimeField> Deref for Bool<F> {
    type Target = Lc<F>;

    fn deref(&self) -> &Lc<F> {
        &self.0
    }
}

/// Enforces `x ∈ {0, 1}`: `x·(x − 1) = 0`. One constraint.
///
/// Sound because a field has no zero divisors.
pub fn enforce_boolean<F: PrimeField>(cs: &mut Cs<F>, what: &'static str, x: &Lc<F>) -> Bool<F> {
    let (one, zero) = (cs.one(), cs.zero());
    cs.enforce(what, x, &x.minus(&one), &zero);
    Bool(x.clone())
}

impl<F: PrimeField> Bool<F> {
    /// A new bit which the constraints must determine. One constraint.
    pub fn witness(cs: &mut Cs<F>, name: &'static str, value: bool) -> Self {
        let bit = cs.witness(name, F::from(value));
        enforce_boolean(cs, name, &bit)
    }

    /// A new bit from outside. One constraint.
    pub fn external(cs: &mut Cs<F>, name: &'static str, value: bool) -> Self {
        let bit = cs.external(name, F::from(value));
        enforce_boolean(cs, name, &bit)
    }

    /// A constant bit. No constraint.
    pub fn constant(cs: &Cs<F>, value: bool) -> Self {
        Self(cs.constant(F::from(value)))
    }

    /// A wire which other constraints already confine to {0, 1}; the caller says which.
    pub fn new_unchecked(lc: Lc<F>) -> Self {
        Self(lc)
    }

    /// The wire.
    pub fn lc(&self) -> &Lc<F> {
        &self.0
    }

    /// The value: false for zero.
    pub fn value(&self) -> bool {
        !self.0.value().is_zero()
    }

    /// `1 − self`. No constraint.
    pub fn not(&self, cs: &Cs<F>) -> Self {
        Self(cs.one().minus(&self.0))
    }

    /// Both. One constraint: the product.
    pub fn and(&self, cs: &mut Cs<F>, other: &Self) -> Self {
        Self(cs.product("and", &self.0, &other.0))
    }

    /// At least one. One constraint: `a + b − ab`.
    pub fn or(&self, cs: &mut Cs<F>, other: &Self) -> Self {
        let both = cs.product("or", &self.0, &other.0);
        Self(self.0.plus(&other.0).minus(&both))
    }

    /// `self ? a : b`. One constraint: `self·(a − b) = result − b`.
    pub fn select(&self, cs: &mut Cs<F>, a: &Lc<F>, b: &Lc<F>) -> Lc<F> {
        b.plus(&cs.product("select", &self.0, &a.minus(b)))
    }
}
