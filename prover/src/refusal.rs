//! Why the binary ends without success, and with which exit status.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use thiserror::Error;
use zkmargin_host::{FileError, OutputError};
use zkmargin_prover::batch::StatementError;
use zkmargin_prover::key::KeyError;
use zkmargin_prover::prove::ProveError;
use zkmargin_prover::setup::SetupError;
use zkmargin_verifier::read::ReadError;

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
    #[error(transparent)]
    File(#[from] FileError),
    /// Standard output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The batch file is not JSON.
    #[error("not a batch: {0}")]
    NotABatch(ReadError),
    /// The batch file is JSON, but not that of a batch.
    #[error("{} is not a batch: {error}", path.display())]
    Batch {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// The statement file is not a statement.
    #[error("not a statement: {0}")]
    StatementFile(ReadError),
    /// The statement is not the batch's.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// There is no key for the circuit.
    #[error(
        "there is no key {}: make one with prover setup --shape SHAPE --dev, or name its folder \
         with --cache",
        path.display()
    )]
    NoKey {
        /// Where it was sought: a file or a folder of keys.
        path: PathBuf,
    },
    /// The key is refused.
    #[error("{}: {error}{remedy}", path.display())]
    Key {
        /// The key.
        path: PathBuf,
        /// What is wrong.
        error: KeyError,
        /// What to do about it.
        remedy: String,
    },
    /// Setup failed.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// There is no proof.
    #[error(transparent)]
    Prove(ProveError),
    /// The proof made with the key does not verify.
    #[error(
        "{}: {error}; the key, this machine or the program is at fault: \
         see what prover keys verify says of the key", path.display()
    )]
    OwnProof {
        /// The key.
        path: PathBuf,
        /// The verifier's reason.
        error: ProveError,
    },
}

impl Refusal {
    /// Says which key is refused, and what to do.
    pub fn key(path: &Path, error: KeyError) -> Self {
        let path = path.to_owned();
        match error {
            KeyError::Io(error) if error.kind() == ErrorKind::NotFound => Self::NoKey { path },
            KeyError::Io(error) => FileError { path, error }.into(),
            error => {
                let remedy = error.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default();
                Self::Key { path, error, remedy }
            }
        }
    }

    /// Says why there is no proof with the key at `path`.
    pub fn prove(path: &Path, error: ProveError) -> Self {
        match error {
            ProveError::Key(error) => Self::key(path, error),
            ProveError::SelfVerify(_) => Self::OwnProof { path: path.to_owned(), error },
            error => Self::Prove(error),
        }
    }
}

impl From<ProveError> for Refusal {
    fn from(error: ProveError) -> Self {
        Self::Prove(error)
    }
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
            Self::File(_)
            | Self::Output(_)
            | Self::Setup(SetupError::Io(_) | SetupError::Leftover(_)) => 3,
            Self::NoCeremony => 50,
            Self::NoKey { .. } | Self::Setup(SetupError::Domain(_)) => 51,
            Self::Key { error, .. }
            | Self::Setup(SetupError::Key(error))
            | Self::Prove(ProveError::Key(error)) => key_code(error),
            Self::Prove(ProveError::Unsatisfied { .. } | ProveError::AssignmentLength { .. }) => 53,
            Self::Statement(_) | Self::StatementFile(_) => 54,
            Self::OwnProof { .. } | Self::Prove(ProveError::SelfVerify(_)) => 55,
            Self::NotABatch(_) | Self::Batch { .. } => 56,
            Self::Setup(SetupError::Busy(_)) => 57,
        }
    }
}
