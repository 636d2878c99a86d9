//! The header of a key file.

use std::io::{self, Read, Write};

use ark_bn254::Fr;
use zkmargin_circuits::cs::R1cs;
use zkmargin_verifier::Provenance;

use super::KeyError;
use super::section::{FRAME_ELEMENTS, Place, Section};

const MAGIC: &[u8; 8] = b"zkmgkey1";
pub(super) const VERSION: u32 = 2;
const HEADER_BYTES: usize = 24 + 32 + 32 + 64 + 32;

/// The basis in which a key holds the quotient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Lagrange basis of the coset, the share of `C` folded into the witness query
    /// ([`crate::quotient`]).
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
    /// Commitment to the seed of the secrets: keys of two setups differ here.
    pub setup: [u8; 32],
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

impl Header {
    /// The header of a key for `r1cs` with the given numbers of points.
    pub(crate) fn new(r1cs: &R1cs<Fr>, setup: [u8; 32], domain: usize, points: [usize; 4]) -> Self {
        Self {
            reduction: Reduction::FoldedCoset,
            provenance: Provenance::Development,
            circuit: r1cs.digest(),
            setup,
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
            Section::EvidenceG1 => 1,
            Section::EvidenceG2 => 2,
        }
    }

    /// Every frame of the file.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Place> + use<> {
        let header = *self;
        Section::ALL.into_iter().flat_map(move |section| {
            let total = header.count(section);
            (0..total).step_by(FRAME_ELEMENTS).map(move |first| {
                let count = (total - first).min(FRAME_ELEMENTS as u64);
                Place { section, first, count }
            })
        })
    }

    /// Length of the whole file in bytes.
    pub fn file_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + self.frames().map(Place::frame_bytes).sum::<u64>()
    }

    fn plain_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let Reduction::FoldedCoset = self.reduction;
        for word in [VERSION, 1, self.provenance.byte().into(), 0] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(self.circuit);
        bytes.extend(self.setup);
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
            let at = 88 + 8 * k;
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
            setup: bytes[56..88].try_into().expect("32 bytes"),
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
