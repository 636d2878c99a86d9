//! Integers of known width: a field element that stands for exactly one integer.
//!
//! Widths are below the bit length of the modulus, so that `2^bits < p` and no two integers of the
//! range are the same field element.

use std::ops::Deref;

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

use super::boolean::{Bool, enforce_boolean};
use crate::cs::{Cs, Lc};

/// `2^exponent` in the field.
pub fn power_of_two<F: PrimeField>(exponent: u32) -> F {
    F::from(2u64).pow([u64::from(exponent)])
}

/// A signed integer as a field element: negative numbers count down from the modulus.
pub fn signed<F: PrimeField>(value: i128) -> F {
    let magnitude = F::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

fn assert_width<F: PrimeField>(bits: u32) {
    assert!(bits < F::MODULUS_BIT_SIZE, "width {bits} does not fit the field");
}

/// Bits of an integer, least significant first.
#[derive(Clone, Debug)]
pub struct Bits<F: PrimeField = Fr>(Vec<Bool<F>>);

impl<F: PrimeField> Bits<F> {
    /// The bits of `lc`, which is in `0..2^bits`.
    ///
    /// - Precondition: none.
    /// - Violation: outside of the range the constraint labelled `what` fails.
    /// - Cost: `bits` constraints, `bits − 1` variables: bits 1.. are allocated, and bit 0 is what
    ///   they leave of `lc`.
    /// - Proof: all bits are boolean and `Σ 2^k b_k = lc` by the definition of bit 0; as `2^bits <
    ///   p` there is one such choice if `lc` is in the range and none otherwise.
    pub fn decompose(cs: &mut Cs<F>, what: &'static str, lc: &Lc<F>, bits: u32) -> Self {
        assert_width::<F>(bits);
        cs.note_range(what, lc, bits);
        if bits == 0 {
            cs.enforce_zero(what, lc);
            return Self(Vec::new());
        }
        let value = lc.value().into_bigint();
        let high: Vec<_> =
            (1..bits).map(|k| Bool::witness(cs, "bit", value.get_bit(k as usize))).collect();
        let mut scale = -F::ONE;
        let parts = high.iter().map(|bit| {
            scale.double_in_place();
            (bit.lc(), scale)
        });
        let low = Lc::sum(std::iter::once((lc, F::ONE)).chain(parts));
        let low = enforce_boolean(cs, what, &low);
        Self(std::iter::once(low).chain(high).collect())
    }

    /// New bits, the low `bits` bits of `value`. One constraint and one variable a bit.
    pub fn witness(cs: &mut Cs<F>, name: &'static str, value: u128, bits: u32) -> Self {
        let bit = |k| k < u128::BITS && value >> k & 1 == 1;
        Self((0..bits).map(|k| Bool::witness(cs, name, bit(k))).collect())
    }

    /// As [`Bits::witness`], but the bits come from outside.
    pub fn external(cs: &mut Cs<F>, name: &'static str, value: u128, bits: u32) -> Self {
        let bit = |k| k < u128::BITS && value >> k & 1 == 1;
        Self((0..bits).map(|k| Bool::external(cs, name, bit(k))).collect())
    }

    /// The bits, least significant first.
    pub fn as_slice(&self) -> &[Bool<F>] {
        &self.0
    }

    /// `Σ 2^k b_k`. No constraint.
    pub fn recompose(&self) -> Lc<F> {
        recompose(&self.0)
    }
}

/// `Σ 2^k b_k` of bits, least significant first. No constraint.
pub fn recompose<F: PrimeField>(bits: &[Bool<F>]) -> Lc<F> {
    let scales = std::iter::successors(Some(F::ONE), |scale| Some(scale.double()));
    Lc::sum(bits.iter().map(Bool::lc).zip(scales))
}

/// An integer in `0..2^bits`.
///
/// Arithmetic between integers of known width is named by words (`add`, `sub`, `mul`) and gives the
/// width of the result. As a wire an integer has the operations of [`Lc`], which know no width.
#[derive(Clone, Debug)]
pub struct Uint<F: PrimeField = Fr> {
    lc: Lc<F>,
    bits: u32,
}

impl<F: PrimeField> Deref for Uint<F> {
    type Target = Lc<F>;

    fn deref(&self) -> &Lc<F> {
        &self.lc
    }
}

impl<F: PrimeField> Uint<F> {
    /// A new integer, the low `bits` bits of `value`. One constraint and one variable a bit; the
    /// integer is the combination of its bits.
    pub fn witness(cs: &mut Cs<F>, name: &'static str, value: u128, bits: u32) -> Self {
        Self::new_unchecked(Bits::witness(cs, name, value, bits).recompose(), bits)
    }

    /// As [`Uint::witness`], but the integer comes from outside.
    pub fn external(cs: &mut Cs<F>, name: &'static str, value: u128, bits: u32) -> Self {
        Self::new_unchecked(Bits::external(cs, name, value, bits).recompose(), bits)
    }

    /// Enforces that `lc` is in `0..2^bits`. `bits` constraints, see [`Bits::decompose`].
    pub fn range_check(cs: &mut Cs<F>, what: &'static str, lc: &Lc<F>, bits: u32) -> Self {
        Bits::decompose(cs, what, lc, bits);
        Self::new_unchecked(lc.clone(), bits)
    }

    /// A constant, which must fit the width.
    pub fn constant(cs: &Cs<F>, value: u128, bits: u32) -> Self {
        assert!(bits >= u128::BITS || value >> bits == 0, "constant {value} is wider than {bits}");
        Self::new_unchecked(cs.constant(F::from(value)), bits)
    }

    /// A wire which other constraints already confine to the range; the caller says which.
    pub fn new_unchecked(lc: Lc<F>, bits: u32) -> Self {
        assert_width::<F>(bits);
        Self { lc, bits }
    }

    /// A bit as an integer. No constraint.
    pub fn from_bit(bit: &Bool<F>) -> Self {
        Self { lc: bit.lc().clone(), bits: 1 }
    }

    /// The wire.
    pub fn lc(&self) -> &Lc<F> {
        &self.lc
    }

    /// The width.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// The same integer, as one of a wider range.
    pub fn widened(&self, bits: u32) -> Self {
        assert!(bits >= self.bits, "{} bits do not fit {bits}", self.bits);
        Self::new_unchecked(self.lc.clone(), bits)
    }

    /// `self + other`. No constraint.
    pub fn add(&self, other: &Self) -> Self {
        Self::new_unchecked(self.lc.plus(&other.lc), self.bits.max(other.bits) + 1)
    }

    /// `self − other`. No constraint.
    pub fn sub(&self, other: &Self) -> Int<F> {
        Int::new_unchecked(self.lc.minus(&other.lc), self.bits.max(other.bits) + 1)
    }

    /// `self · other`. One constraint.
    pub fn mul(&self, cs: &mut Cs<F>, what: &'static str, other: &Self) -> Self {
        let product = cs.product(what, &self.lc, &other.lc);
        Self::new_unchecked(product, self.bits + other.bits)
    }

    /// `flag ? self : 0`. One constraint.
    pub fn only_if(&self, cs: &mut Cs<F>, what: &'static str, flag: &Bool<F>) -> Self {
        Self::new_unchecked(cs.product(what, flag.lc(), &self.lc), self.bits)
    }

    /// `flag ? a : b`. One constraint.
    pub fn select(cs: &mut Cs<F>, flag: &Bool<F>, a: &Self, b: &Self) -> Self {
        Self::new_unchecked(flag.select(cs, &a.lc, &b.lc), a.bits.max(b.bits))
    }

    /// The same integer, signed. No constraint.
    pub fn to_int(&self) -> Int<F> {
        Int::new_unchecked(self.lc.clone(), self.bits + 1)
    }
}

/// An integer in `−2^(bits−1)..2^(bits−1)`.
#[derive(Clone, Debug)]
pub struct Int<F: PrimeField = Fr> {
    lc: Lc<F>,
    bits: u32,
}

impl<F: PrimeField> Deref for Int<F> {
    type Target = Lc<F>;

    fn deref(&self) -> &Lc<F> {
        &self.lc
    }
}

impl<F: PrimeField> Int<F> {
    /// A wire which other constraints already confine to the range; the caller says which.
    pub fn new_unchecked(lc: Lc<F>, bits: u32) -> Self {
        assert!(bits > 0, "a signed width has a sign bit");
        assert_width::<F>(bits);
        Self { lc, bits }
    }

    /// The wire.
    pub fn lc(&self) -> &Lc<F> {
        &self.lc
    }

    /// The width, sign included.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// `self + other`. No constraint.
    pub fn add(&self, other: &Self) -> Self {
        Self::new_unchecked(self.lc.plus(&other.lc), self.bits.max(other.bits) + 1)
    }

    /// `self − other`. No constraint.
    pub fn sub(&self, other: &Self) -> Self {
        Self::new_unchecked(self.lc.minus(&other.lc), self.bits.max(other.bits) + 1)
    }

    /// `−self`. No constraint.
    pub fn neg(&self) -> Self {
        Self::new_unchecked(self.lc.negated(), self.bits + 1)
    }

    /// `flag ? self : 0`. One constraint.
    pub fn only_if(&self, cs: &mut Cs<F>, what: &'static str, flag: &Bool<F>) -> Self {
        Self::new_unchecked(cs.product(what, flag.lc(), &self.lc), self.bits)
    }

    /// The same integer, of which the caller says why it is not below zero. No constraint.
    pub fn to_uint_unchecked(&self) -> Uint<F> {
        Uint::new_unchecked(self.lc.clone(), self.bits - 1)
    }

    /// `self + 2^(bits−1)`, which is not below zero. No constraint.
    pub fn offset(&self, cs: &Cs<F>) -> Uint<F> {
        let half = cs.constant(power_of_two(self.bits - 1));
        Uint::new_unchecked(self.lc.plus(&half), self.bits)
    }
}

/// An integer in `−2^(bits−1)..2^(bits−1)` and its sign.
#[derive(Clone, Debug)]
pub struct Signed<F: PrimeField = Fr> {
    int: Int<F>,
    is_negative: Bool<F>,
}

impl<F: PrimeField> Deref for Signed<F> {
    type Target = Int<F>;

    fn deref(&self) -> &Int<F> {
        &self.int
    }
}

impl<F: PrimeField> Signed<F> {
    fn from_offset_bits(cs: &Cs<F>, bits: &Bits<F>, width: u32) -> Self {
        let offset = cs.constant(power_of_two(width - 1));
        let top = bits.as_slice().last().expect("a signed width has a sign bit");
        let int = Int::new_unchecked(bits.recompose().minus(&offset), width);
        Self { int, is_negative: top.not(cs) }
    }

    /// A new integer, `value` reduced to the width. One constraint and one variable a bit: the bits
    /// of `value + 2^(bits−1)`.
    pub fn witness(cs: &mut Cs<F>, name: &'static str, value: i128, bits: u32) -> Self {
        let bits_of = Bits::witness(cs, name, offset(value, bits), bits);
        Self::from_offset_bits(cs, &bits_of, bits)
    }

    /// As [`Signed::witness`], but the integer comes from outside.
    pub fn external(cs: &mut Cs<F>, name: &'static str, value: i128, bits: u32) -> Self {
        let bits_of = Bits::external(cs, name, offset(value, bits), bits);
        Self::from_offset_bits(cs, &bits_of, bits)
    }

    /// Enforces that `lc` is in `−2^(bits−1)..2^(bits−1)`. `bits` constraints, see
    /// [`Bits::decompose`].
    pub fn range_check(cs: &mut Cs<F>, what: &'static str, lc: &Lc<F>, bits: u32) -> Self {
        let int = Int::new_unchecked(lc.clone(), bits);
        let shifted = lc.plus(&cs.constant(power_of_two(bits - 1)));
        let decomposed = Bits::decompose(cs, what, &shifted, bits);
        let top = decomposed.as_slice().last().expect("a signed width has a sign bit");
        Self { int, is_negative: top.not(cs) }
    }

    /// The integer without its sign bit.
    pub fn int(&self) -> &Int<F> {
        &self.int
    }

    /// Whether the integer is below zero: the top bit of the offset form is clear. No constraint.
    pub fn is_negative(&self) -> &Bool<F> {
        &self.is_negative
    }

    /// `max(0, −self)`. One constraint.
    pub fn negative_part(&self, cs: &mut Cs<F>) -> Uint<F> {
        let lc = cs.product("negative part", self.is_negative.lc(), &self.int.lc.negated());
        // −2^(bits−1) is in the range, so the negative part may need all bits.
        Uint::new_unchecked(lc, self.int.bits)
    }
}

/// The low bits of `value + 2^(bits−1)`; wrapping, for a value that does not fit must not panic.
fn offset(value: i128, bits: u32) -> u128 {
    assert!(0 < bits && bits <= u128::BITS, "a signed width has a sign bit and at most 128 bits");
    (value as u128).wrapping_add(1 << (bits - 1))
}

/// A value of `bits` bits, fixed from outside.
pub fn ranged<F: PrimeField>(cs: &mut Cs<F>, name: &'static str, value: u64, bits: u32) -> Uint<F> {
    Uint::external(cs, name, value.into(), bits)
}
