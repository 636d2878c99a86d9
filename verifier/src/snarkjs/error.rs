//! Why JSON files are refused.

use thiserror::Error;

use crate::error::{Point, VerifyError};
use crate::text::TextError;

/// Why a JSON file is refused.
#[derive(Debug, Error)]
pub enum SnarkjsError {
    /// Not JSON, or not the expected fields.
    #[error("not the expected JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A number is not a canonical decimal string.
    #[error("{what} is {value:?}, which is not a canonical decimal number")]
    Decimal {
        /// Which number.
        what: String,
        /// The string found.
        value: String,
    },
    /// The file is for another protocol or curve.
    #[error("{field} is {got:?}, expected {expected}")]
    Kind {
        /// `protocol`, `curve` or `provenance`.
        field: &'static str,
        /// The value found.
        got: String,
        /// The values which are taken.
        expected: &'static str,
    },
    /// A point's last coordinate is neither one (affine) nor zero (the identity).
    #[error("{0} is not in affine coordinates")]
    NotAffine(Point),
    /// The bytes are not the text of a JSON file.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The proof's own inputs are not those given.
    #[error(
        "public input {index} is {own} in the proof's pub_signals and {given} in the public inputs"
    )]
    Signals {
        /// Number of the first input which differs.
        index: usize,
        /// The proof file's value; `none` behind its last.
        own: String,
        /// The value given; `none` behind the last.
        given: String,
    },
    /// A point is refused, and would not be with the parts of its coordinates exchanged.
    #[error(
        "{0}; with c0 and c1 exchanged it is: the file has the imaginary part of each coordinate \
         first, where snarkjs has the real part"
    )]
    Exchanged(VerifyError),
    /// The content is refused.
    #[error(transparent)]
    Content(#[from] VerifyError),
}

impl SnarkjsError {
    /// The reason's name.
    pub fn name(&self) -> &'static str {
        match self {
            SnarkjsError::Json(_) => "Json",
            SnarkjsError::Decimal { .. } => "Decimal",
            SnarkjsError::Kind { .. } => "Kind",
            SnarkjsError::NotAffine(_) => "NotAffine",
            SnarkjsError::Text(_) => "Text",
            SnarkjsError::Signals { .. } => "Signals",
            SnarkjsError::Exchanged(error) | SnarkjsError::Content(error) => error.name(),
        }
    }

    /// The reason's number, 50 to 59 or that of the [`VerifyError`] inside; also the exit status.
    pub fn code(&self) -> u8 {
        match self {
            SnarkjsError::Json(_) => 50,
            SnarkjsError::Decimal { .. } => 51,
            SnarkjsError::Kind { .. } => 52,
            SnarkjsError::NotAffine(_) => 53,
            SnarkjsError::Text(_) => 54,
            SnarkjsError::Signals { .. } => 55,
            SnarkjsError::Exchanged(error) | SnarkjsError::Content(error) => error.code(),
        }
    }
}
