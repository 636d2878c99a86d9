//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::refusal::Refusal;

fn at(path: &Path) -> impl FnOnce(io::Error) -> Refusal + '_ {
    |error| Refusal::File { path: path.to_owned(), error }
}

/// The content of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Refusal> {
    fs::read(path).map_err(at(path))
}

/// Makes a folder if it is not there.
pub fn ensure_folder(path: &Path) -> Result<(), Refusal> {
    fs::create_dir_all(path).map_err(at(path))
}

/// Writes a file under a draft's name, flushes it and moves it to its place.
pub fn write(folder: &Path, name: &str, content: &[u8]) -> Result<(), Refusal> {
    let draft = folder.join(format!(".{name}.{}", std::process::id()));
    let path = folder.join(name);
    let done = File::create(&draft).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&draft, &path)
    });
    done.map_err(at(&path))
}
