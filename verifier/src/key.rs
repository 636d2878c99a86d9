//! Verifying keys and their hygiene: what a key must satisfy before anything is verified with it.

use std::collections::BTreeMap;

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::pairing::{Pairing, PairingOutput};

use crate::bytes::{self, G1_BYTES, G2_BYTES};
use crate::error::{Point, VerifyError};

/// A Groth16 verifying key. The fields may hold anything; [`VerifyingKey::check`] judges them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    /// `α`, in G1.
    pub alpha_g1: G1Affine,
    /// `β`, in G2.
    pub beta_g2: G2Affine,
    /// `γ`, in G2.
    pub gamma_g2: G2Affine,
    /// `δ`, in G2.
    pub delta_g2: G2Affine,
    /// The constant term, then one point for each public input, in G1.
    pub ic: Vec<G1Affine>,
}

/// Which keys are acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPolicy {
    /// All checks.
    Strict,
    /// Allows `γ = δ` and `δ` the generator: keys of published examples to which nobody
    /// contributed. Such keys prove nothing.
    AllowUnfinalised,
}

/// Bytes before the points of the public inputs: `α`, `β`, `γ`, `δ` and the number of `ic` points.
const FIXED_BYTES: usize = G1_BYTES + 3 * G2_BYTES + 4;

impl VerifyingKey {
    /// Number of public inputs of the circuit.
    pub fn input_count(&self) -> usize {
        self.ic.len().saturating_sub(1)
    }

    /// Every point on its curve, in its subgroup and not the identity; `α`, `β`, `δ` neither the
    /// generator nor its opposite; `β`, `γ`, `δ` neither equal nor opposite; at least the constant
    /// term, and no two `ic` points equal or opposite.
    ///
    /// # Errors
    /// The first check which fails, in the order above.
    pub fn check(&self, policy: KeyPolicy) -> Result<(), VerifyError> {
        if self.ic.is_empty() {
            return Err(VerifyError::KeyLength { expected: 1, got: 0 });
        }
        bytes::check_g1(&self.alpha_g1, Point::Alpha)?;
        bytes::check_g2(&self.beta_g2, Point::Beta)?;
        bytes::check_g2(&self.gamma_g2, Point::Gamma)?;
        bytes::check_g2(&self.delta_g2, Point::Delta)?;
        for (index, point) in self.ic.iter().enumerate() {
            bytes::check_g1(point, Point::Ic(index))?;
        }
        self.check_secrets(policy)?;
        self.check_inputs()
    }

    /// No secret is known to be one or minus one, and no two are known to be equal or opposite.
    ///
    /// With `β = ±δ` the proof `(X, γ, ∓α)` is good for any inputs with the point `X`. With
    /// `β = ±γ` `(X ± α, γ + δ, X ± α)` is. With `γ = ±δ` `(α, β, ∓X)` is.
    fn check_secrets(&self, policy: KeyPolicy) -> Result<(), VerifyError> {
        let is_strict = policy == KeyPolicy::Strict;
        if is_related(&self.alpha_g1, &G1Affine::generator()) {
            return Err(VerifyError::GeneratorPoint(Point::Alpha));
        }
        if is_related(&self.beta_g2, &G2Affine::generator()) {
            return Err(VerifyError::GeneratorPoint(Point::Beta));
        }
        for (point, other) in [(Point::Gamma, &self.gamma_g2), (Point::Delta, &self.delta_g2)] {
            if is_related(&self.beta_g2, other) {
                return Err(VerifyError::RelatedPoints(Point::Beta, point));
            }
        }
        // An unfinished set-up has gamma and delta equal, and never opposite.
        if is_related(&self.gamma_g2, &self.delta_g2)
            && (is_strict || self.gamma_g2 != self.delta_g2)
        {
            return Err(VerifyError::GammaEqualsDelta);
        }
        let one = G2Affine::generator();
        if is_related(&self.delta_g2, &one) && (is_strict || self.delta_g2 != one) {
            return Err(VerifyError::GeneratorPoint(Point::Delta));
        }
        Ok(())
    }

    /// No two points of the inputs are equal or opposite.
    fn check_inputs(&self) -> Result<(), VerifyError> {
        let mut seen = BTreeMap::new();
        for (index, point) in self.ic.iter().enumerate() {
            // Points share the first coordinate if, and only if, they are equal or opposite.
            let x = point.x().map(bytes::word);
            let Some(first) = seen.insert(x, index) else { continue };
            return Err(match self.ic[first] == *point {
                true => VerifyError::DuplicateIc(first, index),
                false => VerifyError::OppositeIc(first, index),
            });
        }
        Ok(())
    }

    /// `α ‖ β ‖ γ ‖ δ ‖ number of ic points (4 bytes) ‖ ic…`, big-endian words in the precompiles'
    /// order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(FIXED_BYTES + G1_BYTES * self.ic.len());
        encoded.extend_from_slice(&bytes::g1_bytes(&self.alpha_g1));
        encoded.extend_from_slice(&bytes::g2_bytes(&self.beta_g2));
        encoded.extend_from_slice(&bytes::g2_bytes(&self.gamma_g2));
        encoded.extend_from_slice(&bytes::g2_bytes(&self.delta_g2));
        let count = u32::try_from(self.ic.len()).expect("a key has fewer than 2^32 points");
        encoded.extend_from_slice(&count.to_be_bytes());
        for point in &self.ic {
            encoded.extend_from_slice(&bytes::g1_bytes(point));
        }
        encoded
    }

    /// Length of [`VerifyingKey::to_bytes`] with `count` points of public inputs.
    pub(crate) fn bytes(count: usize) -> usize {
        FIXED_BYTES.saturating_add(count.saturating_mul(G1_BYTES))
    }

    /// Reads [`VerifyingKey::to_bytes`]. Points are checked; the rest of the hygiene is
    /// [`VerifyingKey::check`]'s.
    ///
    /// # Errors
    /// When the length is not exactly what the number of points asks for, or a point is bad.
    pub fn from_bytes(encoded: &[u8]) -> Result<Self, VerifyError> {
        let too_short = VerifyError::KeyLength { expected: FIXED_BYTES, got: encoded.len() };
        let (fixed, ic) = encoded.split_at_checked(FIXED_BYTES).ok_or(too_short)?;
        let (points, count) = fixed.split_at(FIXED_BYTES - 4);
        let count = count.iter().fold(0usize, |value, byte| value << 8 | usize::from(*byte));
        let expected = Self::bytes(count);
        if encoded.len() != expected {
            return Err(VerifyError::KeyLength { expected, got: encoded.len() });
        }
        let (alpha, g2) = points.split_at(G1_BYTES);
        let g2_at = |index: usize, point| {
            let mut bytes = [0u8; G2_BYTES];
            bytes.copy_from_slice(&g2[index * G2_BYTES..][..G2_BYTES]);
            bytes::g2(&bytes, point)
        };
        let g1_of = |chunk: &[u8], point| {
            let mut bytes = [0u8; G1_BYTES];
            bytes.copy_from_slice(chunk);
            bytes::g1(&bytes, point)
        };
        Ok(VerifyingKey {
            alpha_g1: g1_of(alpha, Point::Alpha)?,
            beta_g2: g2_at(0, Point::Beta)?,
            gamma_g2: g2_at(1, Point::Gamma)?,
            delta_g2: g2_at(2, Point::Delta)?,
            ic: (ic.chunks_exact(G1_BYTES).enumerate())
                .map(|(index, chunk)| g1_of(chunk, Point::Ic(index)))
                .collect::<Result<_, _>>()?,
        })
    }

    /// BLAKE3 of [`VerifyingKey::to_bytes`]: the key's name.
    pub fn digest(&self) -> [u8; 32] {
        *blake3::hash(&self.to_bytes()).as_bytes()
    }
}

/// Whether two points are equal or opposite.
fn is_related<G: AffineRepr>(one: &G, other: &G) -> bool {
    one.x() == other.x()
}

type G2Prepared = <Bn254 as Pairing>::G2Prepared;

/// A key which passed [`VerifyingKey::check`], with what does not depend on the proof computed
/// once.
#[derive(Clone, Debug)]
pub struct PreparedKey {
    pub(crate) key: VerifyingKey,
    pub(crate) digest: [u8; 32],
    pub(crate) alpha_beta: PairingOutput<Bn254>,
    pub(crate) gamma_neg: G2Prepared,
    pub(crate) delta_neg: G2Prepared,
}

impl PreparedKey {
    /// Checks `key` and prepares it.
    ///
    /// # Errors
    /// Those of [`VerifyingKey::check`].
    pub fn new(key: &VerifyingKey, policy: KeyPolicy) -> Result<Self, VerifyError> {
        key.check(policy)?;
        Ok(PreparedKey {
            key: key.clone(),
            digest: key.digest(),
            alpha_beta: Bn254::pairing(key.alpha_g1, key.beta_g2),
            gamma_neg: (-key.gamma_g2).into(),
            delta_neg: (-key.delta_g2).into(),
        })
    }

    /// The key itself.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// [`VerifyingKey::digest`] of the key.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}
