//! Frames of a key file: elements as bytes, each frame under its digest.

use std::io::{self, Read};

use ark_bn254::{Fq, Fq2, Fr, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::{BigInt, PrimeField};

use super::header::Section;
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

/// An element of a section, as bytes.
pub(crate) trait Element: Clone + Default + Send + Sync {
    const BYTES: usize;
    fn put(&self, bytes: &mut Vec<u8>);
    /// `None` unless canonical.
    fn get(bytes: &[u8]) -> Option<Self>;
    /// Whether a point is in its group.
    fn in_group(&self) -> bool;
}

impl Element for u32 {
    const BYTES: usize = 4;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
    fn get(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_le_bytes(bytes.try_into().ok()?))
    }
    fn in_group(&self) -> bool {
        true
    }
}

fn put_fq(element: &Fq, bytes: &mut Vec<u8>) {
    element.0.0.iter().for_each(|limb| bytes.extend(limb.to_le_bytes()));
}

fn get_fq(bytes: &[u8]) -> Option<Fq> {
    let mut limbs = [0u64; 4];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    let element = Fq::new_unchecked(BigInt(limbs));
    (!element.is_geq_modulus()).then_some(element)
}

impl Element for Affine<g1::Config> {
    const BYTES: usize = 64;
    fn put(&self, bytes: &mut Vec<u8>) {
        put_fq(&self.x, bytes);
        put_fq(&self.y, bytes);
    }
    fn get(bytes: &[u8]) -> Option<Self> {
        Some(Self::new_unchecked(get_fq(&bytes[..32])?, get_fq(&bytes[32..])?))
    }
    fn in_group(&self) -> bool {
        !self.is_zero() && self.is_on_curve()
    }
}

impl Element for Affine<g2::Config> {
    const BYTES: usize = 128;
    fn put(&self, bytes: &mut Vec<u8>) {
        for part in [&self.x.c0, &self.x.c1, &self.y.c0, &self.y.c1] {
            put_fq(part, bytes);
        }
    }
    fn get(bytes: &[u8]) -> Option<Self> {
        let x = Fq2::new(get_fq(&bytes[..32])?, get_fq(&bytes[32..64])?);
        let y = Fq2::new(get_fq(&bytes[64..96])?, get_fq(&bytes[96..])?);
        Some(Self::new_unchecked(x, y))
    }
    fn in_group(&self) -> bool {
        !self.is_zero() && self.is_on_curve() && self.is_in_correct_subgroup_assuming_on_curve()
    }
}

/// The bytes of elements one after the other.
pub(crate) fn encode<E: Element>(elements: &[E]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(elements.len() * E::BYTES);
    elements.iter().for_each(|element| element.put(&mut bytes));
    bytes
}

/// The head of a frame: its place and its digest.
pub(crate) fn frame_head(
    header_digest: &[u8; 32],
    (section, first, count): (Section, u64, u64),
    data: &[u8],
) -> [u8; FRAME_HEAD_BYTES] {
    let mut head = [0u8; FRAME_HEAD_BYTES];
    head[..4].copy_from_slice(&(section as u32).to_le_bytes());
    head[8..16].copy_from_slice(&first.to_le_bytes());
    head[16..24].copy_from_slice(&count.to_le_bytes());
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
    place: (Section, u64, u64),
) -> io::Result<Option<[u8; FRAME_HEAD_BYTES]>> {
    let mut head = [0u8; FRAME_HEAD_BYTES];
    let mut data = vec![0u8; (place.2 * place.0.element_bytes()) as usize];
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
    place: (Section, u64, u64),
    frame: &[u8],
    elements: &mut [E],
) -> Result<(), KeyError> {
    let (section, first, _) = place;
    let section = section.name();
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
