//! Files read by programs, refused by their first bytes where these tell.

use std::path::{Path, PathBuf};

use thiserror::Error;
use zkmargin_host::FileError;
use zkmargin_host::file::read_judged;

use crate::format::{self, FormatError, HEADER_BYTES};
use crate::text::{self, TextError};

/// Why a file is not read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The system refuses, or the file is longer than its kind may be.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not a container of the expected kind.
    #[error("{}: {error}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: FormatError,
    },
    /// Not text of the expected kind.
    #[error("{}: {error}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: TextError,
    },
}

/// Reads a container of one of the kinds `magics`. A file of none of them is refused as foreign to
/// the first.
///
/// # Errors
/// [`ReadError::File`] or [`ReadError::Format`].
pub fn container<T>(
    path: &Path,
    magics: &[[u8; 8]],
    parse: impl Fn(&[u8]) -> Result<T, FormatError>,
) -> Result<T, ReadError> {
    let refused = |error| ReadError::Format { path: path.to_owned(), error };
    let file = read_judged(path, HEADER_BYTES as u64, |head| {
        let is_kind = |magic: &&[u8; 8]| head.bytes.starts_with(&magic[..]);
        let magic = magics.iter().find(is_kind).unwrap_or(&magics[0]);
        let expected = format::stated_bytes(*magic, head.bytes).map_err(refused)?;
        match head.length {
            Some(got) if got > expected as u64 => {
                let got = usize::try_from(got).unwrap_or(usize::MAX);
                Err(refused(FormatError::TrailingBytes { expected, got }))
            }
            _ => Ok(expected as u64),
        }
    })?;
    parse(&file).map_err(refused)
}

/// Reads JSON of at most `bytes_max` bytes, which begins with one of the characters `begins`.
///
/// # Errors
/// [`ReadError::File`] or [`ReadError::Text`].
pub fn json(path: &Path, bytes_max: u64, begins: &'static str) -> Result<String, ReadError> {
    /// Enough to see an encoding and, behind white space, the first character.
    const HEAD_BYTES: u64 = 64;
    let refused = |error| ReadError::Text { path: path.to_owned(), error };
    let file = read_judged(path, HEAD_BYTES, |head| {
        text::ensure_begins(head.bytes, begins).map_err(refused)?;
        Ok::<_, ReadError>(bytes_max)
    })?;
    Ok(text::decode(&file).map_err(refused)?.to_owned())
}
