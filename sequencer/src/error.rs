//! The environment failed: the disk, the store, another process. Refusals of operations are
//! [`crate::Refusal`].

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

use zkmargin_host::{FileError, OutputError};
use zkmargin_protocol::Reject;

use crate::damage::{Damage, Remedy};

/// Why the sequencer stops.
#[derive(Debug, Error)]
pub enum Error {
    /// The database failed, and nothing of the store was being written.
    #[error("{0}")]
    Database(DatabaseFailure),
    /// A file beside the log could not be written. The store is as it was.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be read or opened. Nothing was written.
    #[error("cannot open {}: {source}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is stored is not what was written.
    #[error("{0}")]
    Damaged(Damage),
    /// The store has a format which this program does not know.
    #[error(
        "the store {} has format {found}, this program knows format {known}: use the program \
         that wrote it, or restore a backup if this program did", store.display()
    )]
    Format {
        /// The store.
        store: PathBuf,
        /// The format of the store.
        found: i64,
        /// The format of this program.
        known: i64,
    },
    /// Another process holds the store.
    #[error("another sequencer holds {}", .0.display())]
    Held(PathBuf),
    /// A writer changed the store under a reader that could not take part in its locks.
    #[error("{} was changed while it was read without write access: run again", .0.display())]
    Moved(PathBuf),
    /// Another store stands where the one that this process opened stood.
    #[error("{} is not the store that was opened: another stands in its place", .0.display())]
    Replaced(PathBuf),
    /// Another sequencer has opened the store since, in spite of the lock.
    #[error("another sequencer took the store over: its epoch is {found}, ours {ours}")]
    Fenced {
        /// The epoch in the store.
        found: i64,
        /// The epoch of this process.
        ours: i64,
    },
    /// There is something already where a store is to be made.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// There is no store.
    #[error("{} holds no store", .0.display())]
    Missing(PathBuf),
    /// The genesis, a risk table or an argument makes no sense.
    #[error("{0}")]
    Configuration(String),
    /// The answers could not be delivered; what they promise is kept.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A write of the store failed: memory and disk may differ.
    #[error(
        "a write of the store failed, so what is on the disk is unknown until the next start: {0}"
    )]
    Unsettled(Box<Error>),
    /// The process went on after a failed write.
    #[error("an earlier write failed; start again")]
    Poisoned,
}

/// What the database said, and of which store.
#[derive(Debug, Error)]
#[error("the database of the store {} failed: {source}", store.display())]
pub struct DatabaseFailure {
    /// The store; empty while the error is inside it.
    store: PathBuf,
    source: rusqlite::Error,
}

impl Error {
    /// Whether a write of the store failed so that the process has to end without another one:
    /// after a failed flush the system may report success for data it has dropped.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Unsettled(_) | Self::Poisoned)
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

    /// Something that follows from the log is not what it was.
    pub(crate) fn derived(what: impl Into<String>) -> Self {
        Self::Damaged(Damage::new(what, Remedy::Rebuild))
    }

    /// The log is not what was written.
    pub(crate) fn broken_log(what: impl Into<String>) -> Self {
        Self::Damaged(Damage::new(what, Remedy::Restore))
    }

    /// The anchor is gone.
    pub(crate) fn lost_anchor(what: impl Into<String>) -> Self {
        Self::Damaged(Damage::new(what, Remedy::RebuildWithoutAnchor))
    }

    /// The log says that a rule accepted what it now refuses.
    pub(crate) fn diverged(sequence: u64, reject: &Reject) -> Self {
        Self::broken_log(format!("entry {sequence} was accepted and is now refused: {reject}"))
    }

    /// The error of a write within a transaction.
    pub(crate) fn unsettled(error: impl Into<Self>) -> Self {
        match error.into() {
            error @ (Self::Database(_) | Self::File { .. }) => Self::Unsettled(Box::new(error)),
            error => error,
        }
    }

    /// The error of the first write of a process, which holds nothing in memory yet. Only a failed
    /// flush is unsettled then; a store that may not be written is as it was.
    pub(crate) fn first_write(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => Self::unsettled(error),
            _ => error.into(),
        }
    }

    /// The error, where a rebuild has found it: another would not help.
    pub(crate) fn beyond_rebuild(self) -> Self {
        match self {
            Self::Damaged(damage) if damage.remedy() == Remedy::Rebuild => {
                Self::broken_log(damage.what())
            }
            error => error,
        }
    }

    /// The error, naming the store.
    pub(crate) fn at(self, directory: &Path) -> Self {
        let named = |store: PathBuf| {
            if store.as_os_str().is_empty() { directory.to_owned() } else { store }
        };
        match self {
            Self::Damaged(damage) => Self::Damaged(damage.at(directory)),
            Self::Database(DatabaseFailure { store, source }) => {
                Self::Database(DatabaseFailure { store: named(store), source })
            }
            Self::Format { store, found, known } => {
                Self::Format { store: named(store), found, known }
            }
            Self::Unsettled(error) => Self::Unsettled(Box::new(error.at(directory))),
            error => error,
        }
    }
}

impl From<FileError> for Error {
    fn from(FileError { path, error }: FileError) -> Self {
        Self::File { path, source: error }
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
                | Sql::QueryReturnedNoRows
                | Sql::Utf8Error(..)
        ) || matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ) || error.to_string() == "unsupported file format";
        if is_damage {
            Self::derived(error.to_string())
        } else {
            Self::Database(DatabaseFailure { store: PathBuf::new(), source: error })
        }
    }
}
