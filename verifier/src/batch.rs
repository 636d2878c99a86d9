//! Many proofs under one key in one check: a random linear combination, N + 3 pairings for N
//! proofs.
//!
//! With coefficients `zᵢ` the N equations become
//! `Π e(zᵢ·Aᵢ, Bᵢ) · e(−(Σzᵢ)·α, β) · e(−Σ zᵢ·Xᵢ, γ) · e(−Σ zᵢ·Cᵢ, δ) = 1`, `Xᵢ` the point of the
//! public inputs. If one equation is false, at most one value of its coefficient in 2^128 lets the
//! product pass. That holds only when the coefficients are drawn after everything else is fixed:
//! **each** is derived from the hash of the key, the number of proofs, and all inputs and all
//! proofs of the call. A coefficient from its own proof alone can be cancelled by a neighbour
//! chosen later.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ec::pairing::Pairing;
use ark_ff::{AdditiveGroup, PrimeField, Zero};

use crate::bytes;
use crate::error::VerifyError;
use crate::groth16::input_point;
use crate::key::PreparedKey;
use crate::proof::Proof;

/// Context of the coefficients' hash (BLAKE3, key derivation mode).
const CONTEXT: &str = "zkmargin 2026-11 batch verification coefficients v1";

/// Bytes of a coefficient: 128 bits.
const COEFFICIENT_BYTES: usize = 16;

/// A proof and what it claims.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Public inputs.
    pub inputs: &'a [Fr],
    /// The proof of them.
    pub proof: &'a Proof,
}

/// Accepts when every claim holds under `key`; a false claim passes with probability below 2^-127.
///
/// A refusal does not say which claim is bad when the pairing fails: verify each one to find out.
///
/// # Errors
/// [`VerifyError::EmptyBatch`], the first claim's [`VerifyError::InputCount`] or bad point, or
/// [`VerifyError::PairingFailed`].
pub fn verify_batch(key: &PreparedKey, claims: &[Claim<'_>]) -> Result<(), VerifyError> {
    if claims.is_empty() {
        return Err(VerifyError::EmptyBatch);
    }
    let mut input_points = Vec::with_capacity(claims.len());
    for claim in claims {
        input_points.push(input_point(key, claim.inputs)?);
        claim.proof.check()?;
    }
    let coefficients = coefficients(key.digest(), claims);
    let mut left: Vec<G1Affine> = Vec::with_capacity(claims.len() + 3);
    let mut right: Vec<<Bn254 as Pairing>::G2Prepared> = Vec::with_capacity(claims.len() + 3);
    let (mut sum, mut inputs, mut cs) = (Fr::ZERO, G1Projective::zero(), G1Projective::zero());
    for ((claim, point), coefficient) in claims.iter().zip(&input_points).zip(&coefficients) {
        sum += coefficient;
        inputs += *point * coefficient;
        cs += claim.proof.c * coefficient;
        left.push((claim.proof.a * coefficient).into_affine());
        right.push(claim.proof.b.into());
    }
    left.push((-(key.key.alpha_g1 * sum)).into_affine());
    right.push(key.key.beta_g2.into());
    left.push(inputs.into_affine());
    right.push(key.gamma_neg.clone());
    left.push(cs.into_affine());
    right.push(key.delta_neg.clone());
    if Bn254::multi_pairing(left, right).is_zero() {
        Ok(())
    } else {
        Err(VerifyError::PairingFailed)
    }
}

/// One 128-bit coefficient a claim, from the hash of the whole call.
fn coefficients(key_digest: &[u8; 32], claims: &[Claim<'_>]) -> Vec<Fr> {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(key_digest);
    hasher.update(&(claims.len() as u64).to_be_bytes());
    for claim in claims {
        hasher.update(&(claim.inputs.len() as u64).to_be_bytes());
        for input in claim.inputs {
            hasher.update(&bytes::word(*input));
        }
        hasher.update(&claim.proof.to_bytes());
    }
    let mut stream = hasher.finalize_xof();
    let draw = |_| {
        let mut bytes = [0u8; COEFFICIENT_BYTES];
        stream.fill(&mut bytes);
        Fr::from_be_bytes_mod_order(&bytes)
    };
    claims.iter().map(draw).collect()
}
