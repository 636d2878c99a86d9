//! Files whose first bytes say whether the rest is worth reading.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::FileError;

/// The first bytes of a file.
#[derive(Clone, Copy, Debug)]
pub struct Head<'b> {
    /// As many bytes as were asked for; fewer if the file is shorter.
    pub bytes: &'b [u8],
    /// The length of the file in bytes. A pipe has none.
    pub length: Option<u64>,
}

/// The content of a file, of which `judge` sees the first `head_bytes` before the rest is read. It
/// refuses the file or returns the bound on its length.
///
/// # Errors
/// That of `judge`, or a [`FileError`]: of kind [`io::ErrorKind::FileTooLarge`] above the bound.
pub fn read_judged<E: From<FileError>>(
    path: &Path,
    head_bytes: u64,
    judge: impl FnOnce(Head<'_>) -> Result<u64, E>,
) -> Result<Vec<u8>, E> {
    let open = || {
        let file = File::open(path)?;
        let found = file.metadata()?;
        let mut content = Vec::new();
        (&file).take(head_bytes).read_to_end(&mut content)?;
        Ok((file, found.is_file().then_some(found.len()), content))
    };
    let (file, length, mut content) = open().map_err(FileError::at(path))?;
    let bytes_max = judge(Head { bytes: &content, length })?;
    let read = || {
        super::ensure_at_most(length.unwrap_or_default(), bytes_max)?;
        // A pipe has no length, and a file may grow: one byte more than allowed tells.
        let rest_max = (bytes_max + 1).saturating_sub(content.len() as u64);
        file.take(rest_max).read_to_end(&mut content)?;
        super::ensure_at_most(content.len() as u64, bytes_max)
    };
    let read: io::Result<()> = read();
    read.map_err(FileError::at(path))?;
    Ok(content)
}
