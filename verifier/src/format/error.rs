//! Why files are refused.

use thiserror::Error;

use crate::error::VerifyError;

/// Why a file cannot be read. Name and code are stable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The file ends early.
    #[error("the file ends after {got} bytes, expected {expected}")]
    Truncated {
        /// Bytes which the part read so far asks for.
        expected: usize,
        /// Bytes there are.
        got: usize,
    },
    /// The file goes on after its end.
    #[error("the file is {got} bytes long, expected {expected}")]
    TrailingBytes {
        /// Bytes which the header asks for.
        expected: usize,
        /// Bytes there are.
        got: usize,
    },
    /// The first bytes are not those of the expected kind of file.
    #[error("this is not a {expected} file: its first bytes are {got}")]
    Foreign {
        /// The expected magic.
        expected: String,
        /// The first bytes in hexadecimal digits.
        got: String,
    },
    /// The format's version is unknown.
    #[error("the file has format version {got}, this program reads version {expected}")]
    Version {
        /// The version which can be read.
        expected: u32,
        /// The file's version.
        got: u32,
    },
    /// The content does not hash to the value at the file's end.
    #[error("the file is damaged: its content does not match its hash")]
    Damaged,
    /// The provenance byte has no meaning.
    #[error("provenance {0} is unknown")]
    Provenance(u8),
    /// The payload's length does not fit its kind, or exceeds what its kind may have.
    #[error("the payload is {got} bytes long, expected {expected}")]
    PayloadLength {
        /// Length which the payload's kind asks for.
        expected: usize,
        /// Length found.
        got: usize,
    },
    /// The payload is intact but holds something refused.
    #[error(transparent)]
    Content(#[from] VerifyError),
}

impl FormatError {
    /// The reason's name.
    pub fn name(&self) -> &'static str {
        match self {
            FormatError::Truncated { .. } => "Truncated",
            FormatError::TrailingBytes { .. } => "TrailingBytes",
            FormatError::Foreign { .. } => "Foreign",
            FormatError::Version { .. } => "Version",
            FormatError::Damaged => "Damaged",
            FormatError::Provenance(_) => "Provenance",
            FormatError::PayloadLength { .. } => "PayloadLength",
            FormatError::Content(error) => error.name(),
        }
    }

    /// The reason's number, 40 to 49 or that of the [`VerifyError`] inside; also the exit status.
    pub fn code(&self) -> u8 {
        match self {
            FormatError::Truncated { .. } => 40,
            FormatError::TrailingBytes { .. } => 41,
            FormatError::Foreign { .. } => 42,
            FormatError::Version { .. } => 43,
            FormatError::Damaged => 44,
            FormatError::Provenance(_) => 45,
            FormatError::PayloadLength { .. } => 46,
            FormatError::Content(error) => error.code(),
        }
    }
}
