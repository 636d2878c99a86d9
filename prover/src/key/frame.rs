//! Frames of a key file, each under its digest.

use std::io::{self, Read};

use ark_bn254::Fr;
use ark_ff::PrimeField;

use super::element::Element;
use super::section::{Place, Section};
use super::{Header, KeyError};

pub(super) const FRAME_HEAD_BYTES: usize = 24 + 32;

/// The digests of a key's frames before the evidence, hashed in their order.
#[derive(Clone, Debug)]
pub(crate) struct Transcript(blake3::Hasher);

impl Transcript {
    /// Context of the coefficients' hash (BLAKE3, key derivation mode).
    const CONTEXT: &str = "zkmargin 2026-11 evidence of a proving key, coefficients v1";
    /// Bytes of a coefficient: 128 bits.
    const COEFFICIENT_BYTES: usize = 16;

    pub(crate) fn new(header: &Header) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(Self::CONTEXT);
        hasher.update(&header.digest());
        Self(hasher)
    }

    /// Takes up a frame, given its head; the evidence itself is left out.
    pub(crate) fn absorb(&mut self, section: Section, head: &[u8]) {
        if section.is_content() {
            self.0.update(&head[24..FRAME_HEAD_BYTES]);
        }
    }

    /// One coefficient per column.
    pub(crate) fn coefficients(&self, columns: usize) -> Vec<Fr> {
        let mut stream = self.0.finalize_xof();
        let draw = |_| {
            let mut bytes = [0u8; Self::COEFFICIENT_BYTES];
            stream.fill(&mut bytes);
            Fr::from_le_bytes_mod_order(&bytes)
        };
        (0..columns).map(draw).collect()
    }
}

/// The head of a frame: its place and its digest.
pub(crate) fn frame_head(
    header_digest: &[u8; 32],
    place: Place,
    data: &[u8],
) -> [u8; FRAME_HEAD_BYTES] {
    let mut head = [0u8; FRAME_HEAD_BYTES];
    head[..4].copy_from_slice(&(place.section as u32).to_le_bytes());
    head[8..16].copy_from_slice(&place.first.to_le_bytes());
    head[16..24].copy_from_slice(&place.count.to_le_bytes());
    let digest =
        blake3::Hasher::new().update(header_digest).update(&head[..24]).update(data).finalize();
    head[24..].copy_from_slice(digest.as_bytes());
    head
}

/// Reads the frame that must come next and returns its head; `None` if the file ends or goes wrong
/// before the frame is whole.
pub(crate) fn read_frame(
    input: &mut impl Read,
    header_digest: &[u8; 32],
    place: Place,
) -> io::Result<Option<[u8; FRAME_HEAD_BYTES]>> {
    let mut head = [0u8; FRAME_HEAD_BYTES];
    let mut data = vec![0u8; place.data_bytes() as usize];
    for part in [&mut head[..], &mut data] {
        match input.read_exact(part) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            result => result?,
        }
    }
    Ok((head == frame_head(header_digest, place, &data)).then_some(head))
}

/// The elements of a frame, head included.
pub(super) fn decode<E: Element>(
    header_digest: &[u8; 32],
    place: Place,
    frame: &[u8],
    elements: &mut [E],
) -> Result<(), KeyError> {
    let (section, first) = (place.section.name(), place.first);
    let (head, data) = frame.split_at(FRAME_HEAD_BYTES);
    if head != frame_head(header_digest, place, data) {
        return Err(KeyError::Damaged { section, first });
    }
    for (k, (element, bytes)) in elements.iter_mut().zip(data.chunks_exact(E::BYTES)).enumerate() {
        let refused = KeyError::NotCanonical { section, index: first + k as u64 };
        *element = E::get(bytes).ok_or(refused)?;
    }
    Ok(())
}
