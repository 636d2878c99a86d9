//! Why the binary ends without success, and with which exit status.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use zkmargin_prover::batch::StatementError;
use zkmargin_prover::key::KeyError;
use zkmargin_prover::prove::ProveError;
use zkmargin_prover::setup::SetupError;
use zkmargin_verifier::FormatError;

/// The reason.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Keys for use need several parties.
    #[error(
        "there is no ceremony yet: a key made by one party lets that party forge proofs; \
         for development say --dev"
    )]
    NoCeremony,
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The batch file is not a batch.
    #[error("{} is not a batch: {error}", path.display())]
    Batch {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// The statement file is not a statement.
    #[error("{} is not a statement: {error}", path.display())]
    StatementFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: FormatError,
    },
    /// The statement is not the batch's.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// There is no key for the circuit.
    #[error("there is no key {}: make one with prover setup", path.display())]
    NoKey {
        /// Where it was sought.
        path: PathBuf,
    },
    /// The key is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Setup failed.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// There is no proof.
    #[error(transparent)]
    Prove(#[from] ProveError),
}

fn key_code(error: &KeyError) -> u8 {
    match error {
        KeyError::Io(_) => 3,
        KeyError::Circuit { .. } => 52,
        _ => 51,
    }
}

impl Refusal {
    /// The exit status.
    pub fn code(&self) -> u8 {
        match self {
            Self::File { .. } | Self::Setup(SetupError::Io(_)) => 3,
            Self::NoCeremony => 50,
            Self::NoKey { .. } | Self::Setup(SetupError::Domain(_)) => 51,
            Self::Key(error)
            | Self::Setup(SetupError::Key(error))
            | Self::Prove(ProveError::Key(error)) => key_code(error),
            Self::Prove(ProveError::Unsatisfied { .. } | ProveError::AssignmentLength { .. }) => 53,
            Self::Statement(_) | Self::StatementFile { .. } => 54,
            Self::Prove(ProveError::SelfVerify(_)) => 55,
            Self::Batch { .. } => 56,
            Self::Setup(SetupError::Busy(_)) => 57,
        }
    }
}
