//! Order and equality of ranged values.

use ark_ff::PrimeField;

use super::boolean::Bool;
use super::integer::{Bits, power_of_two};
use crate::cs::{Cs, Lc};

/// Whether `x` is zero.
///
/// 2 constraints, 2 variables, see [`enforce_is_zero`].
pub fn is_zero<F: PrimeField>(cs: &mut Cs<F>, x: &Lc<F>) -> Bool<F> {
    let z = cs.witness("is zero", F::from(x.value().is_zero()));
    enforce_is_zero(cs, "is zero", x, &z)
}

/// Enforces that `z` is 1 if `x` is zero and 0 otherwise.
///
/// - Precondition: none; `z` need not be known for a bit.
/// - Cost: 2 constraints, 1 variable; the inverse of zero is a free hint and reaches nothing else.
/// - Proof: `x·inverse = 1 − z` and `x·z = 0`. If x = 0, the first says z = 1. If x ≠ 0, the second
///   says z = 0.
pub fn enforce_is_zero<F: PrimeField>(
    cs: &mut Cs<F>,
    what: &'static str,
    x: &Lc<F>,
    z: &Lc<F>,
) -> Bool<F> {
    let zero = cs.zero();
    let inverse = cs.free_hint("inverse of zero", x.value().inverse().unwrap_or(F::ZERO));
    cs.enforce(what, x, &inverse, &cs.one().minus(z));
    cs.enforce(what, x, z, &zero);
    Bool::new_unchecked(z.clone())
}

/// Whether `a = b`. 2 constraints, see [`is_zero`].
pub fn is_equal<F: PrimeField>(cs: &mut Cs<F>, a: &Lc<F>, b: &Lc<F>) -> Bool<F> {
    is_zero(cs, &a.minus(b))
}

/// Enforces `x ≠ 0`. One constraint: `x·inverse = 1` has a solution for every x but zero, and only
/// one.
pub fn enforce_nonzero<F: PrimeField>(cs: &mut Cs<F>, what: &'static str, x: &Lc<F>) {
    let inverse = cs.witness("inverse", x.value().inverse().unwrap_or(F::ZERO));
    cs.enforce(what, x, &inverse, &cs.one());
}

/// Enforces `a ≤ b`.
///
/// - Precondition: a and b lie in one interval of length `2^bits`, e.g. both are integers of `bits`
///   bits, both unsigned or both signed, and `2^(bits+1) < p`.
/// - Violation: the constraint labelled `what` fails.
/// - Cost: `bits` constraints.
/// - Proof: `b − a`, an integer above `−2^bits`, is shown to be in `0..2^bits` modulo p; since
///   `2^(bits+1) < p` no negative difference of the precondition is congruent to a number of that
///   range.
pub fn enforce_less_or_equal<F: PrimeField>(
    cs: &mut Cs<F>,
    what: &'static str,
    a: &Lc<F>,
    b: &Lc<F>,
    bits: u32,
) {
    assert!(bits + 1 < F::MODULUS_BIT_SIZE, "comparison of {bits} bits does not fit the field");
    Bits::decompose(cs, what, &b.minus(a), bits);
}

/// Whether `a < b`.
///
/// - Precondition: as of [`enforce_less_or_equal`].
/// - Violation: a difference outside of `−2^bits..2^bits` fails the constraint labelled `what`.
/// - Cost: `bits + 1` constraints.
/// - Proof: `a − b + 2^bits` is in `0..2^(bits+1)`, which is below p, and its top bit says whether
///   `a ≥ b`.
pub fn is_less_than<F: PrimeField>(
    cs: &mut Cs<F>,
    what: &'static str,
    a: &Lc<F>,
    b: &Lc<F>,
    bits: u32,
) -> Bool<F> {
    let offset = cs.constant(power_of_two(bits));
    let shifted = Bits::decompose(cs, what, &a.minus(b).plus(&offset), bits + 1);
    let is_greater_or_equal = shifted.as_slice().last().expect("at least one bit");
    is_greater_or_equal.not(cs)
}

/// Enforces that `max` is the greatest of `values`.
///
/// - Precondition: max and the values lie in one interval of length `2^bits`, and `2^(bits+1) < p`.
/// - Violation: a value above `max`, or no value equal to it, fails a constraint labelled `what`.
/// - Cost: `bits` constraints a value, and one for all but the first.
/// - Proof: `max − v ≥ 0` for every v as in [`enforce_less_or_equal`]; the product of the
///   differences is zero, so one of them is.
pub fn enforce_max<F: PrimeField>(
    cs: &mut Cs<F>,
    what: &'static str,
    max: &Lc<F>,
    values: &[Lc<F>],
    bits: u32,
) {
    let differences: Vec<_> = values.iter().map(|value| max.minus(value)).collect();
    for value in values {
        enforce_less_or_equal(cs, what, value, max, bits);
    }
    let (last, rest) = differences.split_last().expect("the greatest of no values");
    let Some((first, middle)) = rest.split_first() else {
        return cs.enforce_zero(what, last);
    };
    let product =
        middle.iter().fold(first.clone(), |product, x| cs.product("product", &product, x));
    let zero = cs.zero();
    cs.enforce(what, &product, last, &zero);
}

/// `value ≠ 0` if the flag is set: the flag is the value times a hinted inverse.
pub fn enforce_nonzero_if<F: PrimeField>(
    cs: &mut Cs<F>,
    what: &'static str,
    value: &Lc<F>,
    flag: &Bool<F>,
) {
    let inverse = value.value().inverse().unwrap_or(F::ZERO) * flag.lc().value();
    let inverse = cs.free_hint("inverse of a guarded value", inverse);
    cs.enforce(what, value, &inverse, flag.lc());
}
