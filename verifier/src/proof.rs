//! A proof: three points.

use ark_bn254::{G1Affine, G2Affine};

use crate::bytes::{self, G1_BYTES, G2_BYTES};
use crate::error::{Point, VerifyError};

/// A Groth16 proof. The fields may hold anything; [`crate::verify`] checks them each time.
///
/// Proofs are malleable (`(−A, −B, C)` proves the same statement), so a proof's bytes name nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// `A`, in G1.
    pub a: G1Affine,
    /// `B`, in G2.
    pub b: G2Affine,
    /// `C`, in G1.
    pub c: G1Affine,
}

impl Proof {
    /// Length of a proof's encoding: 8 words of 32 bytes.
    pub const BYTES: usize = 2 * G1_BYTES + G2_BYTES;

    /// `A ‖ B ‖ C`, big-endian words as the precompiles of EIP-196 and EIP-197 read them.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut encoded = [0u8; Self::BYTES];
        encoded[..64].copy_from_slice(&bytes::g1_bytes(&self.a));
        encoded[64..192].copy_from_slice(&bytes::g2_bytes(&self.b));
        encoded[192..].copy_from_slice(&bytes::g1_bytes(&self.c));
        encoded
    }

    /// Reads [`Proof::to_bytes`].
    ///
    /// # Errors
    /// When a coordinate is not canonical, or a point is off its curve, outside its subgroup or the
    /// identity.
    pub fn from_bytes(encoded: &[u8; Self::BYTES]) -> Result<Self, VerifyError> {
        let mut a = [0u8; G1_BYTES];
        let mut b = [0u8; G2_BYTES];
        let mut c = [0u8; G1_BYTES];
        a.copy_from_slice(&encoded[..64]);
        b.copy_from_slice(&encoded[64..192]);
        c.copy_from_slice(&encoded[192..]);
        Ok(Proof {
            a: bytes::g1(&a, Point::ProofA)?,
            b: bytes::g2(&b, Point::ProofB)?,
            c: bytes::g1(&c, Point::ProofC)?,
        })
    }

    /// All three points are on their curves, in their subgroups, and not the identity.
    ///
    /// # Errors
    /// The first point which is not, with the reason.
    pub fn check(&self) -> Result<(), VerifyError> {
        bytes::check_g1(&self.a, Point::ProofA)?;
        bytes::check_g2(&self.b, Point::ProofB)?;
        bytes::check_g1(&self.c, Point::ProofC)
    }
}
