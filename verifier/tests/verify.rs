//! Verdicts on keys and proofs, each refusal by its reason.

mod simulator;

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::pairing::Pairing;
use ark_ff::{AdditiveGroup, Field};
use simulator::Trapdoor;
use zkmargin_verifier::{KeyPolicy, Point, PreparedKey, Proof, VerifyError, VerifyingKey, verify};

fn prepared(trapdoor: &Trapdoor) -> PreparedKey {
    PreparedKey::new(&trapdoor.key(), KeyPolicy::Strict).unwrap()
}

fn fr(value: u64) -> Fr {
    Fr::from(value)
}

/// A point on the twist, outside the subgroup: the first x whose y exists and whose point fails.
fn outside_subgroup() -> G2Affine {
    (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::ONE), true))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap()
}

#[test]
fn accepts_a_proof_of_another_implementation() {
    use ark_groth16::Groth16;
    use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
    use ark_relations::lc;
    use ark_snark::SNARK;

    /// x · y = z and x + y = s, with z and s public.
    struct Product([Fr; 2]);
    impl ConstraintSynthesizer<Fr> for Product {
        fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
            let [x, y] = self.0;
            let z = cs.new_input_variable(|| Ok(x * y))?;
            let s = cs.new_input_variable(|| Ok(x + y))?;
            let a = cs.new_witness_variable(|| Ok(x))?;
            let b = cs.new_witness_variable(|| Ok(y))?;
            cs.enforce_r1cs_constraint(|| lc!() + a, || lc!() + b, || lc!() + z)?;
            let one = ark_relations::gr1cs::Variable::One;
            cs.enforce_r1cs_constraint(|| lc!() + a + b, || lc!() + one, || lc!() + s)
        }
    }

    let rng = &mut <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1);
    let (pk, vk) = Groth16::<Bn254>::circuit_specific_setup(Product([fr(0), fr(0)]), rng).unwrap();
    let proof = Groth16::<Bn254>::prove(&pk, Product([fr(3), fr(5)]), rng).unwrap();
    let key = VerifyingKey {
        alpha_g1: vk.alpha_g1,
        beta_g2: vk.beta_g2,
        gamma_g2: vk.gamma_g2,
        delta_g2: vk.delta_g2,
        ic: vk.gamma_abc_g1,
    };
    let key = PreparedKey::new(&key, KeyPolicy::Strict).unwrap();
    let proof = Proof { a: proof.a, b: proof.b, c: proof.c };
    verify(&key, &[fr(15), fr(8)], &proof).unwrap();
    assert_eq!(verify(&key, &[fr(8), fr(15)], &proof), Err(VerifyError::PairingFailed));
}

#[test]
fn accepts_any_number_of_inputs() {
    for count in [0, 1, 3, 8] {
        let mut trapdoor = Trapdoor::new("counts", count);
        let inputs: Vec<Fr> = (0..count).map(|_| trapdoor.draw()).collect();
        let proof = trapdoor.prove(&inputs);
        verify(&prepared(&trapdoor), &inputs, &proof).unwrap();
    }
}

#[test]
fn rejects_input_count_even_when_the_missing_input_is_zero() {
    let mut trapdoor = Trapdoor::new("input count", 3);
    let key = prepared(&trapdoor);
    let inputs = [fr(7), fr(9), Fr::ZERO];
    let proof = trapdoor.prove(&inputs);
    verify(&key, &inputs, &proof).unwrap();
    for wrong in [&inputs[..2], &[fr(7), fr(9), Fr::ZERO, Fr::ZERO], &[]] {
        let expected = VerifyError::InputCount { expected: 3, got: wrong.len() };
        assert_eq!(verify(&key, wrong, &proof), Err(expected));
    }
}

#[test]
fn rejects_every_changed_input_and_point() {
    let mut trapdoor = Trapdoor::new("changes", 3);
    let key = prepared(&trapdoor);
    let inputs = [fr(1), fr(2), fr(3)];
    let proof = trapdoor.prove(&inputs);
    let other = trapdoor.prove(&[fr(1), fr(2), fr(4)]);
    for index in 0..3 {
        let mut changed = inputs;
        changed[index] += Fr::ONE;
        assert_eq!(verify(&key, &changed, &proof), Err(VerifyError::PairingFailed));
    }
    let mixes = [
        Proof { a: other.a, ..proof.clone() },
        Proof { b: other.b, ..proof.clone() },
        Proof { c: other.c, ..proof.clone() },
        Proof { a: -proof.a, ..proof.clone() },
        other,
    ];
    for mix in mixes {
        assert_eq!(verify(&key, &inputs, &mix), Err(VerifyError::PairingFailed));
    }
    // Malleated, and a proof all the same: proof bytes identify nothing.
    verify(&key, &inputs, &Proof { a: -proof.a, b: -proof.b, c: proof.c }).unwrap();
}

#[test]
fn rejects_points_off_their_groups() {
    let mut trapdoor = Trapdoor::new("points", 1);
    let key = prepared(&trapdoor);
    let inputs = [fr(5)];
    let good = trapdoor.prove(&inputs);
    let off_g1 = G1Affine::new_unchecked(Fq::ONE, Fq::ONE);
    let off_g2 = G2Affine::new_unchecked(Fq2::ONE, Fq2::ONE);
    let cases = [
        (Proof { a: off_g1, ..good.clone() }, VerifyError::NotOnCurve(Point::ProofA)),
        (Proof { b: off_g2, ..good.clone() }, VerifyError::NotOnCurve(Point::ProofB)),
        (Proof { c: off_g1, ..good.clone() }, VerifyError::NotOnCurve(Point::ProofC)),
        (
            Proof { b: outside_subgroup(), ..good.clone() },
            VerifyError::NotInSubgroup(Point::ProofB),
        ),
        (Proof { a: G1Affine::zero(), ..good.clone() }, VerifyError::IdentityPoint(Point::ProofA)),
        (Proof { b: G2Affine::zero(), ..good.clone() }, VerifyError::IdentityPoint(Point::ProofB)),
        (Proof { c: G1Affine::zero(), ..good.clone() }, VerifyError::IdentityPoint(Point::ProofC)),
    ];
    for (proof, error) in cases {
        assert_eq!(verify(&key, &inputs, &proof), Err(error.clone()));
        // The same verdict from bytes, where a point is refused before anything is computed with
        // it.
        assert_eq!(Proof::from_bytes(&proof.to_bytes()), Err(error));
    }
    assert_eq!(Proof::from_bytes(&good.to_bytes()), Ok(good));
}

#[test]
fn rejects_coordinates_at_or_above_the_modulus() {
    use ark_ff::{BigInteger, PrimeField};
    let mut trapdoor = Trapdoor::new("canonical", 1);
    let good = trapdoor.prove(&[fr(5)]).to_bytes();
    for index in 0..8 {
        let mut changed = good;
        let slot = &mut changed[32 * index..][..32];
        let mut limbs = ark_ff::BigInt::<4>::new(std::array::from_fn(|limb| {
            let bytes = &slot[24 - 8 * limb..][..8];
            u64::from_be_bytes(bytes.try_into().unwrap())
        }));
        assert!(!limbs.add_with_carry(&Fq::MODULUS), "x + q fits 256 bits");
        slot.copy_from_slice(&limbs.to_bytes_be());
        let error = Proof::from_bytes(&changed).unwrap_err();
        assert_eq!(error.name(), "NonCanonicalCoordinate", "word {index}");
    }
}

/// Keys with one fault each, and what it is.
fn unhygienic(good: &VerifyingKey) -> Vec<(VerifyingKey, VerifyError)> {
    let (one_g1, one_g2) = (G1Affine::generator(), G2Affine::generator());
    let off_g1 = G1Affine::new_unchecked(Fq::ONE, Fq::ONE);
    let with_ic = |index: usize, point| {
        let mut key = good.clone();
        key.ic[index] = point;
        key
    };
    let (zero_g1, zero_g2) = (G1Affine::zero(), G2Affine::zero());
    let identity = VerifyError::IdentityPoint;
    vec![
        (VerifyingKey { alpha_g1: zero_g1, ..good.clone() }, identity(Point::Alpha)),
        (VerifyingKey { beta_g2: zero_g2, ..good.clone() }, identity(Point::Beta)),
        (VerifyingKey { gamma_g2: zero_g2, ..good.clone() }, identity(Point::Gamma)),
        (VerifyingKey { delta_g2: zero_g2, ..good.clone() }, identity(Point::Delta)),
        (with_ic(1, zero_g1), identity(Point::Ic(1))),
        (VerifyingKey { alpha_g1: off_g1, ..good.clone() }, VerifyError::NotOnCurve(Point::Alpha)),
        (with_ic(0, off_g1), VerifyError::NotOnCurve(Point::Ic(0))),
        (
            VerifyingKey { gamma_g2: outside_subgroup(), ..good.clone() },
            VerifyError::NotInSubgroup(Point::Gamma),
        ),
        (
            VerifyingKey { delta_g2: outside_subgroup(), ..good.clone() },
            VerifyError::NotInSubgroup(Point::Delta),
        ),
        (
            VerifyingKey { alpha_g1: one_g1, ..good.clone() },
            VerifyError::GeneratorPoint(Point::Alpha),
        ),
        (
            VerifyingKey { beta_g2: one_g2, ..good.clone() },
            VerifyError::GeneratorPoint(Point::Beta),
        ),
        (
            VerifyingKey { delta_g2: one_g2, ..good.clone() },
            VerifyError::GeneratorPoint(Point::Delta),
        ),
        (VerifyingKey { gamma_g2: good.delta_g2, ..good.clone() }, VerifyError::GammaEqualsDelta),
        (with_ic(2, good.ic[1]), VerifyError::DuplicateIc(1, 2)),
        (with_ic(2, -good.ic[1]), VerifyError::OppositeIc(1, 2)),
        (with_ic(2, -good.ic[0]), VerifyError::OppositeIc(0, 2)),
        (
            VerifyingKey { alpha_g1: -one_g1, ..good.clone() },
            VerifyError::GeneratorPoint(Point::Alpha),
        ),
        (
            VerifyingKey { beta_g2: -one_g2, ..good.clone() },
            VerifyError::GeneratorPoint(Point::Beta),
        ),
        (
            VerifyingKey { ic: Vec::new(), ..good.clone() },
            VerifyError::KeyLength { expected: 1, got: 0 },
        ),
    ]
}

#[test]
fn rejects_unhygienic_keys() {
    let good = Trapdoor::new("hygiene", 2).key();
    let one_g2 = G2Affine::generator();
    for (key, error) in unhygienic(&good) {
        let unfinished = matches!(error, VerifyError::GammaEqualsDelta)
            || error == VerifyError::GeneratorPoint(Point::Delta);
        assert_eq!(key.check(KeyPolicy::Strict), Err(error.clone()));
        let lax = if unfinished { Ok(()) } else { Err(error) };
        assert_eq!(key.check(KeyPolicy::AllowUnfinalised), lax);
    }
    // What an unfinished set-up cannot leave behind is refused in any case.
    for (key, error) in [
        (VerifyingKey { gamma_g2: -good.delta_g2, ..good.clone() }, VerifyError::GammaEqualsDelta),
        (
            VerifyingKey { delta_g2: -one_g2, ..good.clone() },
            VerifyError::GeneratorPoint(Point::Delta),
        ),
    ] {
        for policy in [KeyPolicy::Strict, KeyPolicy::AllowUnfinalised] {
            assert_eq!(key.check(policy), Err(error.clone()));
        }
    }
    // A gamma which is the generator is usual and harmless.
    VerifyingKey { gamma_g2: one_g2, ..good }.check(KeyPolicy::Strict).unwrap();
}

#[test]
fn forged_proof_under_an_unfinished_key_is_why_it_is_refused() {
    let good = Trapdoor::new("unfinished", 1).key();
    let key = VerifyingKey { delta_g2: good.gamma_g2, ..good };
    let inputs = [fr(1_000_000)];
    let x = key.ic[0] + key.ic[1] * inputs[0];
    let forged = Proof { a: key.alpha_g1, b: key.beta_g2, c: -G1Affine::from(x) };
    let lax = PreparedKey::new(&key, KeyPolicy::AllowUnfinalised).unwrap();
    verify(&lax, &inputs, &forged).unwrap();
    let strict = PreparedKey::new(&key, KeyPolicy::Strict).map(|_| ());
    assert_eq!(strict, Err(VerifyError::GammaEqualsDelta));
}

/// The verification equation by itself, for keys which no checked verifier takes.
fn equation_holds(key: &VerifyingKey, inputs: &[Fr], proof: &Proof) -> bool {
    let x = inputs.iter().zip(&key.ic[1..]).map(|(input, ic)| *ic * input);
    let x = x.fold(G1Projective::from(key.ic[0]), |sum, term| sum + term);
    let pairing = |a: G1Projective, b: G2Affine| Bn254::pairing(a, b);
    pairing(proof.a.into(), proof.b)
        == pairing(key.alpha_g1.into(), key.beta_g2)
            + pairing(x, key.gamma_g2)
            + pairing(proof.c.into(), key.delta_g2)
}

/// Without any secret: `X` is the point of the inputs, whatever they are.
#[test]
fn forged_proofs_under_related_secrets_are_why_such_keys_are_refused() {
    let good = Trapdoor::new("related", 1).key();
    let inputs = [fr(1_000_000)];
    let x: G1Affine = (good.ic[0] + good.ic[1] * inputs[0]).into();
    let proof = |a: G1Affine, b: G2Affine, c: G1Affine| Proof { a, b, c };
    let VerifyingKey { alpha_g1, gamma_g2, delta_g2, .. } = good;
    let negated = |is_negated: bool, point: G2Affine| if is_negated { -point } else { point };
    for sign in [false, true] {
        let alpha = if sign { -alpha_g1 } else { alpha_g1 };
        let related = |point| VerifyError::RelatedPoints(Point::Beta, point);
        let cases = [
            (
                VerifyingKey { beta_g2: negated(sign, delta_g2), ..good.clone() },
                proof(x, gamma_g2, -alpha),
                related(Point::Delta),
            ),
            (
                VerifyingKey { beta_g2: negated(sign, gamma_g2), ..good.clone() },
                proof((x + alpha).into(), (gamma_g2 + delta_g2).into(), (x + alpha).into()),
                related(Point::Gamma),
            ),
            (
                VerifyingKey { gamma_g2: negated(sign, delta_g2), ..good.clone() },
                proof(alpha_g1, good.beta_g2, if sign { x } else { -x }),
                VerifyError::GammaEqualsDelta,
            ),
        ];
        for (key, forged, error) in cases {
            assert!(equation_holds(&key, &inputs, &forged), "{error}");
            assert_eq!(key.check(KeyPolicy::Strict), Err(error));
        }
    }
}

/// One proof holds for several inputs when their points are opposite.
#[test]
fn a_proof_for_several_inputs_is_why_opposite_points_are_refused() {
    let mut trapdoor = Trapdoor::new("opposite", 2);
    trapdoor.ic[2] = -trapdoor.ic[1];
    let key = trapdoor.key();
    let proof = trapdoor.prove(&[fr(3), fr(4)]);
    assert!(equation_holds(&key, &[fr(3), fr(4)], &proof));
    assert!(equation_holds(&key, &[fr(4), fr(5)], &proof));
    let refused = PreparedKey::new(&key, KeyPolicy::AllowUnfinalised).map(|_| ());
    assert_eq!(refused, Err(VerifyError::OppositeIc(1, 2)));
}

#[test]
fn key_bytes_round_trip_and_are_exact() {
    let key = Trapdoor::new("key bytes", 3).key();
    let encoded = key.to_bytes();
    assert_eq!(encoded.len(), 64 + 3 * 128 + 4 + 4 * 64);
    assert_eq!(VerifyingKey::from_bytes(&encoded), Ok(key.clone()));
    for wrong in [&encoded[..encoded.len() - 1], &[&encoded[..], &[0]].concat(), &encoded[..100]] {
        let error = VerifyingKey::from_bytes(wrong).unwrap_err();
        assert_eq!(error.name(), "KeyLength");
    }
    let mut other = key;
    other.ic.pop();
    assert_ne!(other.digest(), VerifyingKey::from_bytes(&encoded).unwrap().digest());
}
