//! The file of a run: a line of JSON for each part done. A part that stands there is not run again.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use thiserror::Error;

use crate::run::{Outcome, Part};
use crate::tally::Tally;

/// Why a record cannot be used.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The file cannot be read or written.
    #[error("record: {0}")]
    File(#[from] std::io::Error),
    /// A line is no outcome.
    #[error("record, line {line}: {error}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        error: serde_json::Error,
    },
}

/// Parts done, with their file if there is one.
#[derive(Debug, Default)]
pub struct Record {
    file: Option<File>,
    outcomes: Vec<Outcome>,
}

impl Record {
    /// The record in `path`, which is made if there is none.
    ///
    /// # Errors
    /// [`RecordError`] for a file that cannot be used, or a line that is no outcome: one cut short is to be deleted by hand.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let mut text = String::new();
        match File::open(path) {
            Ok(mut file) => _ = file.read_to_string(&mut text)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let read = |(k, line)| {
            serde_json::from_str(line).map_err(|error| RecordError::Line { line: k + 1, error })
        };
        let outcomes = text.lines().enumerate().map(read).collect::<Result<_, _>>()?;
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        Ok(Self { file: Some(file), outcomes })
    }

    /// Whether a part is done.
    pub fn has(&self, part: &Part) -> bool {
        self.outcomes.iter().any(|outcome| outcome.part == *part)
    }

    /// Adds what came of a part.
    ///
    /// # Errors
    /// [`RecordError::File`] if it cannot be written.
    pub fn add(&mut self, outcome: Outcome) -> Result<(), RecordError> {
        if let Some(file) = &mut self.file {
            let line = serde_json::to_string(&outcome).map_err(std::io::Error::from)?;
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_data()?;
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
