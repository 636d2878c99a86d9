//! Small gadgets from which the planted circuits are made.

use ark_ff::PrimeField;
use zkmargin_circuits::cs::{Cs, Lc};

pub fn low_word<F: PrimeField>(x: &Lc<F>) -> u64 {
    x.value().into_bigint().as_ref()[0]
}

/// Bits as free variables, little-endian; booleanity if asked for.
pub fn bits<F: PrimeField>(cs: &mut Cs<F>, value: u64, count: u32, boolean: bool) -> Vec<Lc<F>> {
    let bit = |k| cs.witness("bit", F::from(value >> k & 1));
    let bits: Vec<Lc<F>> = (0..count).map(bit).collect();
    if boolean {
        bits.iter().for_each(|bit| enforce_boolean(cs, bit));
    }
    bits
}

pub fn enforce_boolean<F: PrimeField>(cs: &mut Cs<F>, bit: &Lc<F>) {
    let (rest, zero) = (cs.one().minus(bit), cs.zero());
    cs.enforce("a bit is zero or one", bit, &rest, &zero);
}

pub fn packed<F: PrimeField>(cs: &Cs<F>, bits: &[Lc<F>]) -> Lc<F> {
    let add = |sum: Lc<F>, (k, bit): (usize, &Lc<F>)| sum.plus_scaled(bit, F::from(1u64 << k));
    bits.iter().enumerate().fold(cs.zero(), add)
}

/// The value lies in `[0, 2^count)`.
pub fn enforce_range<F: PrimeField>(cs: &mut Cs<F>, x: &Lc<F>, count: u32) -> Vec<Lc<F>> {
    let bits = bits(cs, low_word(x), count, true);
    let sum = packed(cs, &bits);
    cs.enforce_equal("the bits are the value's", &sum, x);
    bits
}

/// One if `x` is zero. `first` and `second` switch its two constraints; the inverse is a free hint.
pub fn is_zero_of<F: PrimeField>(cs: &mut Cs<F>, x: &Lc<F>, first: bool, second: bool) -> Lc<F> {
    let flag = cs.witness("flag", F::from(x.value().is_zero()));
    let rest = cs.one().minus(&flag);
    if first {
        let inverse = cs.free_hint("inverse", x.value().inverse().unwrap_or(F::ZERO));
        cs.enforce("not zero has an inverse", x, &inverse, &rest);
    }
    if second {
        let zero = cs.zero();
        cs.enforce("the flag is off unless zero", x, &flag, &zero);
    }
    flag
}

pub fn is_zero<F: PrimeField>(cs: &mut Cs<F>, x: &Lc<F>) -> Lc<F> {
    is_zero_of(cs, x, true, true)
}

pub fn enforce_not_zero<F: PrimeField>(cs: &mut Cs<F>, x: &Lc<F>) {
    let inverse = cs.witness("inverse", x.value().inverse().unwrap_or(F::ZERO));
    let one = cs.one();
    cs.enforce("it has an inverse", x, &inverse, &one);
}

pub fn number<F: PrimeField>(cs: &Cs<F>, value: u64) -> Lc<F> {
    cs.constant(F::from(value))
}

pub fn external<F: PrimeField>(cs: &mut Cs<F>, name: &'static str, value: u64) -> Lc<F> {
    cs.external(name, F::from(value))
}
