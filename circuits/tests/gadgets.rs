//! Gadgets against the native rules, at their bounds, and under forged witnesses.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use zkmargin_circuits::cs::{Assignment, Cs, Lc, Mode, R1cs};
use zkmargin_circuits::gadgets::boolean::Bool;
use zkmargin_circuits::gadgets::comparator::{
    enforce_less_or_equal, enforce_max, enforce_nonzero, is_less_than, is_zero,
};
use zkmargin_circuits::gadgets::integer::{Int, Uint, power_of_two, signed};
use zkmargin_circuits::gadgets::poseidon as gadget;
use zkmargin_protocol::poseidon as native;

/// A gadget written down in both modes.
struct Written<F: PrimeField, T> {
    result: T,
    constraints: usize,
    unsatisfied: Option<&'static str>,
    assignment: Assignment<F>,
    r1cs: R1cs<F>,
}

/// Writes `body` in both modes and demands the same variables, the same verdict at once and from the matrices.
fn write<F: PrimeField, T>(body: impl Fn(&mut Cs<F>) -> T) -> Written<F, T> {
    let mut fast = Cs::new(Mode::Witness);
    body(&mut fast);
    let mut cs = Cs::new(Mode::Shape);
    let result = body(&mut cs);
    let constraints = cs.constraints();
    let failure = cs.unsatisfied();
    assert_eq!(fast.unsatisfied().map(|u| u.index), failure.map(|u| u.index), "modes disagree");
    let (fast, _) = fast.finish();
    let (assignment, r1cs) = cs.finish();
    let r1cs = r1cs.expect("shape mode");
    assert_eq!(fast, assignment, "modes differ");
    let found = r1cs.first_unsatisfied(&assignment.full());
    assert_eq!(found.map(|u| u.index), failure.map(|u| u.index), "matrices differ from values");
    assert_eq!(r1cs.constraints(), constraints);
    Written { result, constraints, unsatisfied: failure.map(|u| u.label.what), assignment, r1cs }
}

impl<F: PrimeField, T> Written<F, T> {
    /// The label that fails when the `k`-th witness called `name` is `value` instead.
    fn forged(&self, name: &str, k: usize, value: F) -> Option<&'static str> {
        let mut named = (0..self.r1cs.witnesses).filter(|&w| self.r1cs.name(w).0 == name);
        let column = self.r1cs.instances + named.nth(k).expect("a witness of that name");
        let mut assignment = self.assignment.full();
        assert_ne!(assignment[column], value, "not a forgery");
        assignment[column] = value;
        self.r1cs.first_unsatisfied(&assignment).map(|u| u.label.what)
    }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn externals<F: PrimeField>(cs: &mut Cs<F>, values: &[F]) -> Vec<Lc<F>> {
    values.iter().map(|&value| cs.external("input", value)).collect()
}

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
            assert_eq!(written.unsatisfied, expected, "{value} in {bits} bits");
        }
    }
}

#[test]
fn signed_range_check_and_sign() {
    for bits in [1, 8, 40, 64] {
        let half = 1i128 << (bits - 1);
        for value in [-half - 1, -half, 1 - half, -1, 0, 1, half - 1, half, half + 1] {
            let fits = (-half..half).contains(&value);
            let checked = write(|cs| {
                let x = cs.external("x", signed::<Fr>(value));
                Int::range_check(cs, "range of x", &x, bits).is_negative().value()
            });
            assert_eq!(checked.unsatisfied, (!fits).then_some("range of x"), "{value} in {bits}");
            assert_eq!(checked.constraints, bits as usize);
            let made = write(|cs: &mut Cs<Fr>| {
                let x = Int::witness(cs, "x", value, bits);
                let negative = x.negative_part(cs).lc().value();
                (x.lc().value(), x.is_negative().value(), negative)
            });
            assert_eq!(made.unsatisfied, None);
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
    assert_eq!((written.constraints, written.unsatisfied), (8, None));
    let written = write(|cs: &mut Cs<Fr>| Int::witness(cs, "x", i128::MIN, 8).lc().value());
    assert_eq!((written.result, written.unsatisfied), (Fr::ZERO, None));
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
            assert_eq!(in_order.unsatisfied, (!accepted).then_some("order"), "{a} <= {b}");
            let less = write(|cs| {
                let [a, b] = [signed::<Fr>(a), signed(b)].map(|x| cs.external("x", x));
                is_less_than(cs, "spread", &a, &b, bits).value()
            });
            assert_eq!(less.constraints, bits as usize + 1);
            if (-bound..bound).contains(&difference) {
                assert_eq!((less.result, less.unsatisfied), (a < b, None), "{a} < {b}");
            } else {
                assert_eq!(less.unsatisfied, Some("spread"));
            }
        }
    }
    // Field elements that stand for no small difference are refused, those around (p ± 1)/2 included.
    for value in lattice(&[41, 253]).into_iter().filter(|&x| !is_in(x, bits)) {
        let written = write(|cs| {
            let (zero, x) = (cs.zero(), cs.external("x", value));
            enforce_less_or_equal(cs, "order", &zero, &x, bits);
        });
        assert_eq!(written.unsatisfied, Some("order"), "{value}");
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
        assert_eq!(written.unsatisfied, (!accepted).then_some("greatest"), "{max} {values:?}");
    }
}

#[test]
fn zero_and_its_inverse() {
    for value in lattice(&[40]) {
        let written = write(|cs| {
            let x = cs.external("x", value);
            is_zero(cs, &x).value()
        });
        assert_eq!((written.result, written.unsatisfied), (value == Fr::ZERO, None));
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
        assert_eq!(nonzero.unsatisfied, (value == Fr::ZERO).then_some("not zero"));
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
        assert_eq!((written.constraints, written.unsatisfied), (5, None));
        assert!(written.forged("select", 0, Fr::from(6u64)).is_some());
    }
}

#[test]
fn poseidon_equals_the_native_hash() {
    let mut rng = rng(1);
    for arity in 1..=16 {
        let t = arity + 1;
        let inputs: Vec<Fr> = (0..arity).map(|_| Fr::rand(&mut rng)).collect();
        let written = write(|cs| {
            let inputs = externals(cs, &inputs);
            gadget::hash(cs, &inputs).value()
        });
        assert_eq!(written.result, native::hash(&inputs), "{arity} inputs");
        assert_eq!(written.unsatisfied, None);
        let boxes = 8 * t + native::PARTIAL_ROUNDS[t - 2];
        assert_eq!(written.constraints, 3 * boxes - 3);
        assert_eq!(written.r1cs.witnesses, arity + 3 * boxes - 3);
        let nonzeros = written.r1cs.nonzeros();
        println!("poseidon t={t}: {} constraints, {nonzeros} nonzeros", written.constraints);
        assert!(nonzeros < 40_000);
        for name in ["poseidon lane 0", "poseidon output", "poseidon x^2", "poseidon x^4", "input"]
        {
            assert!(written.forged(name, 0, Fr::rand(&mut rng)).is_some(), "forged {name}");
        }
    }
}

#[test]
fn permutation_equals_the_native_one() {
    for t in [2, 5, 17] {
        let values: Vec<Fr> = (0..t).map(|k| Fr::from(k as u64)).collect();
        let written = write(|cs| {
            let state = externals(cs, &values).into_iter().map(gadget::Lane::Wire).collect();
            gadget::permute(cs, state).iter().map(Lc::value).collect::<Vec<_>>()
        });
        let mut expected = values;
        native::permute(&mut expected);
        assert_eq!(written.result, expected);
        assert_eq!(written.unsatisfied, None);
        assert_eq!(written.constraints, 3 * (8 * t + native::PARTIAL_ROUNDS[t - 2]));
        let nonzeros = written.r1cs.nonzeros();
        println!("permutation t={t}: {} constraints, {nonzeros} nonzeros", written.constraints);
        assert!(nonzeros < 40_000);
    }
}

#[test]
fn sponge_equals_the_native_one() {
    let mut rng = rng(2);
    let tag = Fr::from(99u64);
    for length in [0, 1, 15, 16, 17, 32, 40] {
        let values: Vec<Fr> = (0..length).map(|_| Fr::rand(&mut rng)).collect();
        let written = write(|cs| {
            let elements = externals(cs, &values);
            gadget::sponge_hash(cs, tag, &elements).value()
        });
        assert_eq!(written.result, native::sponge_hash(tag, &values), "{length} elements");
        assert_eq!(written.unsatisfied, None);
        let constant_lanes = 1 + 16usize.saturating_sub(length);
        let blocks = length.div_ceil(16).max(1);
        assert_eq!(written.constraints, 612 * blocks - 3 * constant_lanes);

        let pieces = write(|cs| {
            let elements = externals(cs, &values);
            let mut sponge = gadget::Sponge::new(tag, length);
            elements.chunks(7).for_each(|piece| sponge.absorb(cs, piece));
            sponge.squeeze(cs, 16).iter().map(Lc::value).collect::<Vec<_>>()
        });
        let mut sponge = native::Sponge::new(tag, length);
        sponge.absorb(&values);
        assert_eq!((pieces.result, pieces.unsatisfied), (sponge.squeeze(16), None));
    }
}
