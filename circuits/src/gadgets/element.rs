//! Wires that are not integers of a known width: each type says why.

use std::ops::Deref;

use ark_bn254::Fr;
use ark_ff::PrimeField;
use zkmargin_protocol::Rule;

use super::boolean::Bool;
use crate::cs::{Cs, Lc};

/// A field element that is no number: a root, a hash, a coordinate, a challenge. Every element of
/// the field is one.
#[derive(Clone, Debug)]
pub struct Element<F: PrimeField = Fr>(Lc<F>);

impl<F: PrimeField> Deref for Element<F> {
    type Target = Lc<F>;

    fn deref(&self) -> &Lc<F> {
        &self.0
    }
}

impl<F: PrimeField> Element<F> {
    /// A wire, whatever its value.
    pub fn new(lc: Lc<F>) -> Self {
        Self(lc)
    }

    /// The wire.
    pub fn lc(&self) -> &Lc<F> {
        &self.0
    }

    /// `flag ? self : 0`. One constraint.
    pub fn only_if(&self, cs: &mut Cs<F>, what: &'static str, flag: &Bool<F>) -> Self {
        Self(cs.product(what, flag.lc(), &self.0))
    }

    /// An element from outside.
    pub fn external(cs: &mut Cs<F>, name: &'static str, value: F) -> Self {
        Self(cs.external(name, value))
    }

    /// An element that only the argument binds.
    pub fn argued(cs: &mut Cs<F>, name: &'static str, value: F) -> Self {
        Self(cs.argued(name, value))
    }
}

/// A number that is shown to lie in `0..2^bits`, but not where it is made: the constraints of
/// `rule` show it.
#[derive(Clone, Debug)]
pub struct Deferred<F: PrimeField = Fr> {
    lc: Lc<F>,
    bits: u32,
    rule: Rule,
}

impl<F: PrimeField> Deref for Deferred<F> {
    type Target = Lc<F>;

    fn deref(&self) -> &Lc<F> {
        &self.lc
    }
}

impl<F: PrimeField> Deferred<F> {
    /// The wire.
    pub fn lc(&self) -> &Lc<F> {
        &self.lc
    }

    /// A number from outside.
    pub fn external(
        cs: &mut Cs<F>,
        name: &'static str,
        value: impl Into<F>,
        bits: u32,
        rule: Rule,
    ) -> Self {
        Self { lc: cs.external(name, value.into()), bits, rule }
    }

    /// A wire.
    pub fn new(lc: Lc<F>, bits: u32, rule: Rule) -> Self {
        Self { lc, bits, rule }
    }

    /// The width that will be shown.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// The rule whose constraints show the range.
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

/// A number whose range nothing shows: the constraints of `rule` bind it to ranged numbers.
#[derive(Clone, Debug)]
pub struct Unranged<F: PrimeField = Fr> {
    lc: Lc<F>,
    rule: Rule,
}

impl<F: PrimeField> Deref for Unranged<F> {
    type Target = Lc<F>;

    fn deref(&self) -> &Lc<F> {
        &self.lc
    }
}

impl<F: PrimeField> Unranged<F> {
    /// The wire.
    pub fn lc(&self) -> &Lc<F> {
        &self.lc
    }

    /// A wire.
    pub fn new(lc: Lc<F>, rule: Rule) -> Self {
        Self { lc, rule }
    }

    /// A number from outside.
    pub fn external(cs: &mut Cs<F>, name: &'static str, value: F, rule: Rule) -> Self {
        Self { lc: cs.external(name, value), rule }
    }

    /// A number that only the argument binds.
    pub fn argued(cs: &mut Cs<F>, name: &'static str, value: F, rule: Rule) -> Self {
        Self { lc: cs.argued(name, value), rule }
    }
    /// The rule whose constraints bind the number.
    pub fn rule(&self) -> Rule {
        self.rule
    }
}
