//! Reading a key file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rayon::prelude::*;
use zkmargin_verifier::{KeyPolicy, VerifyingKey};

use super::element::Element;
use super::frame::{Transcript, decode};
use super::section::{FRAME_ELEMENTS, Section};
use super::{Evidence, Header, KeyError, ProvingKey, Query};

/// Frames read before they are checked and decoded side by side; 16 MB at most are waiting.
const READ_AHEAD: usize = 2;

/// Reads the sections of a file in order, every frame against its digest.
struct Sections<'a, R: Read> {
    input: R,
    header: &'a Header,
    digest: [u8; 32],
    transcript: Transcript,
    /// Buffers of frames, kept from one to the next.
    buffers: Vec<Vec<u8>>,
}

impl<R: Read> Sections<'_, R> {
    fn next<E: Element>(&mut self, section: Section) -> Result<Vec<E>, KeyError> {
        let mut elements = vec![E::default(); self.header.count(section) as usize];
        let places: Vec<_> =
            self.header.frames().filter(|place| place.section == section).collect();
        let at_once = READ_AHEAD * rayon::current_num_threads();
        self.buffers.resize_with(at_once, Vec::new);
        let parts = elements.chunks_mut(at_once * FRAME_ELEMENTS);
        for (places, elements) in places.chunks(at_once).zip(parts) {
            for (place, buffer) in places.iter().zip(&mut self.buffers) {
                buffer.resize(place.frame_bytes() as usize, 0);
                self.input.read_exact(buffer).map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => {
                        KeyError::Damaged { section: section.name(), first: place.first }
                    }
                    _ => error.into(),
                })?;
            }
            for (_, frame) in places.iter().zip(&self.buffers) {
                self.transcript.absorb(section, frame);
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

    fn some<const N: usize, E>(&mut self, section: Section) -> Result<[E; N], KeyError>
    where
        E: Element + Copy,
    {
        let elements = self.next::<E>(section)?;
        Ok(std::array::from_fn(|k| elements[k]))
    }
}

impl ProvingKey {
    /// Opens a key and reads no more than its header and length.
    ///
    /// # Errors
    /// Those of [`Header::read`], or [`KeyError::Length`].
    pub fn peek(path: &Path) -> Result<(Header, File), KeyError> {
        let mut file = File::open(path)?;
        let got = file.metadata()?.len();
        let header = Header::read(&mut file)?;
        let expected = header.file_bytes();
        if got == expected { Ok((header, file)) } else { Err(KeyError::Length { expected, got }) }
    }

    /// Reads a key, checking digests, lengths and canonical encodings but no curve equation:
    /// whoever wrote the file is trusted for those, see [`ProvingKey::verify_points`].
    ///
    /// # Errors
    /// All of [`KeyError`] but [`KeyError::NotInGroup`], [`KeyError::Inconsistent`] and
    /// [`KeyError::Circuit`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let (header, file) = Self::peek(path)?;
        let input = io::BufReader::new(file);
        let mut sections = Sections {
            input,
            header: &header,
            digest: header.digest(),
            transcript: Transcript::new(&header),
            buffers: Vec::new(),
        };
        let [alpha_g1, beta_g1, delta_g1] = sections.some(Section::FixedG1)?;
        let [beta_g2, gamma_g2, delta_g2] = sections.some(Section::FixedG2)?;
        let ic = sections.next(Section::Inputs)?;
        let verifying = VerifyingKey { alpha_g1, beta_g2, gamma_g2, delta_g2, ic };
        verifying.check(KeyPolicy::Strict).map_err(KeyError::Verifying)?;
        let a = sections.columns(Section::ColumnsA)?;
        let b = sections.columns(Section::ColumnsB)?;
        let l = sections.columns(Section::ColumnsL)?;
        let a = Query { columns: a, points: sections.next(Section::PointsA)? };
        let b = Query { columns: b, points: sections.next(Section::PointsB1)? };
        let b_g2 = sections.next(Section::PointsB2)?;
        let l = Query { columns: l, points: sections.next(Section::PointsL)? };
        let h = sections.next(Section::PointsH)?;
        let [c_g1] = sections.some(Section::EvidenceG1)?;
        let [tau_g2, vanishing_g2] = sections.some(Section::EvidenceG2)?;
        let transcript = sections.transcript;
        let evidence = Evidence { c_g1, tau_g2, vanishing_g2, transcript };
        Ok(Self { verifying, beta_g1, delta_g1, a, b, b_g2, l, h, evidence, header })
    }
}
