//! Several files that change together.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{FileError, draft_of, flush_name};

/// Puts each content at its path, in place of the file that is there: all of them or none. Every
/// draft is written and flushed before the first file is replaced, and when a later one cannot be
/// replaced, the earlier ones get their old content back.
///
/// A crash of the machine between two replacements can still leave some of the files old and some
/// new. Each file by itself is whole even then.
///
/// # Errors
/// [`FileError`] naming the file that cannot be written, or what is a link, device or pipe. No file
/// has changed.
pub fn write_together<C: AsRef<[u8]>>(files: &[(PathBuf, C)]) -> Result<(), FileError> {
    let mut changes = Vec::new();
    let mut write = || {
        for (path, content) in files {
            changes.push(Change::new(path));
            stage(&changes[changes.len() - 1], content.as_ref()).map_err(FileError::at(path))?;
        }
        for change in &mut changes {
            let path = change.path;
            fs::rename(&change.draft, path).map_err(FileError::at(path))?;
            change.is_replaced = true;
        }
        for (path, _) in files {
            flush_name(path).map_err(FileError::at(path))?;
        }
        Ok(())
    };
    let written = write();
    if written.is_err() {
        changes.iter().filter(|change| change.is_replaced).for_each(Change::undo);
    }
    changes.iter().for_each(Change::end);
    written
}

/// A file that is being replaced.
struct Change<'p> {
    path: &'p Path,
    draft: PathBuf,
    /// A second name of the old content.
    old: PathBuf,
    is_replaced: bool,
}

impl<'p> Change<'p> {
    fn new(path: &'p Path) -> Self {
        let draft = draft_of(path);
        let old = draft.with_extension("old");
        Self { path, draft, old, is_replaced: false }
    }

    /// Gives the file its old content back. The first failure is the one to report, so a failure of
    /// this is ignored.
    fn undo(&self) {
        if fs::rename(&self.old, self.path).is_err() {
            // There was no old content.
            let _ = fs::remove_file(self.path);
        }
    }

    /// Removes the names that only the change needed; most are gone by now.
    fn end(&self) {
        let _ = fs::remove_file(&self.old);
        let _ = fs::remove_file(&self.draft);
    }
}

/// Writes the draft, and keeps the old content under its second name.
fn stage(change: &Change, content: &[u8]) -> io::Result<()> {
    let mut draft = File::create(&change.draft)?;
    draft.write_all(content)?;
    draft.sync_all()?;
    let _ = fs::remove_file(&change.old);
    match fs::symlink_metadata(change.path) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "there is something that is no file"))
        }
        Ok(_) => match fs::hard_link(change.path, &change.old) {
            Ok(()) => Ok(()),
            // Not every file system has second names.
            Err(_) => fs::copy(change.path, &change.old).map(|_| ()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
