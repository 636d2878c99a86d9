//! Multiples of a point by a challenge.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField};
use zkmargin_protocol::crypto::babyjubjub::SUBGROUP_ORDER;

use super::boolean::Bool;
use super::comparator::enforce_nonzero;
use super::curve::PointVar;
use super::integer::{power_of_two, recompose};
use super::montgomery::MontgomeryVar;
use super::scalar::{MAGNITUDE_BITS, Magnitude, enforce_scalar, negate_if, subgroup_order};
use crate::cs::{Cs, Lc};

/// Bits of the magnitude that are taken one at a time.
const LOW_BITS: usize = 150;
/// Windows of two bits above them.
const WINDOWS: usize = (MAGNITUDE_BITS - LOW_BITS) / 2;

/// `8·h·point` for the integer h below p that `challenge` is.
///
/// - Precondition: the point is in the prime subgroup and not the identity. `challenge` is the
///   output of a hash.
/// - Violation: challenges within `2^150` of a multiple of l fail "challenge far from the multiples
///   of l": one in `2^99` of all, so that none can be found.
/// - Cost: 1,630 constraints.
/// - Proof, scalar: `h = q·l + r` with q of 3 bits and r = z or l − z, z of 250 bits, so the right
///   side is an integer in `0..=8l`, congruent to h modulo p. As `p < 8l < p + 2^126`, it is h, or
///   h + p with `8l − 2^126 < h + p`; then q = 7 and r = l − z with `z < 2^126`, which the demand
///   on z excludes. Modulo l, h is ±z. (Magnitudes in the middle have two forms of the same h.)
/// - Proof, digits: `2z + 1 = 2^250 + Σ ±2^k`. A window's digit d is ±1 or ±3 (`d² = 1` or 9); a
///   low digit is the ordinate `t = ±y` of the point added, `t² = y²`, and `Σ 2^k·t_k = y·Σ ±2^k`
///   hands the integer on.
/// - Proof, points: let Q = 4·point, T = k·Q with k odd, starting at 1. In a window 2T is added to
///   d·Q and to itself: 2k is even, d odd, `2k + d` is neither 0 nor ±2k, all below l in magnitude,
///   so no abscissas meet. After the windows `k > 1` is demanded. A low step adds ±Q to T and then
///   T: `1 < k < l − 1`, so `k ≠ ±1`; the middle sum meets T only if the result is the identity,
///   which fails. At last `k = 2z + 1`, and Q is taken off: `2z + 1 = ±1` modulo l has no solution
///   for `2^150 ≤ z < 2^250 < l − 1`.
pub fn multiply_by_8_and(cs: &mut Cs<Fr>, point: &PointVar, challenge: &Lc<Fr>) -> PointVar {
    let (quotient, magnitude) = hint_division(challenge.value().into_bigint());
    let point = MontgomeryVar::from_edwards(cs, point);
    let unit = point.double(cs).double(cs);

    let (sum, top) = add_windows(cs, &unit, &magnitude);
    let what = "challenge far from the multiples of l";
    enforce_nonzero(cs, what, &top.minus(&cs.one()));
    let (sum, low) = add_low_digits(cs, &unit, sum, &magnitude);

    let twice_plus_one = low.plus_scaled(&top, power_of_two(LOW_BITS as u32));
    let half = Fr::from(2u64).inverse().expect("2 is not zero");
    let z = twice_plus_one.minus(&cs.one()).scaled(half);
    let quotient: Vec<_> =
        (0..3).map(|k| Bool::witness(cs, "quotient", quotient >> k & 1 == 1)).collect();
    let remainder = challenge.plus_scaled(&recompose(&quotient), -subgroup_order());
    let is_negative = Bool::witness(cs, "remainder sign", magnitude.is_negative);
    enforce_scalar(cs, "challenge modulo l", &remainder, &z, &is_negative);

    let product = sum.add_unequal(cs, &unit.negated()).to_edwards(cs);
    PointVar { x: negate_if(cs, &is_negative, &product.x), y: product.y }
}

/// Quotient and remainder by l of an integer below 8l.
fn hint_division(mut remainder: BigInt<4>) -> (u64, Magnitude) {
    let mut quotient = 0;
    while remainder >= SUBGROUP_ORDER {
        remainder.sub_with_borrow(&SUBGROUP_ORDER);
        quotient += 1;
    }
    (quotient, Magnitude::of(remainder))
}

fn spin(bit: bool) -> i64 {
    if bit { 1 } else { -1 }
}

/// From T = Q, `T ← 4T + d·Q` for each window. Returns T and its multiple of Q. 14 constraints a
/// window, and 7.
fn add_windows(
    cs: &mut Cs<Fr>,
    unit: &MontgomeryVar,
    magnitude: &Magnitude,
) -> (MontgomeryVar, Lc<Fr>) {
    let three = unit.double(cs).add_unequal(cs, unit);
    // The ordinate of d·Q is d·(slope·d² + rest): odd in d, y at 1 and y of 3Q at 3.
    let inverse = Fr::from(24u64).inverse().expect("24 is not zero");
    let slope = three.y.plus_scaled(&unit.y, -Fr::from(3u64)).scaled(inverse);
    let rest = unit.y.minus(&slope);
    let (one, zero) = (cs.one(), cs.zero());
    let nine = cs.constant(Fr::from(9u64));
    let eighth = Fr::from(8u64).inverse().expect("8 is not zero");
    let step_x = three.x.minus(&unit.x).scaled(eighth);

    let (mut sum, mut multiple) = (unit.clone(), one.clone());
    for window in 0..WINDOWS {
        let high = MAGNITUDE_BITS - 1 - 2 * window;
        let digit = 2 * spin(magnitude.bit(high)) + spin(magnitude.bit(high - 1));
        let digit = cs.witness("digit", Fr::from(digit));
        let square = cs.product("digit^2", &digit, &digit);
        cs.enforce("digit", &square.minus(&one), &square.minus(&nine), &zero);
        let x = cs.product("digit x", &square.minus(&one), &step_x).plus(&unit.x);
        let factor = cs.product("digit y/d", &square, &slope).plus(&rest);
        let y = cs.product("digit y", &digit, &factor);

        sum = sum.double(cs).double_and_add(cs, &MontgomeryVar { x, y });
        multiple = multiple.scaled(Fr::from(4u64)).plus(&digit);
    }
    (sum, multiple)
}

/// `T ← 2T ± Q` for each low bit. Returns T and `Σ ±2^k`. 6 constraints a bit, and 1.
fn add_low_digits(
    cs: &mut Cs<Fr>,
    unit: &MontgomeryVar,
    mut sum: MontgomeryVar,
    magnitude: &Magnitude,
) -> (MontgomeryVar, Lc<Fr>) {
    let zero = cs.zero();
    let mut ordinates = Vec::with_capacity(LOW_BITS);
    let mut integer = Fr::ZERO;
    for k in (0..LOW_BITS).rev() {
        let sign = Fr::from(spin(magnitude.bit(k)));
        integer = integer.double() + sign;
        let y = cs.witness("signed ordinate", sign * unit.y.value());
        cs.enforce("signed ordinate", &y.minus(&unit.y), &y.plus(&unit.y), &zero);
        sum = sum.double_and_add(cs, &MontgomeryVar { x: unit.x.clone(), y: y.clone() });
        ordinates.push(y);
    }
    let scales = std::iter::successors(Some(Fr::ONE), |scale| Some(scale.double()));
    let weighted = Lc::sum(ordinates.iter().rev().zip(scales));
    let integer = cs.witness("low digits", integer);
    cs.enforce("low digits", &unit.y, &integer, &weighted);
    (sum, integer)
}
