//! The circuits: each builds its sound form, or with `planted` the form with one bug.

use ark_ff::PrimeField;
use zkmargin_circuits::cs::{Cs, Lc};

use crate::gadgets::*;

pub fn missing_booleanity<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let x = external(cs, "x", 5);
    let bits = bits(cs, 5, 3, !planted);
    let sum = packed(cs, &bits);
    cs.enforce_equal("the bits are the value's", &sum, &x);
}

pub fn bits_without_recomposition<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let x = external(cs, "x", 5);
    let bits = bits(cs, 5, 3, true);
    let sum = packed(cs, &bits);
    if !planted {
        cs.enforce_equal("the bits are the value's", &sum, &x);
    }
    cs.product("a use of the bits", &sum, &x);
}

fn division<F: PrimeField>(cs: &mut Cs<F>, ranged: bool, below: bool, quotient_bits: u32) {
    let (a, d) = (external(cs, "a", 7), external(cs, "d", 3));
    let (q, r) = (cs.witness("quotient", F::from(2u64)), cs.witness("remainder", F::ONE));
    cs.enforce("a = q·d + r", &q, &d, &a.minus(&r));
    enforce_range(cs, &q, quotient_bits);
    if ranged {
        enforce_range(cs, &r, 3);
    }
    if below {
        let gap = d.minus(&r).minus(&cs.one());
        enforce_range(cs, &gap, 3);
    }
}

pub fn remainder_unranged<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    division(cs, !planted, !planted, 3);
}

pub fn remainder_not_below_divisor<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    division(cs, true, !planted, 3);
}

pub fn quotient_too_wide<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    // Seven bits let q·d pass the tiny modulus; in a large field the width would have to be larger.
    division(cs, true, true, if planted { 7 } else { 3 });
}

pub fn unbound_inverse<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (n, d) = (external(cs, "n", 6), external(cs, "d", 3));
    let inverse = cs.witness("inverse", F::ONE / d.value());
    if !planted {
        let one = cs.one();
        cs.enforce("the inverse is the divisor's", &d, &inverse, &one);
    }
    cs.product("quotient", &n, &inverse);
}

pub fn is_zero_without_flag_off<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let x = external(cs, "x", 5);
    is_zero_of(cs, &x, true, !planted);
}

pub fn is_zero_without_inverse<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let x = external(cs, "x", 0);
    is_zero_of(cs, &x, !planted, true);
}

pub fn free_inverse_used<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let x = external(cs, "x", 0);
    let flag = cs.witness("flag", F::ONE);
    let inverse = cs.free_hint("inverse", F::ZERO);
    let (rest, zero) = (cs.one().minus(&flag), cs.zero());
    cs.enforce("not zero has an inverse", &x, &inverse, &rest);
    cs.enforce("the flag is off unless zero", &x, &flag, &zero);
    let used = if planted { inverse } else { flag };
    let two = number(cs, 2);
    cs.product("what is used", &used, &two);
}

pub fn comparator_without_input_range<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (a, b) = (external(cs, "a", 3), external(cs, "b", 5));
    if !planted {
        enforce_range(cs, &a, 3);
        enforce_range(cs, &b, 3);
    }
    let shifted = a.minus(&b).plus(&number(cs, 8));
    enforce_range(cs, &shifted, 4);
}

pub fn two_hot<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let index = external(cs, "index", 4);
    let hot = bits(cs, 8, 4, true);
    let weigh = |sum: Lc<F>, (k, bit): (usize, &Lc<F>)| sum.plus_scaled(bit, F::from(k as u64 + 1));
    let weighted = hot.iter().enumerate().fold(cs.zero(), weigh);
    cs.enforce_equal("the hot bit is the index's", &weighted, &index);
    if !planted {
        let sum = hot.iter().fold(cs.zero(), |sum, bit| sum.plus(bit));
        let one = cs.one();
        cs.enforce_equal("one bit is hot", &sum, &one);
    }
}

pub fn select_with_unbound_flag<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (x, y) = (external(cs, "x", 3), external(cs, "y", 4));
    let wanted = external(cs, "wanted", 1);
    enforce_boolean(cs, &wanted);
    let flag = cs.witness("flag", F::ONE);
    enforce_boolean(cs, &flag);
    if !planted {
        cs.enforce_equal("the flag is the one wanted", &flag, &wanted);
    }
    cs.product("selected", &flag, &x.minus(&y));
}

pub fn padded_row_smuggles<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (active, signed) = (external(cs, "active", 0), external(cs, "signed amount", 5));
    let old = external(cs, "old", 7);
    enforce_boolean(cs, &active);
    let delta = cs.witness("delta", F::ZERO);
    if planted {
        let zero = cs.zero();
        cs.enforce("the amount is the signed one", &active, &delta.minus(&signed), &zero);
    } else {
        cs.enforce("the amount is the signed one", &active, &signed, &delta);
    }
    let new = cs.witness("new", F::from(7u64));
    cs.enforce_equal("new is old and delta", &new, &old.plus(&delta));
}

pub fn path_bit_not_boolean<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (node, sibling) = (external(cs, "node", 3), external(cs, "sibling", 4));
    let bit = external(cs, "path bit", 1);
    if !planted {
        enforce_boolean(cs, &bit);
    }
    let move_by = cs.product("selected", &bit, &sibling.minus(&node));
    let left = node.plus(&move_by);
    cs.product("a hash of both", &left, &sibling.minus(&move_by));
}

pub fn zero_has_both_signs<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let x = external(cs, "x", 3);
    let (sign, magnitude) = (cs.witness("sign", F::ZERO), cs.witness("magnitude", x.value()));
    enforce_boolean(cs, &sign);
    enforce_range(cs, &magnitude, 3);
    let factor = cs.one().plus_scaled(&sign, -F::from(2u64));
    cs.enforce("the value is signed magnitude", &factor, &magnitude, &x);
    if !planted {
        let flag = is_zero(cs, &magnitude);
        let zero = cs.zero();
        cs.enforce("zero is not negative", &flag, &sign, &zero);
    }
}

pub fn bits_not_canonical<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    // Seven bits reach the tiny modulus 127 itself: zero has two forms.
    let x = external(cs, "x", 5);
    let bits = enforce_range(cs, &x, 7);
    if !planted {
        let all = bits
            .iter()
            .skip(1)
            .fold(bits[0].clone(), |all, bit| cs.product("all bits so far", &all, bit));
        cs.enforce_zero("the bits are below the modulus", &all);
    }
}

pub fn root_of_either_sign<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let x = external(cs, "x", 9);
    let root = cs.witness("root", F::from(3u64));
    cs.enforce("the root squared", &root, &root, &x);
    cs.product("a use of the root", &root, &x);
    if !planted {
        enforce_range(cs, &root, 6);
    }
}

pub fn output_not_bound<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let output = cs.public_input(F::from(12u64));
    let (x, y) = (external(cs, "x", 3), external(cs, "y", 4));
    let product = cs.product("product", &x, &y);
    if !planted {
        cs.enforce_equal("the output is the product", &output, &product);
    }
}

pub fn outputs_swapped<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (first, second) = (cs.public_input(F::from(3u64)), cs.public_input(F::from(3u64)));
    let (x, y) = (external(cs, "x", 3), external(cs, "y", 3));
    cs.enforce_equal("the first output", &first, &x);
    cs.enforce_equal("the second output", &second, if planted { &x } else { &y });
}

pub fn carry_unranged<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (a, b) = (external(cs, "a", 6), external(cs, "b", 5));
    let (sum, carry) = (cs.witness("sum", F::from(3u64)), cs.witness("carry", F::ONE));
    enforce_range(cs, &sum, 3);
    if !planted {
        enforce_boolean(cs, &carry);
    }
    let both = sum.plus_scaled(&carry, F::from(8u64));
    cs.enforce_equal("sum and carry", &a.plus(&b), &both);
}

/// `1/(point − key)`.
fn fraction<F: PrimeField>(cs: &mut Cs<F>, point: &Lc<F>, key: &Lc<F>) -> Lc<F> {
    let difference = point.minus(key);
    let inverse = cs.witness("fraction", F::ONE / difference.value());
    let one = cs.one();
    cs.enforce("one over the difference", &difference, &inverse, &one);
    inverse
}

pub fn lookup_operands_swapped<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (account, instrument) = (external(cs, "account", 2), external(cs, "instrument", 9));
    let (point, beta) = (external(cs, "point", 100), external(cs, "beta", 5));
    let scaled_instrument = cs.product("scaled", &beta, &instrument);
    let slot = account.plus(&scaled_instrument);
    let leg = if planted {
        let scaled_account = cs.product("scaled", &beta, &account);
        instrument.plus(&scaled_account)
    } else {
        slot.clone()
    };
    let (left, right) = (fraction(cs, &point, &slot), fraction(cs, &point, &leg));
    cs.enforce_equal("slots and legs agree", &left, &right);
}

pub fn free_multiplicity<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (value, point) = (external(cs, "value", 4), external(cs, "point", 100));
    let table = [number(cs, 3), number(cs, 4)];
    let mut sum = cs.zero();
    for entry in &table {
        let multiplicity = if planted {
            cs.witness("multiplicity", F::from(value.value() == entry.value()))
        } else {
            is_zero(cs, &value.minus(entry))
        };
        let fraction = fraction(cs, &point, entry);
        sum = sum.plus(&cs.product("its share", &multiplicity, &fraction));
    }
    let looked_up = fraction(cs, &point, &value);
    cs.enforce_equal("look-ups and table agree", &looked_up, &sum);
}

pub fn addition_with_free_slope<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let second = if planted { [5, 6] } else { [7, 10] };
    let (x1, y1) = (external(cs, "x1", 5), external(cs, "y1", 6));
    let (x2, y2) = (external(cs, "x2", second[0]), external(cs, "y2", second[1]));
    let (run, rise) = (x2.minus(&x1), y2.minus(&y1));
    let slope = cs.witness("slope", rise.value() * run.value().inverse().unwrap_or(F::ZERO));
    cs.enforce("the slope of the chord", &slope, &run, &rise);
    if !planted {
        enforce_not_zero(cs, &run);
    }
    let square = cs.product("slope squared", &slope, &slope);
    let x3 = square.minus(&x1).minus(&x2);
    cs.product("the third point", &slope, &x1.minus(&x3));
}

pub fn constants_under_a_guard<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let guard = external(cs, "guard", 0);
    enforce_boolean(cs, &guard);
    if !planted {
        let (difference, zero) = (number(cs, 3), cs.zero());
        cs.enforce("unequal constants are never compared", &guard, &difference, &zero);
    }
}

pub fn selector_off_loses_constraint<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (selector, x) = (external(cs, "selector", 0), external(cs, "x", 9));
    let out = cs.witness("out", F::ZERO);
    if planted {
        let zero = cs.zero();
        cs.enforce("the output if selected", &selector, &out.minus(&x), &zero);
    } else {
        cs.enforce("the output if selected", &selector, &x, &out);
    }
}

pub fn leaf_updated_twice<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (first, second) = (external(cs, "first index", 2), external(cs, "second index", 5));
    if !planted {
        let gap = second.minus(&first).minus(&cs.one());
        enforce_range(cs, &gap, 3);
    }
    cs.product("both leaves", &first, &second);
}

pub fn packing_not_injective<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let x = external(cs, "x", 6);
    let (low, high) = (cs.witness("low", F::from(2u64)), cs.witness("high", F::ONE));
    enforce_range(cs, &low, if planted { 3 } else { 2 });
    enforce_range(cs, &high, 2);
    let both = low.plus_scaled(&high, F::from(4u64));
    cs.enforce_equal("the parts of the value", &both, &x);
}

pub fn missing_final_check<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (key, message) = (external(cs, "key", 3), external(cs, "message", 4));
    let signature = external(cs, "signature", 12);
    let expected = cs.product("expected", &key, &message);
    let used = cs.product("a use", &signature, &message);
    if !planted {
        cs.enforce_equal("the signature is valid", &signature, &expected);
    }
    cs.product("more use", &used, &expected);
}

pub fn nullifier_with_free_salt<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let key = external(cs, "key", 3);
    let salt = if planted { cs.witness("salt", F::from(7u64)) } else { external(cs, "salt", 7) };
    let square = cs.product("salted", &key.plus(&salt), &key);
    cs.product("nullifier", &square, &square);
}

pub fn sum_in_too_few_bits<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (a, b) = (external(cs, "a", 5), external(cs, "b", 6));
    enforce_range(cs, &a, 3);
    enforce_range(cs, &b, 3);
    enforce_range(cs, &a.plus(&b), if planted { 3 } else { 4 });
}

pub fn checks_added_up<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| external(cs, name, 4));
    if planted {
        cs.enforce_zero("both pairs are equal", &a.minus(&b).plus(&c).minus(&d));
    } else {
        cs.enforce_equal("the first pair is equal", &a, &b);
        cs.enforce_equal("the second pair is equal", &c, &d);
    }
}

pub fn zero_over_zero<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let [n, d] = if planted { [0, 0] } else { [6, 3] };
    let (n, d) = (external(cs, "n", n), external(cs, "d", d));
    let quotient = cs.witness("quotient", n.value() * d.value().inverse().unwrap_or(F::ZERO));
    cs.enforce("the quotient", &quotient, &d, &n);
    if !planted {
        enforce_not_zero(cs, &d);
    }
}

pub fn equal_by_squares<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let x = external(cs, "x", 5);
    let copy = cs.witness("copy", x.value());
    if planted {
        let square = cs.product("squared", &x, &x);
        cs.enforce("equal squares", &copy, &copy, &square);
    } else {
        cs.enforce_equal("equal values", &copy, &x);
    }
    cs.product("a use of the copy", &copy, &x);
}

pub fn maximum_not_attained<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (a, b) = (external(cs, "a", 3), external(cs, "b", 5));
    let maximum = cs.witness("maximum", F::from(5u64));
    enforce_range(cs, &maximum.minus(&a), 3);
    enforce_range(cs, &maximum.minus(&b), 3);
    if !planted {
        let zero = cs.zero();
        cs.enforce("it is one of them", &maximum.minus(&a), &maximum.minus(&b), &zero);
    }
}

pub fn hint_assigned_not_constrained<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    let (x, y) = (external(cs, "x", 3), external(cs, "y", 4));
    let sum = cs.witness("sum", x.value() + y.value());
    if !planted {
        cs.enforce_equal("the sum", &sum, &x.plus(&y));
    } else {
        cs.product("another use", &x, &y);
    }
}

pub fn limb_scale_wrong<F: PrimeField>(cs: &mut Cs<F>, planted: bool) {
    // The product of the high limbs is scaled as if it were a cross term.
    let (high, low) = (external(cs, "high", 2), external(cs, "low", 3));
    let product = external(cs, "square", 121);
    let [hh, hl, ll] = [(&high, &high), (&high, &low), (&low, &low)]
        .map(|(left, right)| cs.product("limb product", left, right));
    let high_scale = F::from(if planted { 4u64 } else { 16 });
    let sum = ll.plus_scaled(&hl, F::from(8u64)).plus_scaled(&hh, high_scale);
    cs.enforce_equal("the square of both limbs", &sum, &product);
}
