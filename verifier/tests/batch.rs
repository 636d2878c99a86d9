//! Batch verification, and the forgery which a careless choice of coefficients lets through.

mod simulator;

use ark_bn254::{Bn254, Fr, G1Projective};
use ark_ec::CurveGroup;
use ark_ec::pairing::Pairing;
use ark_ff::{AdditiveGroup, Field, PrimeField, Zero};
use sha3::{Digest, Keccak256};
use simulator::Trapdoor;
use zkmargin_verifier::batch::Claim;
use zkmargin_verifier::{
    KeyPolicy, PreparedKey, Proof, VerifyError, VerifyingKey, verify, verify_batch,
};

type Claims = Vec<(Vec<Fr>, Proof)>;

fn batch(key: &PreparedKey, claims: &Claims) -> Result<(), VerifyError> {
    let claims: Vec<_> = claims.iter().map(|(inputs, proof)| Claim { inputs, proof }).collect();
    verify_batch(key, &claims)
}

fn claims(trapdoor: &mut Trapdoor, count: usize) -> Claims {
    let draw = |trapdoor: &mut Trapdoor| {
        let inputs: Vec<Fr> = (0..3).map(|_| trapdoor.draw()).collect();
        let proof = trapdoor.prove(&inputs);
        (inputs, proof)
    };
    (0..count).map(|_| draw(trapdoor)).collect()
}

#[test]
fn accepts_good_batches_of_every_small_size() {
    let mut trapdoor = Trapdoor::new("good batches", 3);
    let key = PreparedKey::new(&trapdoor.key(), KeyPolicy::Strict).unwrap();
    for count in [1, 2, 3, 8] {
        batch(&key, &claims(&mut trapdoor, count)).unwrap();
    }
}

#[test]
fn rejects_one_bad_claim_anywhere() {
    let mut trapdoor = Trapdoor::new("one bad claim", 3);
    let key = PreparedKey::new(&trapdoor.key(), KeyPolicy::Strict).unwrap();
    let good = claims(&mut trapdoor, 4);
    for index in 0..good.len() {
        let mut bad = good.clone();
        bad[index].0[1] += Fr::ONE;
        assert_eq!(batch(&key, &bad), Err(VerifyError::PairingFailed));
        let mut bad = good.clone();
        bad[index].1.c = bad[(index + 1) % 4].1.c;
        assert_eq!(batch(&key, &bad), Err(VerifyError::PairingFailed));
        let mut short = good.clone();
        short[index].0.pop();
        let expected = VerifyError::InputCount { expected: 3, got: 2 };
        assert_eq!(batch(&key, &short), Err(expected));
    }
    // Two proofs swapped between their statements.
    let mut swapped = good;
    let (first, second) = (swapped[0].1.clone(), swapped[1].1.clone());
    (swapped[0].1, swapped[1].1) = (second, first);
    assert_eq!(batch(&key, &swapped), Err(VerifyError::PairingFailed));
    assert_eq!(batch(&key, &Vec::new()), Err(VerifyError::EmptyBatch));
}

/// The published rule which is broken: the first coefficient is one, every other is the hash of its
/// own proof and inputs.
fn own_coefficient(inputs: &[Fr], proof: &Proof) -> Fr {
    let mut hasher = Keccak256::new();
    hasher.update(proof.to_bytes());
    inputs.iter().for_each(|input| hasher.update(input.into_bigint().to_string()));
    Fr::from_be_bytes_mod_order(&hasher.finalize()[..31])
}

/// A batch verifier by the broken rule.
fn verify_batch_broken(key: &VerifyingKey, claims: &Claims) -> bool {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let (mut sum, mut x, mut c) = (Fr::ZERO, G1Projective::zero(), G1Projective::zero());
    for (index, (inputs, proof)) in claims.iter().enumerate() {
        let own = own_coefficient(inputs, proof);
        let coefficient = if index == 0 { Fr::ONE } else { own };
        sum += coefficient;
        c += proof.c * coefficient;
        let mut point: G1Projective = key.ic[0].into();
        key.ic[1..].iter().zip(inputs).for_each(|(ic, input)| point += *ic * input);
        x += point * coefficient;
        left.push((proof.a * coefficient).into_affine());
        right.push(proof.b);
    }
    left.extend([key.alpha_g1 * -sum, -x, -c].map(|point| point.into_affine()));
    right.extend([key.beta_g2, key.gamma_g2, key.delta_g2]);
    Bn254::multi_pairing(left, right).is_zero()
}

/// From one valid proof of `x*`: a second claim with inputs of the forger's choice, and a first
/// claim which cancels it, since the second's coefficient is known before the first exists.
#[test]
fn forged_batch_by_per_proof_coefficients_is_refused() {
    let mut trapdoor = Trapdoor::new("broken batch", 1);
    let key = trapdoor.key();
    let honest = trapdoor.draw();
    let proof = trapdoor.prove(&[honest]);
    let scaled = |factor: Fr| Proof {
        a: (proof.a * factor).into_affine(),
        b: proof.b,
        c: (proof.c * factor).into_affine(),
    };
    let wanted = Fr::from(1_000_000u64);
    let second = (vec![wanted], scaled(Fr::from(2u64)));
    let r = own_coefficient(&second.0, &second.1);
    let first_factor = Fr::ONE + r - r * Fr::from(2u64);
    let first = (vec![(Fr::ONE + r) * honest - r * wanted], scaled(first_factor));
    let forged = vec![first, second];

    assert!(verify_batch_broken(&key, &forged), "the forgery must work on the broken rule");
    let key = PreparedKey::new(&key, KeyPolicy::Strict).unwrap();
    assert_eq!(batch(&key, &forged), Err(VerifyError::PairingFailed));
    for (inputs, proof) in &forged {
        assert_eq!(verify(&key, inputs, proof), Err(VerifyError::PairingFailed));
    }
    let honest_batch = vec![(vec![honest], proof.clone()), (vec![honest], proof)];
    batch(&key, &honest_batch).unwrap();
}
