//! Key generation from canonical matrices, by one party: for development only.
//!
//! The secrets come from a seed of the operating system's randomness. While setup runs the seed lies beside the
//! unfinished key, so that an interrupted run continues; it is deleted when the key is whole. That is no loss
//! for a development key, whose maker could have kept the secrets anyway.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ark_bn254::{Fr, G1Affine, G2Affine, g1, g2};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, FftField, Field, UniformRand, Zero};
use ark_poly::EvaluationDomain;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use thiserror::Error;
use zkmargin_circuits::cs::R1cs;

use crate::fixed_base::Table;
use crate::key::{self, Header, KeyError, Section};
use crate::progress::Progress;
use crate::quotient::{self, DomainTooLarge};

/// Why setup ended without a key.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The circuit is too large for the field.
    #[error(transparent)]
    Domain(#[from] DomainTooLarge),
    /// Files could not be read or written.
    #[error("setup could not write the key: {0}")]
    Io(#[from] io::Error),
    /// The finished key is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Another process is setting up the same key.
    #[error("another setup is working on {0}")]
    Busy(PathBuf),
}

/// The secrets behind a key.
struct Secrets {
    alpha: Fr,
    beta: Fr,
    gamma: Fr,
    delta: Fr,
    tau: Fr,
}

impl Secrets {
    /// Distinct, neither zero nor one, and `τ` neither in the domain nor in its coset.
    fn from_seed(seed: [u8; 32], domain: u64) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        loop {
            let [alpha, beta, gamma, delta, tau] = std::array::from_fn(|_| Fr::rand(&mut rng));
            let mut all = vec![Fr::ZERO, Fr::ONE, alpha, beta, gamma, delta, tau];
            all.sort();
            all.dedup();
            let outside = |x: Fr| x.pow([domain]) != Fr::ONE;
            if all.len() == 7 && outside(tau) && outside(tau / Fr::GENERATOR) {
                return Self { alpha, beta, gamma, delta, tau };
            }
        }
    }
}

/// The discrete logarithms of every point of a key.
struct Exponents {
    fixed_g1: Vec<Fr>,
    fixed_g2: Vec<Fr>,
    inputs: Vec<Fr>,
    a: (Vec<u32>, Vec<Fr>),
    b: (Vec<u32>, Vec<Fr>),
    l: (Vec<u32>, Vec<Fr>),
    h: Vec<Fr>,
}

/// Columns with a non-zero value, and these values.
fn nonzero(values: Vec<Fr>) -> (Vec<u32>, Vec<Fr>) {
    let pairs = values.into_iter().enumerate().filter(|(_, value)| !value.is_zero());
    pairs.map(|(column, value)| (column as u32, value)).unzip()
}

impl Exponents {
    fn new(r1cs: &R1cs<Fr>, seed: [u8; 32]) -> Result<Self, SetupError> {
        let domain = quotient::domain(r1cs)?;
        let coset = quotient::coset(domain);
        let secrets = Secrets::from_seed(seed, domain.size);
        let Secrets { alpha, beta, gamma, delta, tau } = secrets;
        let (gamma_inverse, delta_inverse) = (nonzero_inverse(gamma), nonzero_inverse(delta));
        let basis = domain.evaluate_all_lagrange_coefficients(tau);
        let (mut a, (b, mut c)) = rayon::join(
            || quotient::columns_at(r1cs, &r1cs.a, &basis),
            || {
                rayon::join(
                    || quotient::columns_at(r1cs, &r1cs.b, &basis),
                    || quotient::columns_at(r1cs, &r1cs.c, &basis),
                )
            },
        );
        for (column, weight) in basis[r1cs.constraints()..].iter().take(r1cs.instances).enumerate()
        {
            a[column] += weight;
        }
        drop(basis);
        // Z(τ)/(kδ): the vanishing polynomial at τ over its value on the coset.
        let vanishing = domain.evaluate_vanishing_polynomial(tau);
        let on_coset = domain.evaluate_vanishing_polynomial(Fr::GENERATOR);
        let share = vanishing * nonzero_inverse(on_coset) * delta_inverse;
        let combined = |column: usize| beta * a[column] + alpha * b[column] + c[column];
        let inputs = (0..r1cs.instances).map(|j| combined(j) * gamma_inverse).collect();
        let witness_query: Vec<Fr> =
            (r1cs.instances..c.len()).map(|j| combined(j) * delta_inverse).collect();
        c.iter_mut().for_each(|value| *value *= -share);
        for (value, term) in c[r1cs.instances..].iter_mut().zip(witness_query) {
            *value += term;
        }
        let mut h = coset.evaluate_all_lagrange_coefficients(tau);
        h.iter_mut().for_each(|value| *value *= share);
        Ok(Self {
            fixed_g1: vec![alpha, beta, delta],
            fixed_g2: vec![beta, gamma, delta],
            inputs,
            a: nonzero(a),
            b: nonzero(b),
            l: nonzero(c),
            h,
        })
    }

    fn header(&self, r1cs: &R1cs<Fr>) -> Header {
        let points = [self.a.0.len(), self.b.0.len(), self.l.0.len(), self.h.len()];
        Header::new(r1cs, self.h.len(), points)
    }

    /// The bytes of a frame.
    fn frame(&self, bases: &Bases, (section, first, count): (Section, u64, u64)) -> Vec<u8> {
        let range = first as usize..(first + count) as usize;
        let g1 = |exponents: &[Fr]| key::encode(&bases.g1.multiply(&exponents[range.clone()]));
        let g2 = |exponents: &[Fr]| key::encode(&bases.g2.multiply(&exponents[range.clone()]));
        match section {
            Section::FixedG1 => g1(&self.fixed_g1),
            Section::FixedG2 => g2(&self.fixed_g2),
            Section::Inputs => g1(&self.inputs),
            Section::ColumnsA => key::encode(&self.a.0[range]),
            Section::ColumnsB => key::encode(&self.b.0[range]),
            Section::ColumnsL => key::encode(&self.l.0[range]),
            Section::PointsA => g1(&self.a.1),
            Section::PointsB1 => g1(&self.b.1),
            Section::PointsB2 => g2(&self.b.1),
            Section::PointsL => g1(&self.l.1),
            Section::PointsH => g1(&self.h),
        }
    }
}

fn nonzero_inverse(value: Fr) -> Fr {
    value.inverse().expect("the secrets were drawn so that this is not zero")
}

/// Multiples of the generators of both groups.
struct Bases {
    g1: Table<g1::Config>,
    g2: Table<g2::Config>,
}

impl Bases {
    fn new() -> Self {
        Self { g1: Table::new(G1Affine::generator()), g2: Table::new(G2Affine::generator()) }
    }
}

/// Files of a key that is being made.
struct Workplace {
    target: PathBuf,
    partial: PathBuf,
    seed: PathBuf,
}

impl Workplace {
    fn new(target: &Path) -> Self {
        let beside = |ending: &str| {
            let mut name = target.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Self { target: target.to_owned(), partial: beside(".partial"), seed: beside(".seed") }
    }

    /// The seed of an interrupted setup, or a fresh one, which is on disk when this returns.
    fn seed(&self) -> io::Result<[u8; 32]> {
        let mut seed = [0u8; 32];
        if let Ok(bytes) = fs::read(&self.seed)
            && bytes.len() == seed.len()
        {
            seed.copy_from_slice(&bytes);
            return Ok(seed);
        }
        rand::rngs::OsRng.fill_bytes(&mut seed);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.seed)?;
        file.write_all(&seed)?;
        file.sync_all()?;
        Ok(seed)
    }

    /// Opens the unfinished key, which stays locked as long as the file is open.
    fn open(&self) -> Result<File, SetupError> {
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).create(true).truncate(false).open(&self.partial)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(SetupError::Busy(self.partial.clone())),
            Err(fs::TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Moves the whole key to its place and forgets the secrets.
    fn finish(&self, file: File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.partial, &self.target)?;
        if let Some(folder) = self.target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        fs::remove_file(&self.seed)
    }
}

/// Number of whole frames already in `file`, which is left positioned and cut behind the last of them.
fn whole_frames(file: &mut File, header: &Header) -> io::Result<usize> {
    file.seek(SeekFrom::Start(0))?;
    let mut expected = Vec::new();
    header.write(&mut expected)?;
    let mut found = Vec::new();
    let mut input = BufReader::new(&*file);
    input.by_ref().take(expected.len() as u64).read_to_end(&mut found)?;
    let mut frames = 0;
    let mut end = 0;
    if found == expected {
        end = expected.len() as u64;
        let digest = header.digest();
        for place in header.frames() {
            if key::read_frame(&mut input, &digest, place)?.is_none() {
                break;
            }
            frames += 1;
            end = input.stream_position()?;
        }
    }
    drop(input);
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    if end == 0 {
        file.write_all(&expected)?;
    }
    Ok(frames)
}

/// Makes a development key for `r1cs` at `target`, or carries on with one that was interrupted.
///
/// # Errors
/// [`SetupError`]; after an error or an abrupt end the next call continues behind the last whole frame.
pub fn setup(r1cs: &R1cs<Fr>, target: &Path, progress: &dyn Progress) -> Result<(), SetupError> {
    run(r1cs, target, progress, usize::MAX)
}

/// [`setup`] that gives up after `limit` frames: stands in for a process that is killed.
#[doc(hidden)]
pub fn setup_interrupted(
    r1cs: &R1cs<Fr>,
    target: &Path,
    progress: &dyn Progress,
    limit: usize,
) -> Result<(), SetupError> {
    run(r1cs, target, progress, limit)
}

fn run(
    r1cs: &R1cs<Fr>,
    target: &Path,
    progress: &dyn Progress,
    limit: usize,
) -> Result<(), SetupError> {
    let workplace = Workplace::new(target);
    let mut file = workplace.open()?;
    let seed = workplace.seed()?;
    progress.begin("setup: polynomials at the secret point", 1);
    let exponents = Exponents::new(r1cs, seed)?;
    let bases = Bases::new();
    progress.end();
    let header = exponents.header(r1cs);
    let digest = header.digest();
    let done = whole_frames(&mut file, &header)?;
    progress.begin("setup: points", header.file_bytes());
    let mut out = BufWriter::new(file);
    for (written, place) in header.frames().enumerate().skip(done) {
        if written == limit {
            return Err(io::Error::from(io::ErrorKind::Interrupted).into());
        }
        let data = exponents.frame(&bases, place);
        out.write_all(&key::frame_head(&digest, place, &data))?;
        out.write_all(&data)?;
        progress.reach(out.stream_position()?);
    }
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    workplace.finish(file)?;
    progress.end();
    Ok(())
}
