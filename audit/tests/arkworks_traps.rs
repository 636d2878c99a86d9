//! Traps of arkworks 0.6: each test shows that the trap exists in the version we pin, and that our
//! own code does not have it. A trap that disappears fails its test: then the rule that guards
//! against it can be reviewed.

use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_crypto_primitives::sponge::poseidon::{
    PoseidonConfig, PoseidonSponge, find_poseidon_ark_and_mds,
};
use ark_crypto_primitives::sponge::{CryptographicSponge, FieldBasedCryptographicSponge};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField, UniformRand};
use ark_groth16::{Groth16, PreparedVerifyingKey, Proof, ProvingKey, prepare_verifying_key};
use ark_r1cs_std::GR1CSVar;
use ark_r1cs_std::alloc::AllocVar;
use ark_r1cs_std::boolean::Boolean;
use ark_r1cs_std::convert::ToBitsGadget;
use ark_r1cs_std::eq::EqGadget;
use ark_r1cs_std::fields::fp::FpVar;
use ark_relations::gr1cs::{
    ConstraintSystem, ConstraintSystemRef, R1CS_PREDICATE_LABEL, mat_vec_mul,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use zkmargin_circuits::cs::{ArkCircuit, Assignment, Cs, Mode, R1cs};
use zkmargin_verifier::{KeyPolicy, PreparedKey, VerifyError, VerifyingKey};

fn system() -> ConstraintSystemRef<Fr> {
    ConstraintSystem::new_ref()
}

fn witness(cs: &ConstraintSystemRef<Fr>, value: Fr) -> FpVar<Fr> {
    FpVar::new_witness(cs.clone(), || Ok(value)).unwrap()
}

/// K1: two different constants compared under a guard add no constraint.
#[test]
fn constants_compared_under_a_guard_are_not_compared() {
    let cs = system();
    let guard = Boolean::new_witness(cs.clone(), || Ok(true)).unwrap();
    let (three, four) = (FpVar::Constant(Fr::from(3)), FpVar::Constant(Fr::from(4)));
    let before = cs.num_constraints();
    three.conditional_enforce_equal(&four, &guard).unwrap();
    assert_eq!(cs.num_constraints(), before);
    assert!(cs.is_satisfied().unwrap());

    let mut ours = Cs::<Fr>::new(Mode::Witness);
    let guard = ours.external("guard", Fr::ONE);
    let (three, four) = (ours.constant(Fr::from(3)), ours.constant(Fr::from(4)));
    let zero = ours.zero();
    ours.enforce("equal under a guard", &guard, &three.minus(&four), &zero);
    assert!(ours.unsatisfied().is_some());
    let mut ours = Cs::<Fr>::new(Mode::Witness);
    ours.enforce_equal("equal constants", &three, &four);
    assert!(ours.unsatisfied().is_some());
}

/// K2: `is_cmp` is "verified" to hold up to (p − 1)/2 only, and with equality not even there.
#[test]
fn comparison_of_verified_values_is_wrong_at_the_ends() {
    let compare = |left: Fr, right: Fr| {
        let cs = system();
        let (left, right) = (witness(&cs, left), witness(&cs, right));
        let less = left.is_cmp(&right, Ordering::Less, true).unwrap();
        (cs.is_satisfied().unwrap(), less.value().unwrap())
    };
    // 5 ≤ p − 1 is satisfied and says no.
    assert_eq!(compare(Fr::from(5), -Fr::ONE), (true, false));
    // (p − 1)/2 is inside the documented range and refused.
    let half = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
    assert!(!compare(Fr::from(5), half).0);
    assert_eq!(compare(Fr::from(5), half - Fr::ONE), (true, true));
}

/// K4: the bits of x + p satisfy `to_non_unique_bits_le` of x.
#[test]
fn bits_of_a_small_value_have_a_second_answer() {
    let cs = system();
    let x = witness(&cs, Fr::from(5));
    let bits = x.to_non_unique_bits_le().unwrap();
    cs.finalize();
    let matrices = cs.to_matrices().unwrap().remove(R1CS_PREDICATE_LABEL).unwrap();
    let instances = cs.num_instance_variables();
    let mut assignment = cs.instance_assignment().unwrap();
    assignment.extend(cs.witness_assignment().unwrap());
    let holds = |z: &[Fr]| {
        let [a, b, c] = [0, 1, 2].map(|k: usize| mat_vec_mul(&matrices[k], z));
        a.iter().zip(&b).map(|(&a, &b)| a * b).eq(c)
    };
    assert!(holds(&assignment));
    let mut shifted = Fr::MODULUS;
    assert!(!shifted.add_with_carry(&Fr::from(5).into_bigint()));
    let mut changed = 0;
    for (k, bit) in bits.iter().enumerate() {
        let column = bit.variable().get_variable_index(instances).unwrap();
        let value = Fr::from(shifted.get_bit(k));
        changed += usize::from(assignment[column] != value);
        assignment[column] = value;
    }
    assert!(changed > 0);
    assert!(holds(&assignment));
}

fn sponge() -> PoseidonSponge<Fr> {
    let (full, partial) = (8, 57);
    let bits = u64::from(Fr::MODULUS_BIT_SIZE);
    let (ark, mds) = find_poseidon_ark_and_mds::<Fr>(bits, 2, full as u64, partial as u64, 0);
    PoseidonSponge::new(&PoseidonConfig::new(full, partial, 5, mds, ark, 2, 1))
}

/// K5: the generic sponge has no padding; the length is not in its digest.
#[test]
fn sponge_does_not_bind_the_length() {
    let digest = |inputs: &[Fr]| {
        let mut sponge = sponge();
        sponge.absorb(&inputs.to_vec());
        sponge.squeeze_native_field_elements(1)[0]
    };
    let a = Fr::from(7);
    assert_eq!(digest(&[a]), digest(&[a, Fr::ZERO]));
    assert_ne!(digest(&[a]), digest(&[a, Fr::ONE]));

    use zkmargin_protocol::crypto::poseidon::{hash, sponge_hash};
    assert_ne!(hash(&[a]), hash(&[a, Fr::ZERO]));
    assert_ne!(hash(&[a, Fr::ZERO]), hash(&[a, Fr::ZERO, Fr::ZERO]));
    assert_ne!(sponge_hash(Fr::ONE, &[a]), sponge_hash(Fr::ONE, &[a, Fr::ZERO]));
}

/// `x·y = z` with public inputs z and zero.
fn multiplication(z: u64) -> (R1cs<Fr>, Assignment<Fr>) {
    let mut cs = Cs::new(Mode::Shape);
    let (output, last) = (cs.public_input(Fr::from(z)), cs.public_input(Fr::ZERO));
    let (x, y) = (cs.external("x", Fr::from(3)), cs.external("y", Fr::from(4)));
    let product = cs.product("product", &x, &y);
    cs.enforce_equal("the output is the product", &output, &product);
    cs.enforce_zero("the last input is zero", &last);
    let (assignment, r1cs) = cs.finish();
    (r1cs.unwrap(), assignment)
}

struct Setup {
    key: ProvingKey<Bn254>,
    prepared: PreparedVerifyingKey<Bn254>,
    rng: ChaCha20Rng,
}

impl Setup {
    /// A key from known secrets; `phase_two` false leaves δ = γ.
    fn new(phase_two: bool) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        let (r1cs, assignment) = multiplication(12);
        let [alpha, beta, gamma, delta] = [(); 4].map(|()| Fr::rand(&mut rng));
        let delta = if phase_two { delta } else { gamma };
        let circuit = ArkCircuit { r1cs: &r1cs, assignment: &assignment };
        let (g1, g2) = (G1Projective::generator(), G2Projective::generator());
        let key = Groth16::<Bn254>::generate_parameters_with_qap(
            circuit, alpha, beta, gamma, delta, g1, g2, &mut rng,
        );
        let key = key.unwrap();
        let prepared = prepare_verifying_key(&key.vk);
        Self { key, prepared, rng }
    }

    fn prove(&mut self, z: u64) -> Proof<Bn254> {
        let (r1cs, assignment) = multiplication(z);
        let circuit = ArkCircuit { r1cs: &r1cs, assignment: &assignment };
        Groth16::<Bn254>::create_random_proof_with_reduction(circuit, &self.key, &mut self.rng)
            .unwrap()
    }

    fn accepts(&self, inputs: &[u64], proof: &Proof<Bn254>) -> bool {
        let inputs: Vec<Fr> = inputs.iter().map(|&x| Fr::from(x)).collect();
        Groth16::<Bn254>::verify_proof(&self.prepared, proof, &inputs).unwrap()
    }

    fn ours(&self) -> VerifyingKey {
        let vk = &self.key.vk;
        VerifyingKey {
            alpha_g1: vk.alpha_g1,
            beta_g2: vk.beta_g2,
            gamma_g2: vk.gamma_g2,
            delta_g2: vk.delta_g2,
            ic: vk.gamma_abc_g1.clone(),
        }
    }
}

fn our_verdict(setup: &Setup, inputs: &[u64], proof: &Proof<Bn254>) -> Result<(), VerifyError> {
    let inputs: Vec<Fr> = inputs.iter().map(|&x| Fr::from(x)).collect();
    let key = PreparedKey::new(&setup.ours(), KeyPolicy::Strict)?;
    let proof = zkmargin_verifier::Proof { a: proof.a, b: proof.b, c: proof.c };
    zkmargin_verifier::verify(&key, &inputs, &proof)
}

/// K10: the release-mode prover returns a proof for a witness that does not satisfy the circuit.
#[test]
fn prover_gives_a_worthless_proof_for_an_unsatisfied_witness() {
    let mut setup = Setup::new(true);
    let (r1cs, assignment) = multiplication(13);
    let failure = r1cs.first_unsatisfied(&assignment.full()).unwrap();
    assert_eq!(failure.label.what, "the output is the product");
    let outcome = catch_unwind(AssertUnwindSafe(|| setup.prove(13)));
    if cfg!(debug_assertions) {
        assert!(outcome.is_err());
        return;
    }
    let proof = outcome.unwrap();
    assert!(!setup.accepts(&[13, 0], &proof));
    assert_eq!(our_verdict(&setup, &[13, 0], &proof), Err(VerifyError::PairingFailed));
}

/// K11: missing trailing zero inputs are accepted, and inputs too many are ignored.
#[test]
fn verifier_does_not_count_its_inputs() {
    let mut setup = Setup::new(true);
    let proof = setup.prove(12);
    assert!(setup.accepts(&[12, 0], &proof));
    assert!(setup.accepts(&[12], &proof));
    assert!(setup.accepts(&[12, 0, 99], &proof));
    assert!(!setup.accepts(&[11, 0], &proof));

    assert_eq!(our_verdict(&setup, &[12, 0], &proof), Ok(()));
    for wrong in [&[12][..], &[12, 0, 99], &[]] {
        let refused = VerifyError::InputCount { expected: 2, got: wrong.len() };
        assert_eq!(our_verdict(&setup, wrong, &proof), Err(refused));
    }
}

/// K12: anybody can turn a proof into another of the same statement, so its bytes identify nothing.
/// Ours accepts both too, which is sound; nothing here may use a proof as a key.
#[test]
fn proofs_are_malleable() {
    let mut setup = Setup::new(true);
    let proof = setup.prove(12);
    let negated = Proof { a: -proof.a, b: -proof.b, c: proof.c };
    let again = Groth16::<Bn254>::rerandomize_proof(&setup.key.vk, &proof, &mut setup.rng);
    for other in [negated, again] {
        assert_ne!(other, proof);
        assert!(setup.accepts(&[12, 0], &other));
        assert_eq!(our_verdict(&setup, &[12, 0], &other), Ok(()));
    }
}

/// K13: with γ = δ everybody can prove everything; our key check refuses such a key.
#[test]
fn skipped_phase_two_lets_anybody_forge() {
    let setup = Setup::new(false);
    let vk = &setup.key.vk;
    let input = vk.gamma_abc_g1[0].into_group() + vk.gamma_abc_g1[1] * Fr::from(1_000_000u64);
    let forged = Proof { a: vk.alpha_g1, b: vk.beta_g2, c: (-input).into_affine() };
    assert!(setup.accepts(&[1_000_000, 0], &forged));
    let refused = our_verdict(&setup, &[1_000_000, 0], &forged);
    assert_eq!(refused, Err(VerifyError::GammaEqualsDelta));

    let finished = Setup::new(true);
    assert!(!finished.accepts(&[1_000_000, 0], &forged));
}
