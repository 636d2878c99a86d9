//! Why the program ends without a good verdict.

use std::path::PathBuf;

use thiserror::Error;
use zkmargin_host::{FileError, OutputError};
use zkmargin_verifier::read::ReadError;
use zkmargin_verifier::snarkjs::SnarkjsError;
use zkmargin_verifier::{FormatError, VerifyError};

/// The reason.
#[derive(Debug, Error)]
pub enum Failure {
    #[error(transparent)]
    Io(#[from] FileError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: FormatError },
    #[error("{}: {error}", path.display())]
    Json { path: PathBuf, error: SnarkjsError },
    #[error(transparent)]
    Refused(#[from] VerifyError),
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::File(error) => Self::Io(error),
            ReadError::Format { path, error } => Self::File { path, error },
            ReadError::Text { path, error } => Self::Json { path, error: error.into() },
        }
    }
}

impl Failure {
    /// The reason's name.
    pub fn name(&self) -> &'static str {
        match self {
            Failure::Io(_) | Failure::Output(_) => "Io",
            Failure::File { error, .. } => error.name(),
            Failure::Json { error, .. } => error.name(),
            Failure::Refused(error) => error.name(),
        }
    }

    /// The exit status.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Io(_) | Failure::Output(_) => 3,
            Failure::File { error, .. } => error.code(),
            Failure::Json { error, .. } => error.code(),
            Failure::Refused(error) => error.code(),
        }
    }
}
