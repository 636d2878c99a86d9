//! Key generation from canonical matrices, by one party: for development only.
//!
//! The secrets come from a seed of the operating system's randomness. While setup runs, the seed
//! lies next to the unfinished key, so that an interrupted run continues. It is overwritten and
//! removed before the whole key gets its name. The unfinished key carries a commitment to its seed:
//! a seed that is missing, damaged or another one is never used with the frames that are there.

use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use ark_bn254::{Fr, G1Affine, G2Affine, g1, g2};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, FftField, Field, UniformRand, Zero};
use ark_poly::EvaluationDomain;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use thiserror::Error;
use zkmargin_circuits::cs::R1cs;
use zkmargin_host::FileError;

use crate::fixed_base::Table;
use crate::key::{self, Header, KeyError, Place, Section, Transcript};
use crate::progress::Progress;
use crate::quotient::{self, DomainTooLarge};

mod workplace;
use workplace::{Seed, Workplace};
pub use workplace::{forget, forget_seed};

/// Why setup ended without a key.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The circuit is too large for the field.
    #[error(transparent)]
    Domain(#[from] DomainTooLarge),
    /// Files could not be read or written.
    #[error("the key is not finished: {0}; the next setup carries on with what is there")]
    Io(#[from] FileError),
    /// The seed next to a whole key, or a replacement that was cut, could not be removed.
    #[error("what an interrupted setup has left is still there: {0}; remove it, the key is whole")]
    Leftover(FileError),
    /// The finished key is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Another process is setting up the same key.
    #[error("another setup is working on {}", .0.display())]
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
    fn from_seed(seed: &Seed, domain: u64) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed.0);
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
    a: Sparse,
    b: Sparse,
    l: Sparse,
    h: Vec<Fr>,
    /// What the evidence needs besides.
    tau: Fr,
    /// Commitment to the seed.
    setup: [u8; 32],
}

/// Columns with a non-zero value, and these values.
struct Sparse {
    columns: Vec<u32>,
    values: Vec<Fr>,
}

impl Sparse {
    fn of(values: Vec<Fr>) -> Self {
        let pairs = values.into_iter().enumerate().filter(|(_, value)| !value.is_zero());
        let (columns, values) = pairs.map(|(column, value)| (column as u32, value)).unzip();
        Self { columns, values }
    }
}

impl Exponents {
    fn new(r1cs: &R1cs<Fr>, seed: &Seed) -> Result<Self, SetupError> {
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
            a: Sparse::of(a),
            b: Sparse::of(b),
            l: Sparse::of(c),
            h,
            tau,
            setup: seed.commitment(),
        })
    }

    fn header(&self, r1cs: &R1cs<Fr>) -> Header {
        let [a, b, l] = [&self.a, &self.b, &self.l].map(|query| query.columns.len());
        let h = self.h.len();
        Header::new(r1cs, self.setup, h, [a, b, l, h])
    }

    /// One more than `Σ ρ_j·C_j(τ)`, the coefficients drawn from the frames before, so that the
    /// point is not the identity where a circuit has no C.
    fn combined_c(&self, r1cs: &R1cs<Fr>, transcript: &Transcript) -> Fr {
        let domain = quotient::domain(r1cs).expect("the domain was made before");
        let factors = transcript.coefficients(r1cs.instances + r1cs.witnesses);
        let values = quotient::combined(r1cs, &r1cs.c, &factors, self.h.len());
        let basis = domain.evaluate_all_lagrange_coefficients(self.tau);
        values.iter().zip(&basis).map(|(value, weight)| *value * weight).sum::<Fr>() + Fr::ONE
    }

    /// The bytes of a frame.
    fn frame(
        &self,
        r1cs: &R1cs<Fr>,
        bases: &Bases,
        transcript: &Transcript,
        place: Place,
    ) -> Vec<u8> {
        let range = place.first as usize..(place.first + place.count) as usize;
        let g1 = |exponents: &[Fr]| key::encode(&bases.g1.multiply(&exponents[range.clone()]));
        let g2 = |exponents: &[Fr]| key::encode(&bases.g2.multiply(&exponents[range.clone()]));
        match place.section {
            Section::FixedG1 => g1(&self.fixed_g1),
            Section::FixedG2 => g2(&self.fixed_g2),
            Section::Inputs => g1(&self.inputs),
            Section::ColumnsA => key::encode(&self.a.columns[range]),
            Section::ColumnsB => key::encode(&self.b.columns[range]),
            Section::ColumnsL => key::encode(&self.l.columns[range]),
            Section::PointsA => g1(&self.a.values),
            Section::PointsB1 => g1(&self.b.values),
            Section::PointsB2 => g2(&self.b.values),
            Section::PointsL => g1(&self.l.values),
            Section::PointsH => g1(&self.h),
            Section::EvidenceG1 => g1(&[self.combined_c(r1cs, transcript)]),
            Section::EvidenceG2 => {
                let vanishing = self.tau.pow([self.h.len() as u64]) - Fr::ONE;
                g2(&[self.tau, vanishing])
            }
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

/// Makes a development key for `r1cs` at `target`, in place of what is there, or carries on with
/// one that was interrupted.
///
/// # Errors
/// [`SetupError`]; after an error or an abrupt end the next call continues behind the last whole
/// frame.
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
    let at = FileError::at(&workplace.partial);
    let kept = workplace.kept(&mut file, r1cs)?;
    if kept.as_ref().is_some_and(|kept| kept.is_whole()) {
        return Ok(workplace.finish(file)?);
    }
    let seed = workplace.seed(&mut file, kept.as_ref().map(|kept| &kept.header))?;
    progress.begin("setup: polynomials at the secret point", 1);
    let exponents = Exponents::new(r1cs, &seed)?;
    let bases = Bases::new();
    progress.end();
    let header = exponents.header(r1cs);
    let (done, mut transcript) = workplace.resume(&mut file, &header)?;
    progress.begin("setup: points", header.file_bytes());
    let digest = header.digest();
    let write = || {
        let mut out = BufWriter::new(file);
        for (written, place) in header.frames().enumerate().skip(done) {
            if written == limit {
                return Err(io::Error::from(io::ErrorKind::Interrupted));
            }
            let data = exponents.frame(r1cs, &bases, &transcript, place);
            let head = key::frame_head(&digest, place, &data);
            transcript.absorb(place.section, &head);
            out.write_all(&head)?;
            out.write_all(&data)?;
            progress.reach(out.stream_position()?);
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)
    };
    let file = write().map_err(at)?;
    workplace.finish(file)?;
    progress.end();
    Ok(())
}
