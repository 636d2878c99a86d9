//! Why keys are refused.

use std::io;

use thiserror::Error;
use zkmargin_verifier::VerifyError;

use super::header::VERSION;

/// Why a key file is refused.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Reading or writing failed.
    #[error("the key cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file does not begin like a key.
    #[error("this is not a zkmargin proving key")]
    NotAKey,
    /// A key of another release.
    #[error("the key has format version {got}, this release reads version {VERSION}")]
    Version {
        /// Version of the file.
        got: u32,
    },
    /// The header does not fit its own digest, or states impossible sizes.
    #[error("the key's header is damaged")]
    Header,
    /// The file has another length than its header demands.
    #[error(
        "the key has {got} bytes, its header demands {expected}: truncated, or setup not finished"
    )]
    Length {
        /// Bytes which the header demands.
        expected: u64,
        /// Bytes of the file.
        got: u64,
    },
    /// A frame does not fit its digest or stands in the wrong place.
    #[error("the key is damaged in section {section} at element {first}")]
    Damaged {
        /// Name of the section that was expected here.
        section: &'static str,
        /// First element of the frame.
        first: u64,
    },
    /// A value is not a reduced field element or not a column of the circuit.
    #[error("element {index} of section {section} is not canonical")]
    NotCanonical {
        /// Name of the section.
        section: &'static str,
        /// Element number.
        index: u64,
    },
    /// A point is not on its curve or not in the group.
    #[error("point {index} of section {section} is not in its group")]
    NotInGroup {
        /// Name of the section.
        section: &'static str,
        /// Element number.
        index: u64,
    },
    /// Sections of the key belong to different secrets, or to none of this circuit.
    #[error("the key was not made from one set of secrets for its circuit: {section}")]
    Inconsistent {
        /// The section, or the points, that do not fit the others.
        section: &'static str,
    },
    /// The verifying key inside is unfit.
    #[error("the verifying key inside is refused: {0}")]
    Verifying(VerifyError),
    /// The key is for another circuit.
    #[error("the key is for circuit {key}, wanted {wanted}")]
    Circuit {
        /// Digest in the key.
        key: String,
        /// Digest of the circuit at hand.
        wanted: String,
    },
}

impl KeyError {
    /// What to do about a key that is refused; nothing to say of a file that cannot be read and of
    /// a key for another circuit.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Io(_) | Self::Circuit { .. } => None,
            Self::NotAKey => Some(
                "name another file, or put a key in the place of this one: \
                 prover setup --shape SHAPE --dev --replace",
            ),
            _ => Some(
                "use an intact copy of the key, or make a new one in its place: \
                 prover setup --shape SHAPE --dev --replace",
            ),
        }
    }
}
