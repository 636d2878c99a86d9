//! Division with remainder of integers.

use ark_ff::PrimeField;

use super::integer::{Signed, Uint};
use crate::cs::{Cs, Lc};

/// Widths in bits of a division.
#[derive(Clone, Copy, Debug)]
pub struct Widths {
    /// Of the quotient, sign included.
    pub quotient: u32,
    /// Of divisor and remainder.
    pub remainder: u32,
}

/// `⌊numerator/divisor⌋`.
///
/// - Precondition: `0 < divisor ≤ 2^remainder`, and numerator and `2^(quotient + remainder + 1)`
///   are below p/2 in size.
/// - Violation: a divisor of zero, or a quotient beyond its width, fails a constraint labelled
///   `what`.
/// - Cost: `quotient + 2·remainder + 1` constraints.
/// - Proof: `quotient·divisor + rest = numerator` holds for integers, for neither side reaches p/2;
///   with `0 ≤ rest < divisor` there is one such pair.
pub fn div_floor<F: PrimeField>(
    cs: &mut Cs<F>,
    what: &'static str,
    numerator: &Lc<F>,
    divisor: &Lc<F>,
    widths: Widths,
) -> Signed<F> {
    assert!(
        widths.quotient + widths.remainder + 2 < F::MODULUS_BIT_SIZE,
        "division fits the field"
    );
    let [over, under] = [numerator, divisor].map(|lc| integer(lc.value()));
    let quotient = if under == 0 { 0 } else { over.div_euclid(under) };
    let quotient = Signed::witness(cs, "quotient", quotient, widths.quotient);
    let product = cs.product("quotient times divisor", quotient.lc(), divisor);
    enforce_remainder(cs, what, &numerator.minus(&product), divisor, widths.remainder);
    cs.note_determined(&[numerator, divisor], &[quotient.lc()]);
    quotient
}

/// Enforces `0 ≤ remainder < divisor`.
///
/// - Precondition: `divisor ≤ 2^bits`.
/// - Violation: a constraint labelled `what` fails.
/// - Cost: `2·bits` constraints.
pub fn enforce_remainder<F: PrimeField>(
    cs: &mut Cs<F>,
    what: &'static str,
    remainder: &Lc<F>,
    divisor: &Lc<F>,
    bits: u32,
) {
    let one = cs.one();
    Uint::range_check(cs, what, remainder, bits);
    Uint::range_check(cs, what, &divisor.minus(remainder).minus(&one), bits);
}

/// The integer of least size that an element stands for, if it has at most 127 bits; a part of it
/// otherwise: only a hint.
fn integer<F: PrimeField>(element: F) -> i128 {
    let is_negative = element.into_bigint() > F::MODULUS_MINUS_ONE_DIV_TWO;
    let size = if is_negative { -element } else { element }.into_bigint();
    let limb = |k: usize| u128::from(size.as_ref().get(k).copied().unwrap_or(0));
    let size = (limb(0) | limb(1) << 64) as i128 & i128::MAX;
    if is_negative { -size } else { size }
}
