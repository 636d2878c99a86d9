//! The environment failed: the disk, the store, another process. Refusals of operations are [`crate::Refusal`].

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

use zkmargin_host::OutputError;
use zkmargin_protocol::Reject;

/// Why the sequencer stops.
#[derive(Debug, Error)]
pub enum Error {
    /// The database failed; whether the last write is on the disk is unknown.
    #[error("the database failed: {0}")]
    Database(rusqlite::Error),
    /// A file could not be written; whether it is on the disk is unknown.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be read or opened. Nothing was written.
    #[error("cannot open {path}: {source}")]
    Input {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is stored is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The store has a format which this program does not know.
    #[error("the store has format {found}, this program knows format {known}")]
    Format {
        /// The format of the store.
        found: i64,
        /// The format of this program.
        known: i64,
    },
    /// Another sequencer holds the store.
    #[error("another sequencer holds {0}")]
    Held(PathBuf),
    /// Another sequencer has opened the store since, in spite of the lock.
    #[error("another sequencer took the store over: its epoch is {found}, ours {ours}")]
    Fenced {
        /// The epoch in the store.
        found: i64,
        /// The epoch of this process.
        ours: i64,
    },
    /// There is something already where a store is to be made.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// There is no store.
    #[error("{0} holds no store")]
    Missing(PathBuf),
    /// The genesis, a risk table or an argument makes no sense.
    #[error("{0}")]
    Configuration(String),
    /// The answers could not be delivered; what they promise is kept.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The process went on after a failed write.
    #[error("an earlier write failed; start again")]
    Poisoned,
}

impl Error {
    /// Whether a write failed so that the process has to end without another one: after a failed flush the
    /// system may report success for data it has dropped.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Database(_) | Self::File { .. } | Self::Poisoned)
    }

    /// The error of writing a file.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }

    /// The error of reading or opening a file.
    pub(crate) fn input(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Input { path, source }
    }

    /// The log says that a rule accepted what it now refuses.
    pub(crate) fn diverged(sequence: u64, reject: &Reject) -> Self {
        Self::Damaged(format!("entry {sequence} was accepted and is now refused: {reject}"))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as Sql;
        let is_damage = matches!(
            error,
            Sql::FromSqlConversionFailure(..)
                | Sql::IntegralValueOutOfRange(..)
                | Sql::InvalidColumnType(..)
                | Sql::Utf8Error(..)
        ) || matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        );
        if is_damage { Self::Damaged(error.to_string()) } else { Self::Database(error) }
    }
}
