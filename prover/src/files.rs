//! The files which the program reads, refused as early as they can be, and its output folder.

use std::fs;
use std::path::{Path, PathBuf};
use zkmargin_protocol::batch::trace::BatchTrace;

use zkmargin_host::FileError;
use zkmargin_host::file;
use zkmargin_verifier::format::MAGIC_STATEMENT;
use zkmargin_verifier::read::{self, ReadError};
use zkmargin_verifier::{Statement, StatementFile};

use crate::refusal::Refusal;

/// The longest batch file. One of the large shape has a few megabytes.
const BATCH_BYTES_MAX: u64 = 1 << 30;

/// Reads a batch, which is a JSON object.
pub fn read_batch(path: &Path) -> Result<BatchTrace, Refusal> {
    let json = read::json(path, BATCH_BYTES_MAX, "{").map_err(|error| match error {
        ReadError::File(error) => error.into(),
        error => Refusal::NotABatch(error),
    })?;
    serde_json::from_str(&json).map_err(|error| Refusal::Batch { path: path.to_owned(), error })
}

/// Reads a statement.
pub fn read_statement(path: &Path) -> Result<Statement, Refusal> {
    let read = read::container(path, &[MAGIC_STATEMENT], StatementFile::from_bytes);
    let StatementFile(statement) = read.map_err(|error| match error {
        ReadError::File(error) => error.into(),
        error => Refusal::StatementFile(error),
    })?;
    Ok(statement)
}

/// An output folder that can be written. If it was made here and nothing comes of the run, it goes
/// again.
pub struct NewFolder(Option<PathBuf>);

impl NewFolder {
    /// Makes the folder, if it is not there, and shows that files can be made in it.
    pub fn ensure(path: &Path) -> Result<Self, FileError> {
        let is_new = !path.exists();
        file::ensure_writable_folder(path)?;
        Ok(Self(is_new.then(|| path.to_owned())))
    }

    /// The folder has its files.
    pub fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // A folder with anything in it stays.
            let _ = fs::remove_dir(path);
        }
    }
}
