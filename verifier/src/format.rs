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

mod error;
pub use error::FormatError;

/// First bytes of a verifying key's file.
pub const MAGIC_KEY: [u8; 8] = *b"zkmVK\0\0\0";
/// First bytes of a proof's file.
pub const MAGIC_PROOF: [u8; 8] = *b"zkmPF\0\0\0";
/// First bytes of a statement's file.
pub const MAGIC_STATEMENT: [u8; 8] = *b"zkmST\0\0\0";
/// The version which this release writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// Magic, version and length of the payload.
pub const HEADER_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Circuit digest and provenance, before a key or a proof.
const ORIGIN_BYTES: usize = 33;
/// What stands before the words of a statement.
const STATEMENT_HEAD_BYTES: usize = 68;
/// The most public inputs of a key's file: a key of this release has three.
const INPUTS_MAX: usize = 1 << 16;

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

/// Puts `payload` into a container.
///
/// # Panics
/// When the payload is 4 GiB or longer.
pub fn seal(magic: [u8; 8], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a payload is shorter than 4 GiB");
    let mut file = Vec::with_capacity(HEADER_BYTES + payload.len() + HASH_BYTES);
    file.extend_from_slice(&magic);
    file.extend_from_slice(&VERSION.to_be_bytes());
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(payload);
    let hash = blake3::hash(&file);
    file.extend_from_slice(hash.as_bytes());
    file
}

/// The length of the whole file, as its first [`HEADER_BYTES`] say it: what a reader checks before
/// it reads the rest.
///
/// # Errors
/// Foreign, another version, truncated or longer than a file of this kind may be, in this order.
pub fn stated_bytes(magic: [u8; 8], head: &[u8]) -> Result<usize, FormatError> {
    let truncated = |expected| FormatError::Truncated { expected, got: head.len() };
    let (found, _) = head.split_first_chunk::<8>().ok_or(truncated(8))?;
    if *found != magic {
        return Err(FormatError::Foreign {
            expected: String::from_utf8_lossy(&magic).trim_end_matches('\0').to_string(),
            got: hex::encode(found),
        });
    }
    let number = |at: usize| -> Option<u32> {
        let bytes = head.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes))
    };
    let version = number(8).ok_or(truncated(HEADER_BYTES))?;
    if version != VERSION {
        return Err(FormatError::Version { expected: VERSION, got: version });
    }
    let length = number(12).ok_or(truncated(HEADER_BYTES))? as usize;
    let length_max = payload_bytes_max(magic);
    if length > length_max {
        return Err(FormatError::PayloadLength { expected: length_max, got: length });
    }
    Ok(length + HEADER_BYTES + HASH_BYTES)
}

/// The longest payload of a kind of file.
fn payload_bytes_max(magic: [u8; 8]) -> usize {
    match magic {
        MAGIC_PROOF => ORIGIN_BYTES + Proof::BYTES,
        MAGIC_STATEMENT => STATEMENT_HEAD_BYTES + 32 * WORDS_MAX,
        _ => ORIGIN_BYTES + VerifyingKey::bytes(INPUTS_MAX + 1),
    }
}

/// The payload of a container: exactly one, whole and undamaged.
///
/// # Errors
/// Those of [`stated_bytes`], truncated, too long or damaged, in this order.
pub fn open(magic: [u8; 8], file: &[u8]) -> Result<&[u8], FormatError> {
    let expected = stated_bytes(magic, file)?;
    if file.len() < expected {
        return Err(FormatError::Truncated { expected, got: file.len() });
    }
    if file.len() > expected {
        return Err(FormatError::TrailingBytes { expected, got: file.len() });
    }
    let (content, hash) = file.split_at(expected - HASH_BYTES);
    if blake3::hash(content).as_bytes() != hash {
        return Err(FormatError::Damaged);
    }
    Ok(&content[HEADER_BYTES..])
}

/// Reads a payload from its front.
struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    fn new(payload: &'a [u8]) -> Self {
        Reader { rest: payload, length: payload.len() }
    }

    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], FormatError> {
        let expected = self.length - self.rest.len() + N;
        let short = FormatError::PayloadLength { expected, got: self.length };
        let (taken, rest) = self.rest.split_first_chunk().ok_or(short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn end(&self) -> Result<(), FormatError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let expected = self.length - self.rest.len();
        Err(FormatError::PayloadLength { expected, got: self.length })
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
