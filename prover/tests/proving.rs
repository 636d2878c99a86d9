//! Setup, key files and proofs on small circuits, judged by our verifier and by arkworks' own.

mod toy;

use std::fs;

use ark_bn254::{Bn254, Fr};
use ark_ff::{One, UniformRand, Zero};
use ark_groth16::Groth16;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, R1CS_PREDICATE_LABEL};
use ark_snark::SNARK;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use tempfile::TempDir;
use toy::{INSTANCES, made, toy};
use zkmargin_circuits::cs::ArkCircuit;
use zkmargin_protocol::Rule;
use zkmargin_prover::key::{KeyError, ProvingKey};
use zkmargin_prover::progress::Silent;
use zkmargin_prover::prove::{ProveError, Prover, Stage};
use zkmargin_prover::quotient;
use zkmargin_prover::setup::setup;
use zkmargin_verifier::{
    KeyPolicy, PreparedKey, Proof, Provenance, VerifyError, VerifyingKey, verify,
};

fn ark_accepts(key: &VerifyingKey, inputs: &[Fr], proof: &Proof) -> bool {
    let vk = ark_groth16::VerifyingKey::<Bn254> {
        alpha_g1: key.alpha_g1,
        beta_g2: key.beta_g2,
        gamma_g2: key.gamma_g2,
        delta_g2: key.delta_g2,
        gamma_abc_g1: key.ic.clone(),
    };
    let proof = ark_groth16::Proof { a: proof.a, b: proof.b, c: proof.c };
    Groth16::<Bn254>::verify(&vk, inputs, &proof).expect("well-formed key")
}

#[test]
fn proves_around_a_full_domain() {
    for rows in [15, 16, 17, 1023, 1024, 1025] {
        let folder = TempDir::new().expect("temporary folder");
        let (_, r1cs) = toy(rows - INSTANCES, 5);
        let key = made(&r1cs, folder.path());
        assert_eq!(key.header.domain, rows.next_power_of_two() as u64);
        key.verify_points().expect("every point is in its group");
        let prover = Prover::new(key, r1cs).expect("the key is for the circuit");
        for seed in [0, 1, 5, 77] {
            let (assignment, _) = toy(rows - INSTANCES, seed);
            let proven = prover.prove(&assignment, &Silent).expect("satisfied");
            let inputs = [Fr::from(seed), Fr::from(seed * seed + seed), Fr::from(99)];
            assert_eq!(proven.public_inputs, inputs);
            let key = &prover.key().verifying;
            assert!(ark_accepts(key, &inputs, &proven.proof), "{rows} rows");
            let prepared = PreparedKey::new(key, KeyPolicy::Strict).expect("a fit key");
            assert_eq!(verify(&prepared, &inputs, &proven.proof), Ok(()));
            let mut wrong = inputs;
            wrong[2] += Fr::one();
            assert!(!ark_accepts(key, &wrong, &proven.proof));
            let refused = verify(&prepared, &wrong, &proven.proof);
            assert_eq!(refused, Err(VerifyError::PairingFailed));
        }
    }
}

#[test]
fn our_verifier_accepts_what_arkworks_proves_on_the_same_matrices() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (assignment, r1cs) = toy(60, 3);
    let circuit = || ArkCircuit { r1cs: &r1cs, assignment: &assignment };
    let (pk, vk) = Groth16::<Bn254>::circuit_specific_setup(circuit(), &mut rng).expect("setup");
    let proof = Groth16::<Bn254>::prove(&pk, circuit(), &mut rng).expect("proof");
    let key = VerifyingKey {
        alpha_g1: vk.alpha_g1,
        beta_g2: vk.beta_g2,
        gamma_g2: vk.gamma_g2,
        delta_g2: vk.delta_g2,
        ic: vk.gamma_abc_g1,
    };
    let prepared = PreparedKey::new(&key, KeyPolicy::Strict).expect("a fit key");
    let proof = Proof { a: proof.a, b: proof.b, c: proof.c };
    assert_eq!(verify(&prepared, &assignment.instance[1..], &proof), Ok(()));
}

#[test]
fn the_quotient_is_that_of_arkworks() {
    for rows in [31, 32, 33] {
        let (assignment, r1cs) = toy(rows - INSTANCES, 6);
        let domain = quotient::domain(&r1cs).expect("small");
        let coset = quotient::coset(domain);
        let (left, right, satisfied) = quotient::products(&r1cs, &assignment.full(), domain.size());
        assert!(satisfied);
        let product: Vec<Fr> = left.iter().zip(&right).map(|(l, r)| *l * r).collect();
        let c_on_coset = coset.fft(&domain.ifft(&product));
        let ours = quotient::coset_product(domain, left, right);

        let cs = ConstraintSystem::<Fr>::new_ref();
        ArkCircuit { r1cs: &r1cs, assignment: &assignment }
            .generate_constraints(cs.clone())
            .expect("synthesis");
        cs.finalize();
        let matrices = &cs.to_matrices().expect("matrices")[R1CS_PREDICATE_LABEL];
        let h = LibsnarkReduction::witness_map_from_matrices::<Fr, Radix2EvaluationDomain<Fr>>(
            matrices,
            r1cs.instances,
            r1cs.constraints(),
            &assignment.full(),
        )
        .expect("satisfied");
        let h_on_coset = coset.fft(&h);
        let vanishing = domain.evaluate_vanishing_polynomial(coset.coset_offset());
        for k in 0..domain.size() {
            assert_eq!(
                ours[k] - c_on_coset[k],
                h_on_coset[k] * vanishing,
                "{rows} rows, point {k}"
            );
        }
    }
}

#[test]
fn transforms_equal_those_of_arkworks() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for log in (0..15).chain([18]) {
        let domain = Radix2EvaluationDomain::<Fr>::new(1 << log).expect("small");
        let mut random = || (0..domain.size()).map(|_| Fr::rand(&mut rng)).collect::<Vec<_>>();
        let (mut left, right) = (random(), random());
        // Zeros, ones and the greatest element among them.
        for (k, value) in left.iter_mut().enumerate().filter(|(k, _)| k % 3 == 0) {
            *value = [Fr::zero(), Fr::one(), -Fr::one()][k / 3 % 3];
        }
        let ours = quotient::coset_product(domain, left.clone(), right.clone());
        let theirs = quotient::portable_coset_product(domain, left, right);
        assert_eq!(ours, theirs, "2^{log}");
    }
}

#[test]
fn rejects_an_unsatisfied_witness_by_rule_and_a_forged_proof() {
    let folder = TempDir::new().expect("temporary folder");
    let (honest, r1cs) = toy(40, 5);
    let columns = r1cs.witnesses;
    let prover = Prover::new(made(&r1cs, folder.path()), r1cs).expect("the key is for the circuit");
    let prepared = PreparedKey::new(&prover.key().verifying, KeyPolicy::Strict).expect("a fit key");
    // Every witness stands in a constraint, so changing any of them must be seen, by both.
    for changed in 0..columns {
        let mut forged = honest.clone();
        forged.witness[changed] += Fr::from(2);
        let error = prover.prove(&forged, &Silent).expect_err("unsatisfied");
        let ProveError::Unsatisfied { rule, what, .. } = error else { panic!("{error}") };
        match changed {
            0 => assert_eq!((rule, what), (Some(Rule::Ledger), "square of the start")),
            1 => assert_eq!((rule, what), (Some(Rule::Range), "a bit is zero or one")),
            _ => assert_eq!(rule, Some(Rule::Range)),
        }
        let proof = prover.forge(&forged).expect("a forger does not check");
        let verdict = verify(&prepared, &forged.instance[1..], &proof);
        assert_eq!(verdict, Err(VerifyError::PairingFailed), "witness {changed}");
    }
    let proof = prover.forge(&honest).expect("same lengths");
    assert_eq!(verify(&prepared, &honest.instance[1..], &proof), Ok(()));
}

#[test]
fn rejects_assignments_of_other_lengths() {
    let folder = TempDir::new().expect("temporary folder");
    let (honest, r1cs) = toy(40, 5);
    let prover = Prover::new(made(&r1cs, folder.path()), r1cs).expect("the key is for the circuit");
    let mut short = honest.clone();
    short.witness.pop();
    let mut long = honest.clone();
    long.witness.push(Fr::zero());
    let mut inputs = honest.clone();
    inputs.instance.push(Fr::zero());
    let mut no_one = honest;
    no_one.instance[0] = Fr::from(2);
    for wrong in [short, long, inputs, no_one] {
        let error = prover.prove(&wrong, &Silent).expect_err("not an assignment of the circuit");
        assert!(matches!(error, ProveError::AssignmentLength { .. }), "{error}");
    }
}

#[test]
fn a_wrong_point_in_the_key_never_yields_a_proof() {
    let folder = TempDir::new().expect("temporary folder");
    let (assignment, r1cs) = toy(40, 5);
    let key = made(&r1cs, folder.path());
    // Each query in turn, with a point of the group which is not the right one.
    let spoil: [fn(&mut ProvingKey); 5] = [
        |key| key.a.points[1] = key.a.points[2],
        |key| key.b.points[1] = key.b.points[2],
        |key| key.b_g2[1] = key.b_g2[2],
        |key| key.l.points[2] = key.l.points[3],
        |key| key.h[0] = key.h[1],
    ];
    for spoil in spoil {
        let mut key = key.clone();
        spoil(&mut key);
        let prover = Prover::new(key, r1cs.clone()).expect("the verifying key is intact");
        let error = prover.prove(&assignment, &Silent).expect_err("a wrong proof");
        let refused = ProveError::SelfVerify(VerifyError::PairingFailed);
        assert_eq!(error.to_string(), refused.to_string());
    }
}

#[test]
fn proofs_are_randomised_and_carry_their_origin() {
    let folder = TempDir::new().expect("temporary folder");
    let (assignment, r1cs) = toy(40, 5);
    let circuit = r1cs.digest();
    let prover = Prover::new(made(&r1cs, folder.path()), r1cs).expect("the key is for the circuit");
    let first = prover.prove(&assignment, &Silent).expect("satisfied");
    let second = prover.prove(&assignment, &Silent).expect("satisfied");
    assert_ne!(first.proof, second.proof);
    assert_eq!(first.provenance, Provenance::Development);
    assert_eq!(first.circuit, circuit);
    assert_eq!(first.stages.iter().map(|&(stage, _)| stage).collect::<Vec<_>>(), Stage::ALL);
}

#[test]
fn rejects_truncated_altered_and_foreign_keys() {
    let folder = TempDir::new().expect("temporary folder");
    let path = folder.path().join("toy.key");
    let (_, r1cs) = toy(12, 5);
    setup(&r1cs, &path, &Silent).expect("setup");
    let bytes = fs::read(&path).expect("the key was written");
    let load = |bytes: &[u8]| {
        let path = folder.path().join("changed.key");
        fs::write(&path, bytes).expect("temporary file");
        ProvingKey::load(&path).map(|_| ())
    };
    load(&bytes).expect("unchanged");
    for length in [0, 7, 8, 100, 183] {
        assert!(matches!(load(&bytes[..length]), Err(KeyError::NotAKey)), "{length}");
    }
    for length in [184, 185, 1000, bytes.len() - 1] {
        let truncated = load(&bytes[..length]);
        assert!(matches!(truncated, Err(KeyError::Length { .. })), "{length}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(load(&longer), Err(KeyError::Length { .. })));
    // A flipped bit anywhere is seen: a prime step visits every section.
    for at in (0..bytes.len()).step_by(37) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let error = load(&flipped).expect_err("a flipped bit");
        match at {
            0..8 => assert!(matches!(error, KeyError::NotAKey)),
            8..12 => assert!(matches!(error, KeyError::Version { .. })),
            12..184 => assert!(matches!(error, KeyError::Header), "{at}: {error}"),
            _ => assert!(matches!(error, KeyError::Damaged { .. }), "{at}: {error}"),
        }
    }
    let key = ProvingKey::load(&path).expect("unchanged");
    let (_, other) = toy(13, 5);
    let refused = Prover::new(key, other).map(|_| ()).expect_err("another circuit");
    assert!(matches!(refused, ProveError::Key(KeyError::Circuit { .. })), "{refused}");
}

#[test]
fn point_check_finds_points_outside_their_groups() {
    let folder = TempDir::new().expect("temporary folder");
    let (_, r1cs) = toy(12, 5);
    let key = made(&r1cs, folder.path());
    let mut off_curve = key.clone();
    off_curve.l.points[3].x += ark_bn254::Fq::one();
    let refused = off_curve.verify_points().expect_err("off the curve");
    assert!(matches!(refused, KeyError::NotInGroup { section: "L in G1", index: 3 }), "{refused}");
    // A point of the twist outside the subgroup: almost every point of the twist.
    let mut outside = key.clone();
    let twist = (0u64..)
        .filter_map(|x| ark_bn254::G2Affine::get_point_from_x_unchecked(x.into(), false))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .expect("the cofactor is large");
    outside.b_g2[1] = twist;
    let refused = outside.verify_points().expect_err("outside the subgroup");
    assert!(matches!(refused, KeyError::NotInGroup { section: "B in G2", index: 1 }), "{refused}");
}
