//! Batches of the world through the circuit and through proofs.

use thiserror::Error;
use zkmargin_circuits::cs::R1cs;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_prover::batch;
use zkmargin_prover::key::{KeyError, ProvingKey};
use zkmargin_prover::progress::Silent;
use zkmargin_prover::prove::{ProveError, Prover};
use zkmargin_prover::setup::{SetupError, setup};
use zkmargin_verifier::{Domain, KeyPolicy, PreparedKey, PublicInputs, VerifyError, verify};

use ark_bn254::Fr;

/// What a batch that the rules accept must not meet.
#[derive(Debug, Error)]
pub enum CircuitError {
    /// The words are not a statement.
    #[error("statement: {0}")]
    Statement(#[from] batch::StatementError),
    /// A constraint is not satisfied, or no proof came about.
    #[error("circuit: {0}")]
    Prove(#[from] ProveError),
    /// The proof is refused.
    #[error("verifier: {0}")]
    Verify(#[from] VerifyError),
    /// A constraint of the matrices is not satisfied.
    #[error("matrices: constraint {0}")]
    Matrices(String),
    /// No key could be made.
    #[error("setup: {0}")]
    Setup(#[from] SetupError),
    /// No key could be read.
    #[error("key: {0}")]
    Key(#[from] KeyError),
    /// A proof is wanted of a bench without a key.
    #[error("a bench without a key")]
    NoKey,
    /// No folder for the key.
    #[error("folder: {0}")]
    Folder(#[from] std::io::Error),
}

/// The contract that simulated batches are for.
pub fn home() -> Domain {
    Domain::new(31_337, [0x51; 20])
}

/// The tiny circuit, with a development key if proofs are wanted.
pub struct Bench {
    r1cs: R1cs<Fr>,
    prover: Option<(Prover, PreparedKey)>,
}

impl Bench {
    /// The circuit of the tiny shape. A key takes some seconds.
    ///
    /// # Errors
    /// [`CircuitError`] if no key can be made.
    pub fn new(has_key: bool) -> Result<Self, CircuitError> {
        let r1cs = batch::circuit(Shape::TINY);
        let prover = if has_key {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("tiny.key");
            setup(&r1cs, &path, &Silent)?;
            let key = ProvingKey::load(&path)?;
            let verifier = PreparedKey::new(&key.verifying, KeyPolicy::Strict)?;
            Some((Prover::new(key, batch::circuit(Shape::TINY))?, verifier))
        } else {
            None
        };
        Ok(Self { r1cs, prover })
    }

    fn inputs(trace: &BatchTrace) -> Result<PublicInputs, CircuitError> {
        let statement = batch::statement(trace, home())?;
        Ok(batch::public_inputs(trace, &statement)?)
    }

    /// Every constraint of the circuit holds for the batch: where it is written, and in the
    /// matrices.
    ///
    /// # Errors
    /// [`CircuitError`] with the first that does not.
    pub fn satisfy(&self, trace: &BatchTrace) -> Result<(), CircuitError> {
        let assignment = batch::assignment(trace, &Self::inputs(trace)?)?;
        match self.r1cs.first_unsatisfied(&assignment.full()) {
            Some(failure) => Err(CircuitError::Matrices(format!("{failure:?}"))),
            None => Ok(()),
        }
    }

    /// A proof of the batch is made and verified.
    ///
    /// # Errors
    /// [`CircuitError`] if it is not.
    pub fn prove(&self, trace: &BatchTrace) -> Result<(), CircuitError> {
        let (prover, verifier) = self.prover.as_ref().ok_or(CircuitError::NoKey)?;
        let inputs = Self::inputs(trace)?;
        let assignment = batch::assignment(trace, &inputs)?;
        let proof = prover.prove(&assignment, &Silent)?.proof;
        verify(verifier, inputs.as_slice(), &proof)?;
        Ok(())
    }
}
