//! The verification equation: `e(A, B) = e(α, β) · e(ic₀ + Σ xᵢ·icᵢ, γ) · e(C, δ)`.

use ark_bn254::{Bn254, Fr, G1Projective};
use ark_ec::pairing::Pairing;

use crate::error::VerifyError;
use crate::key::PreparedKey;
use crate::proof::Proof;

/// Accepts `proof` for the public inputs `inputs` under `key`.
///
/// # Errors
/// [`VerifyError::InputCount`] unless there are exactly as many inputs as the key takes (too few
/// and too many are both refused), the reasons of [`Proof::check`], or
/// [`VerifyError::PairingFailed`].
pub fn verify(key: &PreparedKey, inputs: &[Fr], proof: &Proof) -> Result<(), VerifyError> {
    let input_point = input_point(key, inputs)?;
    proof.check()?;
    let left = Bn254::multi_pairing(
        [proof.a.into(), input_point, proof.c.into()],
        [proof.b.into(), key.gamma_neg.clone(), key.delta_neg.clone()],
    );
    if left == key.alpha_beta { Ok(()) } else { Err(VerifyError::PairingFailed) }
}

/// `ic₀ + Σ xᵢ·icᵢ`.
pub(crate) fn input_point(key: &PreparedKey, inputs: &[Fr]) -> Result<G1Projective, VerifyError> {
    let expected = key.key.input_count();
    if inputs.len() != expected {
        return Err(VerifyError::InputCount { expected, got: inputs.len() });
    }
    let mut sum: G1Projective = key.key.ic[0].into();
    for (point, input) in key.key.ic[1..].iter().zip(inputs) {
        sum += *point * input;
    }
    Ok(sum)
}
