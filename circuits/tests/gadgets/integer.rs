//! Bits, ranges and comparators.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, PrimeField};
use zkmargin_circuits::cs::Cs;
use zkmargin_circuits::gadgets::boolean::Bool;
use zkmargin_circuits::gadgets::comparator::{
    enforce_less_or_equal, enforce_max, enforce_nonzero, is_less_than, is_zero,
};
use zkmargin_circuits::gadgets::integer::{Signed, Uint, power_of_two, signed};

use crate::{externals, write};

/// 0, 1, p − 1, (p ± 1)/2, and around each power of two given.
fn lattice(powers: &[u32]) -> Vec<Fr> {
    let half = Fr::from(2u64).inverse().unwrap();
    let mut values = vec![Fr::ZERO, Fr::ONE, -Fr::ONE, half, -half];
    for &power in powers {
        let bound = power_of_two::<Fr>(power);
        values.extend([bound - Fr::ONE, bound, bound + Fr::ONE, -bound, Fr::ONE - bound]);
    }
    values
}

fn is_in(value: Fr, bits: u32) -> bool {
    value.into_bigint() < power_of_two::<Fr>(bits).into_bigint()
}

#[test]
fn range_check_accepts_exactly_the_range() {
    for bits in [1, 2, 40, 64, 253] {
        for value in lattice(&[0, 1, 2, 40, 64, 253]) {
            let written = write(|cs| {
                let x = cs.external("x", value);
                Uint::range_check(cs, "range of x", &x, bits);
            });
            assert_eq!(written.constraints, bits as usize);
            assert_eq!(written.r1cs.witnesses, bits as usize);
            let expected = (!is_in(value, bits)).then_some("range of x");
            assert_eq!(written.failure(), expected, "{value} in {bits} bits");
        }
    }
}

/// Values near the modulus that comparators without ranges took for small: a withdrawal of more
/// than the balance, a nonce beyond its limit.
#[test]
fn range_check_refuses_the_recorded_overflows() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/margin/adversarial_cases.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: margin/adversarial_cases.json (../shared/data absent)");
        return;
    };
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = json["cases"].as_array().unwrap().iter();
    let case = cases.into_iter().find(|case| case["id"] == "comparator_overflow_spend").unwrap();
    let mut seen = 0;
    for case in case["inputs"]["cases"].as_array().unwrap() {
        for (name, bits) in [("withdraw", 64), ("topup", 64), ("nonce", 40)] {
            let Some(text) = case[name].as_str() else { continue };
            let value: Fr = text.parse().unwrap();
            let written = write(|cs| {
                let x = cs.external("x", value);
                Uint::range_check(cs, "range of x", &x, bits);
            });
            assert_eq!(written.failure(), Some("range of x"), "{name} {text}");
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn signed_range_check_and_sign() {
    for bits in [1, 8, 40, 64] {
        let half = 1i128 << (bits - 1);
        for value in [-half - 1, -half, 1 - half, -1, 0, 1, half - 1, half, half + 1] {
            let fits = (-half..half).contains(&value);
            let checked = write(|cs| {
                let x = cs.external("x", signed::<Fr>(value));
                Signed::range_check(cs, "range of x", &x, bits).is_negative().value()
            });
            assert_eq!(checked.failure(), (!fits).then_some("range of x"), "{value} in {bits}");
            assert_eq!(checked.constraints, bits as usize);
            let made = write(|cs: &mut Cs<Fr>| {
                let x = Signed::witness(cs, "x", value, bits);
                let negative = x.negative_part(cs).lc().value();
                (x.lc().value(), x.is_negative().value(), negative)
            });
            assert_eq!(made.failure(), None);
            if fits {
                assert_eq!(checked.result, value < 0);
                let expected = (signed(value), value < 0, signed(0.max(-value)));
                assert_eq!(made.result, expected);
            }
        }
    }
}

#[test]
fn witnesses_that_do_not_fit_are_reduced() {
    let written = write(|cs: &mut Cs<Fr>| Uint::witness(cs, "x", 300, 8).lc().value());
    assert_eq!(written.result, Fr::from(44u64));
    assert_eq!((written.constraints, written.failure()), (8, None));
    let written = write(|cs: &mut Cs<Fr>| Signed::witness(cs, "x", i128::MIN, 8).lc().value());
    assert_eq!((written.result, written.failure()), (Fr::ZERO, None));
}

#[test]
fn comparators_on_the_lattice_of_bounds() {
    let bits = 40;
    let bound = 1i128 << bits;
    let points = [-bound, 1 - bound, -1, 0, 1, bound - 1, bound];
    for base in [0i128, 5, bound - 1, -bound / 2] {
        for difference in points {
            let (a, b) = (base + difference, base);
            let in_order = write(|cs| {
                let [a, b] = [signed::<Fr>(a), signed(b)].map(|x| cs.external("x", x));
                enforce_less_or_equal(cs, "order", &a, &b, bits);
            });
            assert_eq!(in_order.constraints, bits as usize);
            let accepted = a <= b && b - a < bound;
            assert_eq!(in_order.failure(), (!accepted).then_some("order"), "{a} <= {b}");
            let less = write(|cs| {
                let [a, b] = [signed::<Fr>(a), signed(b)].map(|x| cs.external("x", x));
                is_less_than(cs, "spread", &a, &b, bits).value()
            });
            assert_eq!(less.constraints, bits as usize + 1);
            if (-bound..bound).contains(&difference) {
                assert_eq!((less.result, less.failure()), (a < b, None), "{a} < {b}");
            } else {
                assert_eq!(less.failure(), Some("spread"));
            }
        }
    }
    // Field elements that stand for no small difference are refused, those around (p ± 1)/2
    // included.
    for value in lattice(&[41, 253]).into_iter().filter(|&x| !is_in(x, bits)) {
        let written = write(|cs| {
            let (zero, x) = (cs.zero(), cs.external("x", value));
            enforce_less_or_equal(cs, "order", &zero, &x, bits);
        });
        assert_eq!(written.failure(), Some("order"), "{value}");
    }
}

#[test]
fn greatest_value() {
    for (max, values, accepted) in [
        (7, vec![7], true),
        (7, vec![6], false),
        (7, vec![1, 7, -3, 7], true),
        (8, vec![1, 7, -3], false),
        (6, vec![1, 7, 6], false),
        (-3, vec![-3, -9], true),
    ] {
        let written = write(|cs| {
            let max = cs.external("max", signed::<Fr>(max));
            let values: Vec<_> = values.iter().map(|&v| signed(v)).collect();
            let values = externals(cs, &values);
            enforce_max(cs, "greatest", &max, &values, 8);
        });
        let expected = if values.len() == 1 { 8 + 1 } else { 9 * values.len() - 1 };
        assert_eq!(written.constraints, expected);
        assert_eq!(written.failure(), (!accepted).then_some("greatest"), "{max} {values:?}");
    }
}

#[test]
fn zero_and_its_inverse() {
    for value in lattice(&[40]) {
        let written = write(|cs| {
            let x = cs.external("x", value);
            is_zero(cs, &x).value()
        });
        assert_eq!((written.result, written.failure()), (value == Fr::ZERO, None));
        assert_eq!(written.constraints, 2);
        let claim = if value == Fr::ZERO { Fr::ZERO } else { Fr::ONE };
        assert!(written.forged("is zero", 0, claim).is_some(), "forged verdict on {value}");
        // The inverse of zero is the one free hint.
        let inverse = written.forged("inverse of zero", 0, Fr::from(77u64));
        assert_eq!(inverse.is_none(), value == Fr::ZERO);

        let nonzero = write(|cs| {
            let x = cs.external("x", value);
            enforce_nonzero(cs, "not zero", &x);
        });
        assert_eq!(nonzero.constraints, 1);
        assert_eq!(nonzero.failure(), (value == Fr::ZERO).then_some("not zero"));
    }
}

#[test]
fn forged_bits_are_unsatisfied() {
    let written = write(|cs| {
        let x = cs.external("x", Fr::from(5u64));
        Uint::range_check(cs, "range of x", &x, 4);
    });
    assert_eq!(written.forged("bit", 0, Fr::ONE), Some("range of x"));
    assert_eq!(written.forged("bit", 1, Fr::from(2u64)), Some("bit"));
}

#[test]
fn truth_tables() {
    for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
        let written = write(|cs: &mut Cs<Fr>| {
            let [a, b] = [a, b].map(|x| Bool::external(cs, "x", x));
            let results = [a.and(cs, &b), a.or(cs, &b), a.not(cs)].map(|x| x.value());
            let [x, y] = [3u64, 8].map(|x| cs.external("y", Fr::from(x)));
            (results, a.select(cs, &x, &y).value())
        });
        let selected = Fr::from(if a { 3u64 } else { 8 });
        assert_eq!(written.result, ([a && b, a || b, !a], selected));
        assert_eq!((written.constraints, written.failure()), (5, None));
        assert!(written.forged("select", 0, Fr::from(6u64)).is_some());
    }
}
