//! Files and directories that are there whole, under their final name and flushed, or not at all.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use zkmargin_host::file;

use crate::error::Error;

/// Name of the artefact of batch `number`, which the prover takes: the JSON of a
/// [`zkmargin_protocol::batch::trace::BatchTrace`].
pub fn artefact_name(number: u64) -> String {
    format!("batch-{number}.json")
}

/// Name of the statement of batch `number`, which verifier and chain take: a
/// [`zkmargin_verifier::StatementFile`].
pub fn statement_name(number: u64) -> String {
    format!("statement-{number}.bin")
}

/// Makes a directory which only its owner may look into: view keys are kept there.
fn create_private_directory(path: &Path) -> Result<(), Error> {
    DirBuilder::new().mode(0o700).create(path).map_err(Error::file(path))
}

/// Makes `path` if it is not there. The directory above it must exist.
pub fn ensure_directory(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    create_private_directory(path)?;
    sync_directory(file::parent(path))
}

/// Flushes names added to a directory.
pub fn sync_directory(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(Error::file(path))
}

/// Writes `content` under `name`, unless it is there already; returns whether it was not.
pub fn write_file(directory: &Path, name: &str, content: &[u8]) -> Result<bool, Error> {
    let path = directory.join(name);
    if file::read(&path, content.len() as u64).is_ok_and(|present| present == content) {
        return Ok(false);
    }
    file::write(&path, content)?;
    Ok(true)
}

/// Makes a directory which appears under its name with all that `fill` puts into it, or not at all.
/// A draft that an earlier process has left beside it goes.
///
/// # Errors
/// [`Error::Exists`]; those of the disk and of `fill`, after which nothing is left.
pub fn publish_directory(
    directory: &Path,
    fill: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    if directory.symlink_metadata().is_ok() {
        return Err(Error::Exists(directory.to_owned()));
    }
    let parent = file::parent(directory);
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    remove_drafts(parent, |of| of == name)?;
    let draft = parent.join(format!(".{name}.{}.draft", std::process::id()));
    let make = || {
        create_private_directory(&draft)?;
        fill(&draft)?;
        sync_directory(&draft)?;
        fs::rename(&draft, directory).map_err(Error::file(directory))?;
        sync_directory(parent)
    };
    make().inspect_err(|_| {
        // The first failure is the one to report.
        let _ = fs::remove_dir_all(&draft);
    })
}

/// Removes the drafts of artefacts and statements which a process that was killed has left.
pub fn remove_file_drafts(directory: &Path) -> Result<(), Error> {
    remove_drafts(directory, |of| of.starts_with("batch-") || of.starts_with("statement-"))
}

/// Removes what dead processes, or one of our number, have left in `directory` under
/// `.NAME.PROCESS.draft`.
fn remove_drafts(directory: &Path, is_ours: impl Fn(&str) -> bool) -> Result<(), Error> {
    // Where names cannot be listed there is nothing that this process could remove.
    let Ok(names) = fs::read_dir(directory) else { return Ok(()) };
    for name in names {
        let name = name.map_err(Error::input(directory))?.file_name();
        let Some((of, process)) = name.to_str().and_then(draft_of) else { continue };
        if is_ours(of) && !is_alive(process) {
            remove_any(&directory.join(&name))?;
        }
    }
    Ok(())
}

fn draft_of(name: &str) -> Option<(&str, u32)> {
    let (of, process) = name.strip_prefix('.')?.strip_suffix(".draft")?.rsplit_once('.')?;
    Some((of, process.parse().ok()?))
}

/// Whether another process may still be writing. Where that cannot be told, it may.
fn is_alive(process: u32) -> bool {
    let processes = Path::new("/proc");
    let is_known = processes.join("self").exists();
    process != std::process::id() && (!is_known || processes.join(process.to_string()).exists())
}

/// Removes a file or a directory, if it is there.
pub fn remove_any(path: &Path) -> Result<(), Error> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    }
}

/// The files of a database: itself, its write-ahead log and the index of that.
pub fn database_files(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}
