//! The container around every payload, and how long a payload may be.

use super::FormatError;
use crate::key::VerifyingKey;
use crate::proof::Proof;
use crate::statement::WORDS_MAX;

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
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        Reader { rest: payload, length: payload.len() }
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], FormatError> {
        let expected = self.length - self.rest.len() + N;
        let short = FormatError::PayloadLength { expected, got: self.length };
        let (taken, rest) = self.rest.split_first_chunk().ok_or(short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn end(&self) -> Result<(), FormatError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let expected = self.length - self.rest.len();
        Err(FormatError::PayloadLength { expected, got: self.length })
    }
}
