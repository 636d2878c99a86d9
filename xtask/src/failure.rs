//! Why a chore ends without success, and the exit status that says so.

use std::fmt;
use std::process::ExitCode;

use zkmargin_fixtures::FixtureError;
use zkmargin_host::{FileError, OutputError};
use zkmargin_protocol::Reject;

/// Why a chore ends without success.
#[derive(Debug)]
pub enum Failure {
    /// What was looked at is refused, differs, or does not hold. Exit status 1.
    Refused(String),
    /// A file or standard output cannot be read or written. Exit status 3.
    Environment(String),
}

impl Failure {
    /// The exit status.
    pub fn status(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 1,
            Self::Environment(_) => 3,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) | Self::Environment(text) => f.write_str(text),
        }
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Refused(text)
    }
}

impl From<FixtureError> for Failure {
    fn from(error: FixtureError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<Reject> for Failure {
    fn from(reject: Reject) -> Self {
        Self::Refused(reject.to_string())
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::Environment(error.to_string())
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self::Environment(error.to_string())
    }
}
