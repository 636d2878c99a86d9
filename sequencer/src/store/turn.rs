//! Writers take turns. A process that waits for input lets go of the store; when it takes it again,
//! it is shown what others have written meanwhile.

use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{ANCHOR_FILE, DATABASE_FILE, LOCK_FILE, Store};
use crate::anchor::Anchor;
use crate::connection::{self, FileId};
use crate::error::Error;
use crate::event::Entry;
use crate::log;
use crate::tables;

/// How often a writer that waits looks whether it may go on.
const POLL: Duration = Duration::from_millis(5);

/// Takes the lock that keeps other writers out, within `wait`.
///
/// Whoever waits holds the directory's own lock until it has the other: a writer that lets go and
/// comes back at once stands behind it.
///
/// # Errors
/// [`Error::Held`] when others hold the store for longer.
pub(crate) fn lock_within(directory: &Path, wait: Duration) -> Result<File, Error> {
    let start = Instant::now();
    let path = directory.join(LOCK_FILE);
    let queue = File::open(directory).map_err(Error::input(directory))?;
    let enter = || match queue.try_lock() {
        Ok(()) => Ok(()),
        Err(fs::TryLockError::WouldBlock) => Err(Error::Held(path.clone())),
        Err(fs::TryLockError::Error(source)) => Err(Error::input(directory)(source)),
    };
    until(start, wait, enter)?;
    until(start, wait, || connection::lock(&path))
}

/// Tries until the store is not held, for `wait` from `start`.
pub(crate) fn until<T>(
    start: Instant,
    wait: Duration,
    attempt: impl Fn() -> Result<T, Error>,
) -> Result<T, Error> {
    loop {
        match attempt() {
            Err(Error::Held(_)) if start.elapsed() < wait => thread::sleep(POLL),
            done => return done,
        }
    }
}

impl Store {
    /// Lets other writers in. Nothing may be written until [`Store::acquire`].
    pub fn release(&mut self) {
        // Every turn that adds entries is counted, so that the count says whether somebody else
        // has.
        self.is_returning |= self.lock.take().is_some();
    }

    /// Takes the lock again, within `wait`, if it was let go.
    ///
    /// # Errors
    /// [`Error::Held`]; [`Error::Replaced`] if a backup, or another store, was put in the store's
    /// place.
    pub fn acquire(&mut self, wait: Duration) -> Result<(), Error> {
        if self.lock.is_none() {
            let lock = lock_within(&self.directory, wait)?;
            if FileId::of(&self.directory.join(DATABASE_FILE)) != self.file {
                return Err(Error::Replaced(self.directory.clone()));
            }
            self.lock = Some(lock);
        }
        Ok(())
    }

    /// Counts the turn, within its transaction, before its first entry. A turn that adds nothing is
    /// not counted: nobody need follow it.
    pub(super) fn count_turn(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.is_returning) {
            let counted = self.connection.execute("UPDATE writer SET epoch = epoch + 1", []);
            counted.map_err(Error::unsettled)?;
            self.epoch += 1;
        }
        Ok(())
    }

    /// Whether another writer has had a turn since this one let go. A writer that never did is
    /// fenced instead, by [`Store::begin`].
    pub fn is_behind(&self) -> Result<bool, Error> {
        Ok(self.is_returning && tables::stored_epoch(&self.connection)? != self.epoch)
    }

    /// Shows `visit` the entries that others have written, checked as when the store is opened.
    ///
    /// # Errors
    /// [`Error::Damaged`]; those of `visit`, after which the store must be opened anew.
    pub fn catch_up(
        &mut self,
        mut visit: impl FnMut(&Self, &Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let epoch = tables::stored_epoch(&self.connection)?;
        // An entry is acknowledged after it is in the log: the anchor is read first.
        self.anchor = Anchor::open(&self.directory.join(ANCHOR_FILE), true)?;
        let (known, time, anchor) = (self.head, self.time, self.anchor.mark());
        let (head, time) =
            log::follow(&self.connection, known, time, anchor, |entry| visit(self, entry))?;
        (self.head, self.time, self.epoch) = (head, time, epoch);
        Ok(())
    }
}
