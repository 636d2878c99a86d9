//! Proving keys and their file.
//!
//! The file is a header followed by frames; every frame carries the BLAKE3 digest of its place and content, chained
//! to the header's digest, so a truncated, altered or foreign file is a clear error and an interrupted setup
//! can be carried on after its last whole frame. Points are stored as raw Montgomery limbs: reading is a copy.
//! Integers are little-endian.
//!
//! ```text
//! header  "zkmgkey1" ‖ version u32 ‖ reduction u32 ‖ provenance u32 ‖ 0 u32 ‖ circuit digest [32]
//!         ‖ instances, witnesses, constraints, domain, a, b, l, h: u64 ‖ BLAKE3 of all this
//! frame   section u32 ‖ 0 u32 ‖ first u64 ‖ count u64 ‖ BLAKE3(header digest ‖ these 24 bytes ‖ data) ‖ data
//! ```

use std::io::{self, Read, Write};
use std::path::Path;

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::BigInt;
use rayon::prelude::*;
use thiserror::Error;
use zkmargin_circuits::cs::R1cs;
use zkmargin_verifier::{KeyPolicy, Provenance, VerifyError, VerifyingKey};

use crate::quotient;

const MAGIC: &[u8; 8] = b"zkmgkey1";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 24 + 32 + 64 + 32;
const FRAME_HEAD_BYTES: usize = 24 + 32;
/// Elements of a frame; at 2^16 points a frame takes a second or two of setup.
pub(crate) const FRAME_ELEMENTS: usize = 1 << 16;

/// The basis in which a key holds the quotient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Lagrange basis of the coset, the share of `C` folded into the witness query ([`crate::quotient`]).
    FoldedCoset,
}

/// What a key is for, and the sizes of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Basis of the quotient.
    pub reduction: Reduction,
    /// Origin of the secrets.
    pub provenance: Provenance,
    /// [`R1cs::digest`] of the circuit.
    pub circuit: [u8; 32],
    /// Instance columns with the constant one.
    pub instances: u64,
    /// Witness columns.
    pub witnesses: u64,
    /// Constraints.
    pub constraints: u64,
    /// Size of the evaluation domain.
    pub domain: u64,
    /// Points of the queries A, B, L and H; B has each point in G1 and in G2.
    pub points: [u64; 4],
}

/// Why a key file is refused.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Reading or writing failed.
    #[error("the key file could not be read or written: {0}")]
    Io(#[from] io::Error),
    /// The file does not begin like a key.
    #[error("this is not a zkmargin proving key")]
    NotAKey,
    /// A key of another release.
    #[error("the key has version {got}, this release reads version {VERSION}")]
    Version {
        /// Version of the file.
        got: u32,
    },
    /// The header does not fit its own digest, or states impossible sizes.
    #[error("the key's header is damaged")]
    Header,
    /// The file has another length than its header demands.
    #[error(
        "the key has {got} bytes, its header demands {expected}: truncated, or setup not finished"
    )]
    Length {
        /// Bytes which the header demands.
        expected: u64,
        /// Bytes of the file.
        got: u64,
    },
    /// A frame does not fit its digest or stands in the wrong place.
    #[error("the key is damaged in section {section} at element {first}")]
    Damaged {
        /// Name of the section that was expected here.
        section: &'static str,
        /// First element of the frame.
        first: u64,
    },
    /// A value is not a reduced field element or not a column of the circuit.
    #[error("element {index} of section {section} is not canonical")]
    NotCanonical {
        /// Name of the section.
        section: &'static str,
        /// Element number.
        index: u64,
    },
    /// A point is not on its curve or not in the group.
    #[error("point {index} of section {section} is not in its group")]
    NotInGroup {
        /// Name of the section.
        section: &'static str,
        /// Element number.
        index: u64,
    },
    /// The verifying key inside is unfit.
    #[error("the verifying key inside is refused: {0}")]
    Verifying(VerifyError),
    /// The key is for another circuit.
    #[error("the key is for circuit {key}, wanted {wanted}")]
    Circuit {
        /// Digest in the key.
        key: String,
        /// Digest of the circuit at hand.
        wanted: String,
    },
}

/// Points for some of the columns; the others are the identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query<G> {
    /// Columns in `[1, instances…, witnesses…]`, increasing.
    pub columns: Vec<u32>,
    /// Their points.
    pub points: Vec<G>,
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
    /// `(β·A_j + α·B_j + C_j)/δ` for witnesses, and for all columns less `C_j·Z(τ)/(kδ)`, `k = Z` on the coset.
    pub l: Query<G1Affine>,
    /// `L_i(τ)·Z(τ)/(kδ)` with the Lagrange basis `L_i` of the coset.
    pub h: Vec<G1Affine>,
}

/// The parts of the file in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    FixedG1,
    FixedG2,
    Inputs,
    ColumnsA,
    ColumnsB,
    ColumnsL,
    PointsA,
    PointsB1,
    PointsB2,
    PointsL,
    PointsH,
}

impl Section {
    pub(crate) const ALL: [Self; 11] = [
        Self::FixedG1,
        Self::FixedG2,
        Self::Inputs,
        Self::ColumnsA,
        Self::ColumnsB,
        Self::ColumnsL,
        Self::PointsA,
        Self::PointsB1,
        Self::PointsB2,
        Self::PointsL,
        Self::PointsH,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FixedG1 => "alpha, beta, delta in G1",
            Self::FixedG2 => "beta, gamma, delta in G2",
            Self::Inputs => "public inputs",
            Self::ColumnsA => "columns of A",
            Self::ColumnsB => "columns of B",
            Self::ColumnsL => "columns of L",
            Self::PointsA => "A in G1",
            Self::PointsB1 => "B in G1",
            Self::PointsB2 => "B in G2",
            Self::PointsL => "L in G1",
            Self::PointsH => "H in G1",
        }
    }

    fn element_bytes(self) -> u64 {
        match self {
            Self::ColumnsA | Self::ColumnsB | Self::ColumnsL => 4,
            Self::FixedG2 | Self::PointsB2 => 128,
            _ => 64,
        }
    }
}

impl Header {
    /// The header of a key for `r1cs` with the given numbers of points.
    pub(crate) fn new(r1cs: &R1cs<Fr>, domain: usize, points: [usize; 4]) -> Self {
        Self {
            reduction: Reduction::FoldedCoset,
            provenance: Provenance::Development,
            circuit: r1cs.digest(),
            instances: r1cs.instances as u64,
            witnesses: r1cs.witnesses as u64,
            constraints: r1cs.constraints() as u64,
            domain: domain as u64,
            points: points.map(|count| count as u64),
        }
    }

    /// Number of elements of a section.
    pub(crate) fn count(&self, section: Section) -> u64 {
        let [a, b, l, h] = self.points;
        match section {
            Section::FixedG1 | Section::FixedG2 => 3,
            Section::Inputs => self.instances,
            Section::ColumnsA | Section::PointsA => a,
            Section::ColumnsB | Section::PointsB1 | Section::PointsB2 => b,
            Section::ColumnsL | Section::PointsL => l,
            Section::PointsH => h,
        }
    }

    /// Every frame of the file: section, first element, number of elements.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (Section, u64, u64)> + use<> {
        let header = *self;
        Section::ALL.into_iter().flat_map(move |section| {
            let count = header.count(section);
            let frame = FRAME_ELEMENTS as u64;
            (0..count).step_by(FRAME_ELEMENTS).map(move |k| (section, k, frame.min(count - k)))
        })
    }

    /// Length of the whole file in bytes.
    pub fn file_bytes(&self) -> u64 {
        let frame = |(section, _, count): (Section, u64, u64)| {
            FRAME_HEAD_BYTES as u64 + count * section.element_bytes()
        };
        HEADER_BYTES as u64 + self.frames().map(frame).sum::<u64>()
    }

    fn plain_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let Reduction::FoldedCoset = self.reduction;
        for word in [VERSION, 1, self.provenance.byte().into(), 0] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(self.circuit);
        let sizes = [self.instances, self.witnesses, self.constraints, self.domain];
        for size in sizes.into_iter().chain(self.points) {
            bytes.extend(size.to_le_bytes());
        }
        bytes
    }

    /// BLAKE3 of the header, which every frame's digest depends on.
    pub(crate) fn digest(&self) -> [u8; 32] {
        *blake3::hash(&self.plain_bytes()).as_bytes()
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.plain_bytes())?;
        out.write_all(&self.digest())
    }

    /// Reads a header and judges its sizes.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`], [`KeyError::Version`], [`KeyError::Header`] or [`KeyError::Io`].
    pub fn read(input: &mut impl Read) -> Result<Self, KeyError> {
        let mut bytes = [0u8; HEADER_BYTES];
        input.read_exact(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => KeyError::NotAKey,
            _ => KeyError::Io(error),
        })?;
        if !bytes.starts_with(MAGIC) {
            return Err(KeyError::NotAKey);
        }
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let size = |k: usize| {
            let at = 56 + 8 * k;
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
        };
        if word(8) != VERSION {
            return Err(KeyError::Version { got: word(8) });
        }
        let provenance = u8::try_from(word(16)).map_err(|_| KeyError::Header)?;
        let provenance = Provenance::from_byte(provenance).map_err(|_| KeyError::Header)?;
        let header = Self {
            reduction: Reduction::FoldedCoset,
            provenance,
            circuit: bytes[24..56].try_into().expect("32 bytes"),
            instances: size(0),
            witnesses: size(1),
            constraints: size(2),
            domain: size(3),
            points: [size(4), size(5), size(6), size(7)],
        };
        let genuine = header.plain_bytes() == bytes[..HEADER_BYTES - 32]
            && header.digest() == bytes[HEADER_BYTES - 32..];
        let columns = header.instances.saturating_add(header.witnesses);
        let [a, b, l, h] = header.points;
        let possible = header.instances > 0
            && columns < 1 << 31
            && [a, b, l].iter().all(|&count| count <= columns)
            && header.domain <= 1 << 28
            && h == header.domain;
        if genuine && possible { Ok(header) } else { Err(KeyError::Header) }
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

/// Reads the frame that must come next; `None` if the file ends or goes wrong before the frame is whole.
pub(crate) fn read_frame(
    input: &mut impl Read,
    header_digest: &[u8; 32],
    place: (Section, u64, u64),
) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0u8; FRAME_HEAD_BYTES];
    let mut data = vec![0u8; (place.2 * place.0.element_bytes()) as usize];
    for part in [&mut head[..], &mut data] {
        match input.read_exact(part) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            result => result?,
        }
    }
    Ok((head == frame_head(header_digest, place, &data)).then_some(data))
}

/// Frames read before they are checked and decoded side by side; 16 MB at most are waiting.
const READ_AHEAD: usize = 2;

/// Reads the sections of a file in order, every frame against its digest.
struct Sections<'a, R: Read> {
    input: R,
    header: &'a Header,
    digest: [u8; 32],
    /// Buffers of frames, kept from one to the next.
    buffers: Vec<Vec<u8>>,
}

impl<R: Read> Sections<'_, R> {
    fn next<E: Element>(&mut self, section: Section) -> Result<Vec<E>, KeyError> {
        let mut elements = vec![E::default(); self.header.count(section) as usize];
        let places: Vec<_> = self.header.frames().filter(|&(own, _, _)| own == section).collect();
        let at_once = READ_AHEAD * rayon::current_num_threads();
        self.buffers.resize_with(at_once, Vec::new);
        let parts = elements.chunks_mut(at_once * FRAME_ELEMENTS);
        for (places, elements) in places.chunks(at_once).zip(parts) {
            for (&(_, first, count), buffer) in places.iter().zip(&mut self.buffers) {
                let length = FRAME_HEAD_BYTES as u64 + count * section.element_bytes();
                buffer.resize(length as usize, 0);
                self.input.read_exact(buffer).map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => {
                        KeyError::Damaged { section: section.name(), first }
                    }
                    _ => error.into(),
                })?;
            }
            let digest = &self.digest;
            places
                .par_iter()
                .zip(&self.buffers)
                .zip(elements.par_chunks_mut(FRAME_ELEMENTS))
                .try_for_each(|((&place, frame), elements)| {
                    decode(digest, place, frame, elements)
                })?;
        }
        Ok(elements)
    }

    fn columns(&mut self, section: Section) -> Result<Vec<u32>, KeyError> {
        let columns: Vec<u32> = self.next(section)?;
        let total = self.header.instances + self.header.witnesses;
        for (k, &column) in columns.iter().enumerate() {
            let increasing = k == 0 || columns[k - 1] < column;
            if u64::from(column) >= total || !increasing {
                return Err(KeyError::NotCanonical { section: section.name(), index: k as u64 });
            }
        }
        Ok(columns)
    }

    fn three<E: Element + Copy>(&mut self, section: Section) -> Result<[E; 3], KeyError> {
        let elements = self.next::<E>(section)?;
        Ok([elements[0], elements[1], elements[2]])
    }
}

/// The elements of a frame, head included.
fn decode<E: Element>(
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

impl ProvingKey {
    /// Reads a key, checking digests, lengths and canonical encodings but no curve equation: whoever
    /// wrote the file is trusted for those, see [`ProvingKey::verify_points`].
    ///
    /// # Errors
    /// All of [`KeyError`] but [`KeyError::NotInGroup`] and [`KeyError::Circuit`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let file = std::fs::File::open(path)?;
        let got = file.metadata()?.len();
        let mut input = io::BufReader::new(file);
        let header = Header::read(&mut input)?;
        let expected = header.file_bytes();
        if got != expected {
            return Err(KeyError::Length { expected, got });
        }
        let mut sections =
            Sections { input, header: &header, digest: header.digest(), buffers: Vec::new() };
        let [alpha_g1, beta_g1, delta_g1] = sections.three(Section::FixedG1)?;
        let [beta_g2, gamma_g2, delta_g2] = sections.three(Section::FixedG2)?;
        let ic = sections.next(Section::Inputs)?;
        let verifying = VerifyingKey { alpha_g1, beta_g2, gamma_g2, delta_g2, ic };
        verifying.check(KeyPolicy::Strict).map_err(KeyError::Verifying)?;
        let a = sections.columns(Section::ColumnsA)?;
        let b = sections.columns(Section::ColumnsB)?;
        let l = sections.columns(Section::ColumnsL)?;
        Ok(Self {
            verifying,
            beta_g1,
            delta_g1,
            a: Query { columns: a, points: sections.next(Section::PointsA)? },
            b: Query { columns: b, points: sections.next(Section::PointsB1)? },
            b_g2: sections.next(Section::PointsB2)?,
            l: Query { columns: l, points: sections.next(Section::PointsL)? },
            h: sections.next(Section::PointsH)?,
            header,
        })
    }

    /// Checks that every point is on its curve, in its group and not the identity.
    ///
    /// # Errors
    /// [`KeyError::NotInGroup`] with the first such point of a section.
    pub fn verify_points(&self) -> Result<(), KeyError> {
        fn all<E: Element>(section: Section, points: &[E]) -> Result<(), KeyError> {
            match points.par_iter().position_first(|point| !point.in_group()) {
                None => Ok(()),
                Some(index) => {
                    Err(KeyError::NotInGroup { section: section.name(), index: index as u64 })
                }
            }
        }
        all(Section::FixedG1, &[self.verifying.alpha_g1, self.beta_g1, self.delta_g1])?;
        all(Section::PointsA, &self.a.points)?;
        all(Section::PointsB1, &self.b.points)?;
        all(Section::PointsB2, &self.b_g2)?;
        all(Section::PointsL, &self.l.points)?;
        all(Section::PointsH, &self.h)
    }

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
