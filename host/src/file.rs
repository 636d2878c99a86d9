//! Files that are there whole, under their final name and flushed, or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

mod judged;
mod together;
pub use judged::{Head, read_judged};
pub use together::write_together;

/// A file or folder cannot be read or written. Exit status 3.
#[derive(Debug, Error)]
#[error("{}: {error}", path.display())]
pub struct FileError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system says.
    pub error: io::Error,
}

impl FileError {
    /// Names the file that an operation of the system failed on.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |error| Self { path: path.to_owned(), error }
    }
}

/// The content of a file of at most `bytes_max` bytes. A larger one is refused before it is read.
///
/// # Errors
/// [`FileError`]; of kind [`io::ErrorKind::FileTooLarge`] with the size found and the bound.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, FileError> {
    let mut content = Vec::new();
    let mut read = || {
        let file = File::open(path)?;
        ensure_at_most(file.metadata()?.len(), bytes_max)?;
        // A pipe has no length, and a file may grow: one byte more than allowed tells.
        file.take(bytes_max + 1).read_to_end(&mut content)?;
        ensure_at_most(content.len() as u64, bytes_max)
    };
    read().map_err(FileError::at(path))?;
    Ok(content)
}

fn ensure_at_most(bytes: u64, bytes_max: u64) -> io::Result<()> {
    if bytes <= bytes_max {
        return Ok(());
    }
    let what = format!("{bytes} bytes found, at most {bytes_max} allowed");
    Err(io::Error::new(io::ErrorKind::FileTooLarge, what))
}

/// Puts `content` at `path`, in place of what stands there; see [`write_with`].
///
/// # Errors
/// [`FileError`].
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_with(path, |file| file.write_all(content))
}

/// Puts what `fill` writes at `path`, in place of the file that stands there: under the name of a
/// draft first, then flushed and moved. When anything fails, the draft is removed and `path` is as
/// it was. A link stays and its file is replaced; a device or pipe stays and is written to.
///
/// # Errors
/// [`FileError`].
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let target = match target_of(path).map_err(FileError::at(path))? {
        Target::Stream(stream) => {
            let mut stream = BufWriter::new(stream);
            return fill(&mut stream).and_then(|()| stream.flush()).map_err(FileError::at(path));
        }
        Target::File(target) => target,
    };
    let draft = draft_of(&target);
    let write = || {
        let mut file = BufWriter::new(File::create(&draft)?);
        fill(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        keep_owner(&file, &target)?;
        file.sync_all()?;
        put_in_place(&draft, &target)
    };
    write().map_err(|error| {
        // The first failure is the one to report.
        let _ = fs::remove_file(&draft);
        FileError { path: path.to_owned(), error }
    })
}

/// What stands, or is to stand, at a path.
enum Target {
    /// A file, with links followed.
    File(PathBuf),
    /// A device or pipe, which a file must not replace.
    Stream(File),
}

fn target_of(path: &Path) -> io::Result<Target> {
    let Ok(found) = fs::metadata(path) else { return Ok(Target::File(path.to_owned())) };
    if found.is_file() {
        // A link that a name ends in is the file's; those above it make no difference.
        let is_link = fs::symlink_metadata(path)?.is_symlink();
        return Ok(Target::File(if is_link { fs::canonicalize(path)? } else { path.to_owned() }));
    }
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Target::Stream(File::options().write(true).open(path)?))
}

/// Gives a new file the owner and permissions of the one it replaces. Only root gives files away:
/// for others the owner stays as it is.
///
/// # Errors
/// Those of the system.
pub fn keep_owner(file: &File, replaced: &Path) -> io::Result<()> {
    let Ok(old) = fs::metadata(replaced) else { return Ok(()) };
    file.set_permissions(old.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            let _ = fchown(file, Some(old.uid()), Some(old.gid()));
        }
    }
    Ok(())
}

/// Makes a folder and those above it, if they are not there, and shows that a file can be made in
/// it.
///
/// # Errors
/// [`FileError`].
pub fn ensure_writable_folder(path: &Path) -> Result<(), FileError> {
    let probe = draft_of(&path.join("probe"));
    let write = || {
        fs::create_dir_all(path)?;
        File::create(&probe)?;
        fs::remove_file(&probe)
    };
    write().map_err(FileError::at(path))
}

/// Gives a whole and flushed draft its name, in place of what has it, so that a crash afterwards
/// does not undo that. Draft and name are in one folder.
///
/// # Errors
/// Those of the system.
pub fn put_in_place(draft: &Path, path: &Path) -> io::Result<()> {
    fs::rename(draft, path)?;
    flush_name(path)
}

/// Flushes the folder that holds `path`: a name that is made or removed there stays so after a
/// crash.
///
/// # Errors
/// Those of the system.
pub fn flush_name(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

/// The folder that holds `path`.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// The name under which a file is written before it is whole: hidden, in the same folder, of this
/// process.
fn draft_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.draft", std::process::id()))
}
