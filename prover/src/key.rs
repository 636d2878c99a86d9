//! Proving keys and their file.
//!
//! The file is a header followed by frames. Every frame carries the BLAKE3 digest of its place and
//! content, chained to the header's digest, so a truncated, altered or foreign file is a clear
//! error and an interrupted setup can be carried on after its last whole frame. The header carries
//! a commitment to the seed of the secrets, so frames of two setups never make one key. Points are
//! stored as raw Montgomery limbs: reading is a copy. Integers are little-endian.
//!
//! ```text
//! header  "zkmgkey1" ‖ version u32 ‖ reduction u32 ‖ provenance u32 ‖ 0 u32 ‖ circuit digest [32]
//!         ‖ commitment to the seed [32]
//!         ‖ instances, witnesses, constraints, domain, a, b, l, h: u64
//!         ‖ BLAKE3 of all this
//! frame   section u32 ‖ 0 u32 ‖ first u64 ‖ count u64
//!         ‖ BLAKE3(header digest ‖ these 24 bytes ‖ data) ‖ data
//! ```
//!
//! The last three points are evidence that the others belong to one set of secrets, see
//! [`ProvingKey::verify_secrets`].

use std::path::{Path, PathBuf};

use ark_bn254::{Fr, G1Affine, G2Affine};
use rayon::prelude::*;
use zkmargin_circuits::cs::R1cs;
use zkmargin_verifier::VerifyingKey;

use crate::msm::Scalars;
use crate::quotient;

mod check;
mod element;
mod error;
mod frame;
mod header;
mod load;
mod section;

pub(crate) use element::encode;
pub use error::KeyError;
pub(crate) use frame::{Transcript, frame_head, read_frame};
pub use header::{Header, Reduction};
pub(crate) use section::{Place, Section};

/// Points for some of the columns; the others are the identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query<G> {
    /// Columns in `[1, instances…, witnesses…]`, increasing.
    pub columns: Vec<u32>,
    /// Their points.
    pub points: Vec<G>,
}

impl<G: Sync> Query<G> {
    /// The values of the query's columns.
    pub(crate) fn scalars(&self, values: &[Fr]) -> Scalars {
        Scalars::new(self.columns.par_iter().map(|&column| values[column as usize]))
    }
}

/// A Groth16 proving key.
#[derive(Clone, Debug)]
pub struct ProvingKey {
    /// What it is for.
    pub header: Header,
    /// The verifying key.
    pub verifying: VerifyingKey,
    /// `β` in G1.
    pub beta_g1: G1Affine,
    /// `δ` in G1.
    pub delta_g1: G1Affine,
    /// `A_j(τ)`.
    pub a: Query<G1Affine>,
    /// `B_j(τ)` in G1.
    pub b: Query<G1Affine>,
    /// `B_j(τ)` in G2, for the same columns.
    pub b_g2: Vec<G2Affine>,
    /// `(β·A_j + α·B_j + C_j)/δ` for witnesses, and for all columns less `C_j·Z(τ)/(kδ)`, `k = Z`
    /// on the coset.
    pub l: Query<G1Affine>,
    /// `L_i(τ)·Z(τ)/(kδ)` with the Lagrange basis `L_i` of the coset.
    pub h: Vec<G1Affine>,
    /// Shows that the points above belong to one set of secrets.
    pub evidence: Evidence,
}

/// Points which tie the parts of a key together. All are polynomials in `τ`, as the powers of a
/// ceremony are, and no proof needs them.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// `Σ ρ_j·C_j(τ)` over all columns, the coefficients drawn from the digests of all frames
    /// before.
    pub c_g1: G1Affine,
    /// `τ` in G2.
    pub tau_g2: G2Affine,
    /// `Z(τ)` in G2, `Z` the vanishing polynomial of the domain.
    pub vanishing_g2: G2Affine,
    /// What the coefficients are drawn from.
    pub(crate) transcript: Transcript,
}

/// The name of a circuit's key in every folder of keys.
pub fn file_name(circuit: &[u8; 32]) -> String {
    format!("{}.{FILE_EXTENSION}", hex::encode(circuit))
}

/// Ending of the names of keys.
pub const FILE_EXTENSION: &str = "key";

/// Place of a circuit's key in a folder of keys.
pub fn path_in(folder: &Path, r1cs: &R1cs<Fr>) -> PathBuf {
    folder.join(file_name(&r1cs.digest()))
}

impl ProvingKey {
    /// Checks that the key is for `r1cs`.
    ///
    /// # Errors
    /// [`KeyError::Circuit`], or [`KeyError::Header`] if the digest agrees but the sizes do not.
    pub fn is_for(&self, r1cs: &R1cs<Fr>) -> Result<(), KeyError> {
        let circuit = r1cs.digest();
        if self.header.circuit != circuit {
            let [key, wanted] = [self.header.circuit, circuit].map(hex::encode);
            return Err(KeyError::Circuit { key, wanted });
        }
        let size = quotient::domain(r1cs).map_err(|_| KeyError::Header)?;
        let sizes =
            [r1cs.instances as u64, r1cs.witnesses as u64, r1cs.constraints() as u64, size.size];
        let header = &self.header;
        let stated = [header.instances, header.witnesses, header.constraints, header.domain];
        if sizes == stated { Ok(()) } else { Err(KeyError::Header) }
    }
}
