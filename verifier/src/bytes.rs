//! Field elements and points as bytes: 32-byte big-endian words in the order of EIP-196 and
//! EIP-197, so that a proof's bytes are exactly what the chain's precompiles read.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger, PrimeField};

use crate::error::{Point, VerifyError};

/// Bytes of a point in G1: x, y.
pub(crate) const G1_BYTES: usize = 64;
/// Bytes of a point in G2: imaginary and real part of x, then of y.
pub(crate) const G2_BYTES: usize = 128;

/// A field element as a 32-byte big-endian word.
pub(crate) fn word<F: PrimeField>(element: F) -> [u8; 32] {
    let mut word = [0u8; 32];
    let bytes = element.into_bigint().to_bytes_be();
    word[32 - bytes.len()..].copy_from_slice(&bytes);
    word
}

/// The field element of a big-endian word, `None` when it is not below the modulus.
pub(crate) fn element<F: PrimeField<BigInt = BigInt<4>>>(word: &[u8; 32]) -> Option<F> {
    let mut limbs = [0u64; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(word.chunks_exact(8)) {
        *limb = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    }
    F::from_bigint(BigInt::new(limbs))
}

/// The scalar of a big-endian word.
pub(crate) fn scalar(word: &[u8; 32], what: impl Fn() -> String) -> Result<Fr, VerifyError> {
    element(word).ok_or_else(|| VerifyError::NonCanonicalScalar {
        what: what(),
        value: format!("0x{}", hex::encode(word)),
    })
}

/// `0x` and 64 hexadecimal digits.
pub(crate) fn hex_word<F: PrimeField>(element: F) -> String {
    format!("0x{}", hex::encode(word(element)))
}

pub(crate) fn g1_bytes(point: &G1Affine) -> [u8; G1_BYTES] {
    let mut bytes = [0u8; G1_BYTES];
    // The identity has no coordinates; its encoding is all zero, as the precompiles have it.
    if let Some((x, y)) = point.xy() {
        bytes[..32].copy_from_slice(&word(x));
        bytes[32..].copy_from_slice(&word(y));
    }
    bytes
}

pub(crate) fn g2_bytes(point: &G2Affine) -> [u8; G2_BYTES] {
    let mut bytes = [0u8; G2_BYTES];
    if let Some((x, y)) = point.xy() {
        for (slot, coordinate) in bytes.chunks_exact_mut(32).zip([x.c1, x.c0, y.c1, y.c0]) {
            slot.copy_from_slice(&word(coordinate));
        }
    }
    bytes
}

/// The point of G1 which `bytes` hold, checked; the identity is refused.
pub(crate) fn g1(bytes: &[u8; G1_BYTES], point: Point) -> Result<G1Affine, VerifyError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(VerifyError::IdentityPoint(point));
    }
    let [x, y] = coordinates(bytes, point)?;
    let affine = G1Affine::new_unchecked(x, y);
    check_g1(&affine, point)?;
    Ok(affine)
}

/// The point of G2 which `bytes` hold, checked; the identity is refused.
pub(crate) fn g2(bytes: &[u8; G2_BYTES], point: Point) -> Result<G2Affine, VerifyError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(VerifyError::IdentityPoint(point));
    }
    let [x1, x0, y1, y0] = coordinates(bytes, point)?;
    let affine = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
    check_g2(&affine, point)?;
    Ok(affine)
}

fn coordinates<const N: usize>(bytes: &[u8], point: Point) -> Result<[Fq; N], VerifyError> {
    let mut values = [Fq::from(0u64); N];
    for (value, chunk) in values.iter_mut().zip(bytes.chunks_exact(32)) {
        let mut word = [0u8; 32];
        word.copy_from_slice(chunk);
        *value = element(&word).ok_or_else(|| VerifyError::NonCanonicalCoordinate {
            point,
            value: format!("0x{}", hex::encode(word)),
        })?;
    }
    Ok(values)
}

/// On the curve and not the identity. The curve's order is prime, so its points are their own
/// subgroup.
pub(crate) fn check_g1(affine: &G1Affine, point: Point) -> Result<(), VerifyError> {
    if affine.is_zero() {
        return Err(VerifyError::IdentityPoint(point));
    }
    if !affine.is_on_curve() {
        return Err(VerifyError::NotOnCurve(point));
    }
    Ok(())
}

/// On the twist, in the subgroup of prime order, and not the identity.
pub(crate) fn check_g2(affine: &G2Affine, point: Point) -> Result<(), VerifyError> {
    if affine.is_zero() {
        return Err(VerifyError::IdentityPoint(point));
    }
    if !affine.is_on_curve() {
        return Err(VerifyError::NotOnCurve(point));
    }
    if !affine.is_in_correct_subgroup_assuming_on_curve() {
        return Err(VerifyError::NotInSubgroup(point));
    }
    Ok(())
}
