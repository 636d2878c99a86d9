//! The Groth16 prover: satisfaction first, then quotient and multi-scalar multiplications, then its
//! own verifier.

use std::time::{Duration, Instant};

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::CurveGroup;
use ark_ff::UniformRand;
use rand::rngs::OsRng;
use thiserror::Error;
use zkmargin_circuits::cs::{Assignment, R1cs, Unsatisfied};
use zkmargin_protocol::Rule;
use zkmargin_verifier::{KeyPolicy, PreparedKey, Proof, Provenance, VerifyError, verify};

use crate::key::{KeyError, ProvingKey};
use crate::msm::{Census, msm};
use crate::progress::Progress;
use crate::quotient;

/// Why there is no proof.
#[derive(Debug, Error)]
pub enum ProveError {
    /// The key does not fit the circuit.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The assignment is not one of this circuit.
    #[error("the assignment has {got} values, the circuit {expected}")]
    AssignmentLength {
        /// Columns of the circuit.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// The witness violates a constraint.
    #[error(
        "constraint {constraint} is not satisfied: rule {rule:?}, \"{what}\", table {table:?}, row \
         {row:?}"
    )]
    Unsatisfied {
        /// Constraint number.
        constraint: usize,
        /// The rule it states, if it was written under one.
        rule: Option<Rule>,
        /// What the gadget says of it.
        what: &'static str,
        /// Its table.
        table: Option<&'static str>,
        /// Its row in the table.
        row: Option<usize>,
    },
    /// The proof made is refused by the verifier: a fault of this machine, of the key or of the
    /// program.
    #[error("the proof made does not verify ({0}); nothing was written")]
    SelfVerify(VerifyError),
}

impl From<Unsatisfied> for ProveError {
    fn from(failure: Unsatisfied) -> Self {
        Self::Unsatisfied {
            constraint: failure.index,
            rule: failure.label.rule,
            what: failure.label.what,
            table: failure.label.row.map(|(table, _)| table),
            row: failure.label.row.map(|(_, row)| row),
        }
    }
}

/// A stage of proving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Products with the matrices, satisfaction.
    Matrices,
    /// Transforms.
    Quotient,
    /// Multi-scalar multiplication H.
    MsmH,
    /// Multi-scalar multiplication A.
    MsmA,
    /// Multi-scalar multiplication B in G1.
    MsmB1,
    /// Multi-scalar multiplication B in G2.
    MsmB2,
    /// Multi-scalar multiplication L.
    MsmL,
    /// Verification of the own proof.
    SelfVerify,
}

impl Stage {
    /// All stages in the order they run.
    pub const ALL: [Self; 8] = [
        Self::Matrices,
        Self::Quotient,
        Self::MsmH,
        Self::MsmA,
        Self::MsmB1,
        Self::MsmB2,
        Self::MsmL,
        Self::SelfVerify,
    ];

    /// Its name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Matrices => "matrices",
            Self::Quotient => "quotient",
            Self::MsmH => "msm H",
            Self::MsmA => "msm A",
            Self::MsmB1 => "msm B1",
            Self::MsmB2 => "msm B2",
            Self::MsmL => "msm L",
            Self::SelfVerify => "self-verify",
        }
    }
}

/// A verified proof and how it came about.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The proof.
    pub proof: Proof,
    /// Its public inputs, without the constant one.
    pub public_inputs: Vec<Fr>,
    /// Origin of the key's secrets.
    pub provenance: Provenance,
    /// Digest of the circuit.
    pub circuit: [u8; 32],
    /// Wall time of each stage.
    pub stages: Vec<(Stage, Duration)>,
    /// Witness values by size, as the query L sees them.
    pub census: Census,
    /// Highest resident memory of the process so far, if the system tells.
    pub peak_rss_bytes: Option<u64>,
}

/// A key that was checked against its circuit, ready for any number of proofs.
pub struct Prover {
    key: ProvingKey,
    r1cs: R1cs<Fr>,
    verifier: PreparedKey,
}

/// Measures stages and reports them.
struct Clock<'a> {
    progress: &'a dyn Progress,
    stages: Vec<(Stage, Duration)>,
}

impl Clock<'_> {
    fn run<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.stages.push((stage, start.elapsed()));
        self.progress.reach(self.stages.len() as u64);
        result
    }
}

impl Prover {
    /// Ties a key to its circuit.
    ///
    /// # Errors
    /// [`ProveError::Key`] if the key is for another circuit or its verifying key is unfit.
    pub fn new(key: ProvingKey, r1cs: R1cs<Fr>) -> Result<Self, ProveError> {
        key.is_for(&r1cs)?;
        let verifier =
            PreparedKey::new(&key.verifying, KeyPolicy::Strict).map_err(KeyError::Verifying)?;
        Ok(Self { key, r1cs, verifier })
    }

    /// The key.
    pub fn key(&self) -> &ProvingKey {
        &self.key
    }

    /// Proves an assignment, if it satisfies the circuit, and verifies the proof.
    ///
    /// # Errors
    /// [`ProveError::AssignmentLength`], [`ProveError::Unsatisfied`] or [`ProveError::SelfVerify`].
    pub fn prove(
        &self,
        assignment: &Assignment<Fr>,
        progress: &dyn Progress,
    ) -> Result<Proven, ProveError> {
        let mut clock = Clock { progress, stages: Vec::new() };
        progress.begin("prove", Stage::ALL.len() as u64);
        let columns = self.columns(assignment)?;
        let (left, right) = clock.run(Stage::Matrices, || self.satisfied(&columns))?;
        let (proof, census) = self.make(&columns, left, right, &mut clock);
        let public_inputs = assignment.instance[1..].to_vec();
        clock
            .run(Stage::SelfVerify, || verify(&self.verifier, &public_inputs, &proof))
            .map_err(ProveError::SelfVerify)?;
        progress.end();
        Ok(Proven {
            proof,
            public_inputs,
            provenance: self.key.header.provenance,
            circuit: self.key.header.circuit,
            stages: clock.stages,
            census,
            peak_rss_bytes: peak_rss_bytes(),
        })
    }

    /// What a prover without the satisfaction check would put out: tests show that the verifier
    /// refuses it.
    #[doc(hidden)]
    #[cfg(feature = "forgery")]
    pub fn forge(&self, assignment: &Assignment<Fr>) -> Result<Proof, ProveError> {
        let columns = self.columns(assignment)?;
        let size = self.key.header.domain as usize;
        let (left, right, _) = quotient::products(&self.r1cs, &columns, size);
        let progress = &crate::progress::Silent;
        let mut clock = Clock { progress, stages: Vec::new() };
        Ok(self.make(&columns, left, right, &mut clock).0)
    }

    /// `[1, instances…, witnesses…]`, if the assignment has the circuit's lengths.
    fn columns(&self, assignment: &Assignment<Fr>) -> Result<Vec<Fr>, ProveError> {
        let lengths = (assignment.instance.len(), assignment.witness.len());
        if lengths != (self.r1cs.instances, self.r1cs.witnesses)
            || assignment.instance[0] != Fr::from(1)
        {
            let expected = self.r1cs.instances + self.r1cs.witnesses;
            return Err(ProveError::AssignmentLength { expected, got: lengths.0 + lengths.1 });
        }
        Ok(assignment.full())
    }

    /// `Az` and `Bz`, if every constraint holds.
    fn satisfied(&self, columns: &[Fr]) -> Result<(Vec<Fr>, Vec<Fr>), ProveError> {
        let size = self.key.header.domain as usize;
        let (left, right, satisfied) = quotient::products(&self.r1cs, columns, size);
        if satisfied {
            return Ok((left, right));
        }
        let failure = self.r1cs.first_unsatisfied(columns).expect("a constraint was seen to fail");
        Err(failure.into())
    }

    /// The proof elements with fresh zero-knowledge randomness.
    fn make(
        &self,
        columns: &[Fr],
        left: Vec<Fr>,
        right: Vec<Fr>,
        clock: &mut Clock<'_>,
    ) -> (Proof, Census) {
        let key = &self.key;
        let domain = quotient::domain(&self.r1cs).expect("the key was checked against the circuit");
        let products = clock.run(Stage::Quotient, || quotient::coset_product(domain, left, right));
        let h: G1Projective = clock.run(Stage::MsmH, || msm(&key.h, &products));
        drop(products);
        let a = clock.run(Stage::MsmA, || key.a.scalars(columns).multiply(&key.a.points));
        let scalars_b = key.b.scalars(columns);
        let b_g1 = clock.run(Stage::MsmB1, || scalars_b.clone().multiply(&key.b.points));
        let b_g2 = clock.run(Stage::MsmB2, || scalars_b.multiply(&key.b_g2));
        let scalars_l = key.l.scalars(columns);
        let census = scalars_l.census();
        let l = clock.run(Stage::MsmL, || scalars_l.multiply(&key.l.points));
        let (r, s) = (Fr::rand(&mut OsRng), Fr::rand(&mut OsRng));
        let a = a + key.verifying.alpha_g1 + key.delta_g1 * r;
        let b_g1 = b_g1 + key.beta_g1 + key.delta_g1 * s;
        let b: G2Projective = b_g2 + key.verifying.beta_g2 + key.verifying.delta_g2 * s;
        let c = l + h + a * s + b_g1 * r - key.delta_g1 * (r * s);
        (Proof { a: a.into_affine(), b: b.into_affine(), c: c.into_affine() }, census)
    }
}

/// Highest resident memory of this process in bytes, from `/proc/self/status`.
pub fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
