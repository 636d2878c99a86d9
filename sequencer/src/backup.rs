//! A copy of a store, made while a writer may be at work.

use std::path::Path;

use crate::batches::DIRECTORY;
use crate::error::Error;
use crate::export::publish_directory;
use crate::report::Status;
use crate::sequencer::{Access, Sequencer};

/// Copies the store in `directory` to `to`, which must not exist: what a reader sees at one moment,
/// checked like at every start. The anchor of the copy claims the last entry of the copy's log. The
/// copy is opened and checked again before it appears under its name.
///
/// # Errors
/// [`Error::Exists`], those of [`Sequencer::open`] and of the disk.
pub fn backup(directory: &Path, to: &Path) -> Result<Status, Error> {
    let sequencer = Sequencer::open(directory, Access::Read)?;
    publish_directory(to, |draft| {
        sequencer.store().copy_to(draft).map_err(|error| match error {
            Error::Damaged(_) => error.at(directory),
            error => error.at(to),
        })?;
        sequencer.export(&draft.join(DIRECTORY))?;
        let copy = Sequencer::open(draft, Access::Read)?;
        if copy.status() == sequencer.status() {
            return Ok(());
        }
        Err(Error::derived("the copy is not what was copied").at(directory))
    })?;
    Ok(sequencer.status())
}
