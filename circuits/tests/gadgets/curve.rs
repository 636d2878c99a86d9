//! Points and their multiples.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField, UniformRand};
use zkmargin_circuits::gadgets::curve::PointVar;
use zkmargin_circuits::gadgets::fixed_base::fixed_base_mul;
use zkmargin_circuits::gadgets::scalar::subgroup_order;
use zkmargin_circuits::gadgets::variable_base::multiply_by_8_and;
use zkmargin_protocol::crypto::babyjubjub::{BASE8, Point, SUBGROUP_ORDER, Scalar};

use crate::{rng, write};

/// A point of order 8·l: circomlib's generator of the whole group.
fn generator() -> Point {
    let coordinate = |text: &str| text.parse::<Fr>().unwrap();
    Point {
        x: coordinate(
            "995203441582195749578291179787384436505546430278305826713579947235728471134",
        ),
        y: coordinate(
            "5472060717959818805561601436314318772137091100104008585924551046643952123905",
        ),
    }
}

/// The 8 points of small order.
fn torsion() -> Vec<Point> {
    let eighth = generator().mul(SUBGROUP_ORDER);
    (0..8u64).map(|k| eighth.mul(BigInt::from(k))).collect()
}

fn random_key(seed: u64) -> Point {
    BASE8.mul(Scalar::rand(&mut rng(seed)).into_bigint())
}

fn two_to(exponent: u64) -> Fr {
    Fr::from(2u64).pow([exponent])
}

#[test]
fn complete_addition_equals_the_native_one() {
    let [p, q] = [random_key(1), random_key(2)];
    let mut points = torsion();
    points.extend([p, p.neg(), q, generator(), p.add(&points[1])]);
    for a in &points {
        for b in &points {
            let written = write(|cs| {
                let [a, b] = [a, b].map(|point| PointVar::external(cs, "input", point));
                let sum = a.add(cs, &b);
                sum.enforce_on_curve(cs);
                sum.value()
            });
            assert_eq!((written.result, written.failure()), (a.add(b), None));
            assert_eq!(written.constraints, 6 + 3);
        }
    }
}

#[test]
fn membership_in_the_prime_subgroup() {
    let check = |point: &Point| {
        write(|cs| {
            let point = PointVar::external(cs, "input", point);
            point.enforce_in_prime_subgroup(cs);
        })
    };
    for k in 1..8 {
        let written = check(&random_key(k));
        assert_eq!((written.constraints, written.failure()), (17, None));
    }
    check(&BASE8).audit("prime subgroup");
    let key = random_key(9);
    let mut refused = torsion();
    refused.extend(torsion()[1..].iter().map(|torsion| key.add(torsion)));
    refused.push(generator());
    refused.push(Point { x: Fr::ONE, y: Fr::ONE });
    refused.push(Point { x: key.y, y: key.x });
    refused.push(Point { x: Fr::ZERO, y: Fr::ZERO });
    for point in refused {
        assert!(check(&point).failure().is_some(), "{point:?}");
    }
}

#[test]
fn forged_eighth_outside_of_the_curve_is_unsatisfied() {
    let key = random_key(3);
    let written = write(|cs| PointVar::external(cs, "input", &key).enforce_in_prime_subgroup(cs));
    for (name, k) in [("eighth of a point", 0), ("eighth of a point", 1), ("tangent", 0)] {
        assert!(written.forged(name, k, Fr::from(3u64)).is_some(), "forged {name}");
    }
}

#[test]
fn multiples_of_base8() {
    let mut rng = rng(4);
    let l = subgroup_order();
    let bound = two_to(249);
    let one = Fr::ONE;
    let mut scalars = vec![
        one,
        Fr::from(2u64),
        bound,
        bound - Fr::from(2u64),
        bound.double() - one,
        bound.double(),
        bound.double() + one,
        l - one,
        l - bound,
    ];
    scalars.extend((0..6).map(|_| {
        let scalar = Scalar::rand(&mut rng).into_bigint();
        Fr::from_bigint(scalar).unwrap()
    }));
    let multiply = |scalar: Fr| {
        write(|cs| {
            let scalar = cs.external("input", scalar);
            fixed_base_mul(cs, &scalar).value()
        })
    };
    for &scalar in &scalars {
        let written = multiply(scalar);
        assert_eq!(written.failure(), None, "{scalar}");
        assert_eq!(written.result, BASE8.mul(scalar.into_bigint()), "{scalar}");
        assert_eq!(written.constraints, 671);
    }
    println!("fixed base: {} nonzeros", multiply(l - one).r1cs.nonzeros());
    let report = multiply(scalars[12]).audit("fixed base");
    assert_eq!((report.core, report.assertions), (0, vec![1]));
    // Not below l; what a comparator gets wrong around (p ± 1)/2; and the scalars whose sums have
    // no slope.
    let half = Fr::from(2u64).inverse().unwrap();
    let what = "scalar below the subgroup order";
    for scalar in [l + one, l.double(), l + Fr::from(5u64), -one, half, -half, -l] {
        assert_eq!(multiply(scalar).failure(), Some(what), "{scalar}");
    }
    for scalar in [Fr::ZERO, l, bound - one, l - bound + one] {
        assert_eq!(multiply(scalar).failure(), Some("last summand of another abscissa"));
    }
}

#[test]
fn forged_windows_are_unsatisfied() {
    let written = write(|cs| {
        let scalar = cs.external("input", Fr::from(1_234_567u64));
        fixed_base_mul(cs, &scalar).value()
    });
    for name in ["scalar bit", "scalar sign", "window x", "window y", "chord", "abscissa", "point"]
    {
        assert!(written.forged(name, 0, Fr::from(3u64)).is_some(), "forged {name}");
    }
    // Another scalar of the same residue: S + l does not fit where S was.
    assert!(written.forged("input", 0, Fr::from(1_234_567u64) + subgroup_order()).is_some());
}

#[test]
fn multiples_of_a_key_by_a_challenge() {
    let mut rng = rng(5);
    let l = subgroup_order();
    let key = random_key(6);
    let multiply = |challenge: Fr| {
        write(|cs| {
            let point = PointVar::external(cs, "input", &key);
            let challenge = cs.external("challenge", challenge);
            multiply_by_8_and(cs, &point, &challenge).value()
        })
    };
    let expected = |challenge: Fr| {
        let residue = Scalar::from_le_bytes_mod_order(&challenge.into_bigint().to_bytes_le());
        key.mul((residue * Scalar::from(8u64)).into_bigint())
    };
    let near = two_to(150);
    let mut challenges = vec![near, near + Fr::ONE, two_to(200), two_to(250), two_to(253)];
    for k in 1..=7u64 {
        let multiple = l * Fr::from(k);
        challenges.extend([multiple + near, multiple - near, multiple + two_to(249)]);
    }
    challenges.push(-near);
    challenges.extend((0..6).map(|_| Fr::rand(&mut rng)));
    for &challenge in &challenges {
        let written = multiply(challenge);
        assert_eq!(written.failure(), None, "{challenge}");
        assert_eq!(written.result, expected(challenge), "{challenge}");
        assert_eq!(written.constraints, 1_630);
    }
    let written = multiply(*challenges.last().unwrap());
    println!("variable base: {} nonzeros", written.r1cs.nonzeros());
    let report = written.audit("variable base");
    assert_eq!((report.core, report.assertions), (0, vec![1]));
    for name in ["digit", "digit y", "signed ordinate", "low digits", "quotient", "remainder sign"]
    {
        assert!(written.forged(name, 0, Fr::from(17u64)).is_some(), "forged {name}");
    }
    let flipped = -written.named("signed ordinate", 149);
    assert!(written.forged("signed ordinate", 149, flipped).is_some(), "the other sign");
    // Around the multiples of l no magnitude will do: among these are all h which have an alias h +
    // p.
    let what = "challenge far from the multiples of l";
    for challenge in
        [Fr::ZERO, Fr::from(5u64), near - Fr::ONE, l, l + Fr::ONE, l - Fr::ONE, -Fr::ONE]
    {
        assert_eq!(multiply(challenge).failure(), Some(what), "{challenge}");
    }
    // 8l − p, of 126 bits: the greatest h with an alias h + p below 8l.
    assert_eq!(multiply(l * Fr::from(8u64)).failure(), Some(what));
    // The result would be the identity.
    let half = (l - Fr::ONE) * Fr::from(2u64).inverse().unwrap();
    assert_eq!(multiply(half).failure(), Some("second chord"));
}
