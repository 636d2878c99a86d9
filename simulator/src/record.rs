//! The file of a run: a line of JSON for each part done. A part that stands there is not run again.
//!
//! A line is flushed to the disk before the next part starts, so a crash loses at most the part
//! that was running. What a crash may leave is a last line without its end. Such a line is dropped
//! when the file is opened again, and its part runs again. Everything else that is no outcome is
//! refused with its line, and the file stays as it is.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
use zkmargin_host::{FileError, file};

use crate::run::{Outcome, Part};
use crate::tally::Tally;

/// Greatest size of a record: some 20,000 outcomes.
const BYTES_MAX: u64 = 1 << 26;
/// What every line begins with.
const START: &[u8] = b"{\"part\":{";

/// Why a record cannot be used.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The file cannot be read or written.
    #[error("record {0}")]
    File(#[from] FileError),
    /// Another run has the file open.
    #[error("record {}: another run is using it; give each run a record of its own", .0.display())]
    InUse(PathBuf),
    /// A line is no outcome.
    #[error(
        "record {}, line {line}: {what}; remove the line if the file is a record, and its part \
         runs again",
        path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// Parts done, with their file if there is one.
#[derive(Debug, Default)]
pub struct Record {
    file: Option<(File, PathBuf)>,
    outcomes: Vec<Outcome>,
    /// Bytes of a last line without its end that were dropped.
    dropped: u64,
}

impl Record {
    /// The record in `path`, which is made if there is none. No other run can open it until this
    /// value is dropped.
    ///
    /// # Errors
    /// [`RecordError`] for a file that cannot be used, is in use, or holds a line that is no
    /// outcome.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let is_new = !path.exists();
        let at = || FileError::at(path);
        let mut options = OpenOptions::new();
        let mut file = options.create(true).read(true).append(true).open(path).map_err(at())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RecordError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(at()(error).into()),
        }
        if !file.metadata().map_err(at())?.is_file() {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
            return Err(at()(error).into());
        }
        let bytes = bounded(&mut file, path)?;
        let Content { outcomes, length, is_ended } = parse(&bytes, path)?;
        let dropped = bytes.len() as u64 - length as u64;
        let mut mend = || {
            if dropped > 0 {
                file.set_len(length as u64)?;
            }
            if !is_ended {
                file.write_all(b"\n")?;
            }
            file.sync_all()?;
            if is_new { file::flush_name(path) } else { Ok(()) }
        };
        mend().map_err(at())?;
        Ok(Self { file: Some((file, path.to_owned())), outcomes, dropped })
    }

    /// Bytes of a last line without its end that were dropped when the file was opened.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether a part is done.
    pub fn has(&self, part: &Part) -> bool {
        self.outcomes.iter().any(|outcome| outcome.part == *part)
    }

    /// Adds what came of a part, on the disk when this returns.
    ///
    /// # Errors
    /// [`RecordError::File`] if it cannot be written.
    pub fn add(&mut self, outcome: Outcome) -> Result<(), RecordError> {
        if let Some((file, path)) = &mut self.file {
            let mut write = || {
                let line = serde_json::to_string(&outcome)?;
                file.write_all(format!("{line}\n").as_bytes())?;
                file.sync_data()
            };
            write().map_err(FileError::at(path))?;
        }
        self.outcomes.push(outcome);
        Ok(())
    }

    /// The parts done.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The counts of all parts.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.outcomes.iter().for_each(|outcome| total.add(&outcome.tally));
        total
    }
}

/// The bytes of a file that is open; a larger one than a record is refused.
fn bounded(file: &mut File, path: &Path) -> Result<Vec<u8>, RecordError> {
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(FileError::at(path))?;
    if bytes.len() as u64 > BYTES_MAX {
        let what = format!("more than {BYTES_MAX} bytes, which no record has");
        let error = io::Error::new(io::ErrorKind::FileTooLarge, what);
        return Err(FileError::at(path)(error).into());
    }
    Ok(bytes)
}

/// What a record holds.
struct Content {
    outcomes: Vec<Outcome>,
    /// Bytes of the lines that are outcomes.
    length: usize,
    /// Whether the last of them has its end.
    is_ended: bool,
}

fn parse(bytes: &[u8], path: &Path) -> Result<Content, RecordError> {
    let mut content = Content { outcomes: Vec::new(), length: 0, is_ended: true };
    for (place, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let refuse = |what| RecordError::Line { path: path.to_owned(), line: place + 1, what };
        content.is_ended = line.ends_with(b"\n");
        match serde_json::from_slice::<Outcome>(line) {
            Ok(outcome) => {
                outcome.check_counts().map_err(refuse)?;
                insert(&mut content.outcomes, outcome).map_err(refuse)?;
                content.length += line.len();
            }
            // Only the last line has no end.
            Err(_) if !content.is_ended && is_torn(line) => content.is_ended = true,
            Err(error) => return Err(refuse(format!("this is no outcome: {error}"))),
        }
    }
    Ok(content)
}

/// Whether a line without its end is the beginning of an outcome. A crash may leave zeros where the
/// rest was to come.
fn is_torn(line: &[u8]) -> bool {
    let zeros = line.iter().rev().take_while(|&&byte| byte == 0).count();
    let text = &line[..line.len() - zeros];
    let shared = text.len().min(START.len());
    let is_cut =
        serde_json::from_slice::<Outcome>(text).map_or_else(|error| error.is_eof(), |_| true);
    text[..shared] == START[..shared] && is_cut
}

/// Adds an outcome. Records are joined by `cat`, so a part may be there twice; it counts once, and
/// its outcome is the same.
fn insert(outcomes: &mut Vec<Outcome>, outcome: Outcome) -> Result<(), String> {
    match outcomes.iter().find(|known| known.part == outcome.part) {
        None => outcomes.push(outcome),
        Some(known) if *known == outcome => {}
        Some(_) => {
            return Err(format!("an earlier line has another outcome of {:?}", outcome.part));
        }
    }
    Ok(())
}
