//! Files that are there whole, under their final name and flushed, or not at all.

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Name of the artefact of batch `number`, which the prover takes: the JSON of a
/// [`zkmargin_protocol::batch::BatchTrace`].
pub fn artefact_name(number: u64) -> String {
    format!("batch-{number}.json")
}

/// Name of the statement of batch `number`, which verifier and chain take: a
/// [`zkmargin_verifier::StatementFile`].
pub fn statement_name(number: u64) -> String {
    format!("statement-{number}.bin")
}

/// The directory that holds `path`.
pub fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes a directory which only its owner may look into: view keys are kept there.
pub fn create_private_directory(path: &Path) -> Result<(), Error> {
    DirBuilder::new().mode(0o700).create(path).map_err(Error::file(path))
}

/// Makes `path` if it is not there.
pub fn ensure_directory(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    create_private_directory(path)?;
    sync_directory(&parent(path))
}

/// Flushes names added to a directory.
pub fn sync_directory(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(Error::file(path))
}

/// Writes `content` under `name`, unless it is there already; returns the path. The directory is flushed by the caller.
pub fn write_file(directory: &Path, name: &str, content: &[u8]) -> Result<PathBuf, Error> {
    let path = directory.join(name);
    if fs::read(&path).is_ok_and(|present| present == content) {
        return Ok(path);
    }
    let draft = directory.join(format!("{name}.{}.tmp", std::process::id()));
    let write = |draft: &Path| {
        let mut file = File::create(draft)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write(&draft).map_err(Error::file(&draft))?;
    fs::rename(&draft, &path).map_err(Error::file(&path))?;
    Ok(path)
}

/// Removes the drafts which a process that was killed has left in `directory`.
pub fn remove_drafts(directory: &Path) -> Result<(), Error> {
    let Ok(names) = fs::read_dir(directory) else { return Ok(()) };
    for name in names {
        let path = name.map_err(Error::input(directory))?.path();
        if path.extension().is_some_and(|extension| extension == "tmp") {
            fs::remove_file(&path).map_err(Error::file(&path))?;
        }
    }
    Ok(())
}
