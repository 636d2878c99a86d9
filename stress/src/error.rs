//! Why a replay cannot go on.

use std::path::PathBuf;

use thiserror::Error;
use zkmargin_fixtures::FixtureError;
use zkmargin_protocol::Reject;

/// Why a replay cannot go on.
#[derive(Debug, Error)]
pub enum StressError {
    /// Recorded data that are not there.
    #[error("{0}: {1}; the recorded data are not part of this repository")]
    Missing(PathBuf, std::io::Error),
    /// Recorded data that do not cover what is replayed.
    #[error("{what}: {value}")]
    Data {
        /// What is wrong.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// What is wrong with one of the recorded files.
    #[error("{file}: {error}")]
    Within {
        /// The file, below the data folder.
        file: &'static str,
        /// What is wrong.
        error: Box<StressError>,
    },
    /// Recorded data that cannot be read.
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    /// A rule refused what should be in order.
    #[error(transparent)]
    Reject(#[from] Reject),
    /// Money or contracts came or went.
    #[error("conservation: {0}")]
    Conservation(String),
}

impl StressError {
    /// `value` is wrong in the way `what` says.
    pub(crate) fn data(what: &'static str, value: impl std::fmt::Display) -> Self {
        Self::Data { what, value: value.to_string() }
    }

    /// Names the file that an error is about.
    pub(crate) fn within(file: &'static str) -> impl FnOnce(Self) -> Self {
        move |error| Self::Within { file, error: Box::new(error) }
    }
}
