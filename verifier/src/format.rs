//! The files which keys, proofs and statements travel in.
//!
//! Every file is one container:
//! `magic (8) ‖ format version (4) ‖ payload length (4) ‖ payload ‖ BLAKE3 (32)`, the hash over all
//! that comes before it, all numbers big-endian. The payloads are
//!
//! | file | magic | payload |
//! |---|---|---|
//! | verifying key | `zkmVK` | circuit digest (32) ‖ provenance (1) ‖ [`VerifyingKey::to_bytes`] |
//! | proof | `zkmPF` | circuit digest (32) ‖ provenance (1) ‖ [`Proof::to_bytes`] |
//! | statement | `zkmST` | chain id (8) ‖ contract (20) ‖ protocol version (4) ‖ `C` (32) ‖ number of words (4) ‖ words |
//!
//! The hash finds damage, not malice: what a key is worth is decided by its ceremony and by who
//! names its digest.

use ark_bn254::Fr;

use crate::bytes;
use crate::error::VerifyError;
use crate::key::VerifyingKey;
use crate::proof::Proof;
use crate::statement::{Domain, Statement, WORDS_MAX};

mod container;
mod error;
pub use container::{
    HEADER_BYTES, MAGIC_KEY, MAGIC_PROOF, MAGIC_STATEMENT, VERSION, open, seal, stated_bytes,
};
pub use error::FormatError;

use container::Reader;

/// Where a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Made by one party, who can forge proofs. For tests and demonstrations.
    Development,
    /// Made by a ceremony; sound if one contributor was honest.
    Ceremony,
}

impl Provenance {
    /// The byte in files and in the contract's code.
    pub fn byte(self) -> u8 {
        match self {
            Provenance::Development => 0,
            Provenance::Ceremony => 1,
        }
    }

    /// Reads [`Provenance::byte`].
    ///
    /// # Errors
    /// [`FormatError::Provenance`] for any other byte.
    pub fn from_byte(byte: u8) -> Result<Self, FormatError> {
        match byte {
            0 => Ok(Provenance::Development),
            1 => Ok(Provenance::Ceremony),
            other => Err(FormatError::Provenance(other)),
        }
    }

    /// `development` or `ceremony`.
    pub fn name(self) -> &'static str {
        match self {
            Provenance::Development => "development",
            Provenance::Ceremony => "ceremony",
        }
    }
}

/// A verifying key with the circuit it belongs to and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// Digest of the circuit's canonical matrices.
    pub circuit: [u8; 32],
    /// Where the key comes from.
    pub provenance: Provenance,
    /// The key.
    pub key: VerifyingKey,
}

impl KeyFile {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut payload = self.circuit.to_vec();
        payload.push(self.provenance.byte());
        payload.extend_from_slice(&self.key.to_bytes());
        seal(MAGIC_KEY, &payload)
    }

    /// Reads [`KeyFile::to_bytes`]. The points are checked; the rest of a key's hygiene is checked
    /// by [`crate::PreparedKey::new`].
    ///
    /// # Errors
    /// When the container or its payload is not whole, or a point is bad.
    pub fn from_bytes(file: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(open(MAGIC_KEY, file)?);
        let circuit = *reader.take()?;
        let [provenance] = *reader.take()?;
        let provenance = Provenance::from_byte(provenance)?;
        let key = VerifyingKey::from_bytes(reader.rest)?;
        Ok(KeyFile { circuit, provenance, key })
    }
}

/// A proof with the circuit and the kind of key it was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFile {
    /// Digest of the circuit's canonical matrices.
    pub circuit: [u8; 32],
    /// Where the key comes from.
    pub provenance: Provenance,
    /// The proof.
    pub proof: Proof,
}

impl ProofFile {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut payload = self.circuit.to_vec();
        payload.push(self.provenance.byte());
        payload.extend_from_slice(&self.proof.to_bytes());
        seal(MAGIC_PROOF, &payload)
    }

    /// Reads [`ProofFile::to_bytes`].
    ///
    /// # Errors
    /// When the container or its payload is not whole, or a point is bad.
    pub fn from_bytes(file: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(open(MAGIC_PROOF, file)?);
        let circuit = *reader.take()?;
        let [provenance] = *reader.take()?;
        let provenance = Provenance::from_byte(provenance)?;
        let encoded = reader.take::<{ Proof::BYTES }>()?;
        reader.end()?;
        Ok(ProofFile { circuit, provenance, proof: Proof::from_bytes(encoded)? })
    }

    /// Proof and key say that they are for the same circuit and of the same origin.
    ///
    /// # Errors
    /// [`VerifyError::CircuitMismatch`] or [`VerifyError::ProvenanceMismatch`].
    pub fn check_matches(&self, key: &KeyFile) -> Result<(), VerifyError> {
        if self.circuit != key.circuit {
            return Err(VerifyError::CircuitMismatch {
                key: hex::encode(key.circuit),
                proof: hex::encode(self.circuit),
            });
        }
        if self.provenance != key.provenance {
            return Err(VerifyError::ProvenanceMismatch {
                key: key.provenance.name(),
                proof: self.provenance.name(),
            });
        }
        Ok(())
    }
}

/// A statement's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementFile(pub Statement);

impl StatementFile {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Statement { words, commitment, domain } = &self.0;
        let mut payload = Vec::with_capacity(68 + 32 * words.len());
        payload.extend_from_slice(&domain.chain_id.to_be_bytes());
        payload.extend_from_slice(&domain.contract);
        payload.extend_from_slice(&domain.version.to_be_bytes());
        payload.extend_from_slice(&bytes::word(*commitment));
        let count = u32::try_from(words.len()).expect("a statement has fewer than 2^32 words");
        payload.extend_from_slice(&count.to_be_bytes());
        for word in words {
            payload.extend_from_slice(&bytes::word(*word));
        }
        seal(MAGIC_STATEMENT, &payload)
    }

    /// Reads [`StatementFile::to_bytes`]. Every word must be canonical; whether the header's words
    /// fit the domain is judged by [`Statement::public_inputs`].
    ///
    /// # Errors
    /// When the container or its payload is not whole, or a word is not below the modulus.
    pub fn from_bytes(file: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(open(MAGIC_STATEMENT, file)?);
        let domain = Domain {
            chain_id: u64::from_be_bytes(*reader.take()?),
            contract: *reader.take()?,
            version: u32::from_be_bytes(*reader.take()?),
        };
        let commitment = bytes::scalar(reader.take()?, || "the commitment".to_string())?;
        let count = u32::from_be_bytes(*reader.take()?) as usize;
        if count > WORDS_MAX {
            let error = VerifyError::StatementLength { expected: "2 to 1048576", got: count };
            return Err(error.into());
        }
        let words = (0..count)
            .map(|index| Ok(bytes::scalar(reader.take()?, || format!("word {index}"))?))
            .collect::<Result<Vec<Fr>, FormatError>>()?;
        reader.end()?;
        Ok(StatementFile(Statement { words, commitment, domain }))
    }
}
