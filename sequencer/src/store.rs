//! The durable log and what is kept beside it: accounts after the last batch and what they hold,
//! artefacts and statements.
//!
//! SQLite with a write-ahead log flushed at each commit. The entries are the truth and are chained
//! by BLAKE3. The accounts and instruments are checked against the roots in the last seal,
//! artefacts and statements against the hashes in theirs.

use std::fs::File;
use std::path::{Path, PathBuf};

use blake3::Hash;
use rusqlite::Connection;

use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::value::units::{Holders, Time};

use crate::anchor::{Anchor, Mark};
use crate::connection::FileId;
use crate::error::Error;
use crate::event::{Entry, Event};
use crate::log::walk;
use crate::tables::{self, BatchRow};

mod contents;
mod open;
pub(crate) mod turn;

pub(crate) use self::contents::StoredBatch;
pub(crate) use self::open::find_database;

pub(crate) const DATABASE_FILE: &str = "sequencer.db";
pub(crate) const ANCHOR_FILE: &str = "anchor";
pub(crate) const LOCK_FILE: &str = "lock";

/// What a process may do with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look, beside a writer and without write access.
    Read,
    /// Change; one process at a time.
    Write,
}

/// An open store.
pub(crate) struct Store {
    connection: Connection,
    directory: PathBuf,
    anchor: Anchor,
    head: Mark,
    time: Time,
    epoch: i64,
    /// A transaction is open, or failed.
    is_writing: bool,
    /// The lock was let go since the last entry, so that the next one counts this writer anew.
    is_returning: bool,
    /// What tells the database's file from another of its name.
    file: Option<FileId>,
    /// Held by a writer until it lets go or ends; the system lets go of it whatever way that
    /// happens.
    lock: Option<File>,
}

impl Store {
    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The last entry's sequence number.
    pub fn sequence(&self) -> u64 {
        self.head.sequence
    }

    /// The hash of the whole log.
    pub fn hash(&self) -> Hash {
        self.head.hash
    }

    /// Time of the last entry whose time the rules bound. It never decreases.
    pub fn time(&self) -> Time {
        self.time
    }

    /// How often a writer has taken the store.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// The database's own check of every page.
    pub fn check_all_pages(&self) -> Result<(), Error> {
        tables::check_integrity(&self.connection, "PRAGMA integrity_check")
    }

    /// Shows every entry to `visit`, in order, after checking its hash; returns the head of the log
    /// and its time.
    pub fn walk(
        &self,
        visit: impl FnMut(&Entry) -> Result<(), Error>,
    ) -> Result<(Mark, Time), Error> {
        walk(&self.connection, Some(self.anchor.mark()), visit)
    }

    /// Starts a transaction.
    ///
    /// # Errors
    /// [`Error::Poisoned`] after a failure; [`Error::Fenced`].
    pub fn begin(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.is_writing, true) {
            return Err(Error::Poisoned);
        }
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let found = tables::stored_epoch(&self.connection)?;
        if found != self.epoch {
            self.connection.execute_batch("ROLLBACK")?;
            return Err(Error::Fenced { found, ours: self.epoch });
        }
        Ok(())
    }

    /// Ends the transaction; all of it is on the disk when this returns.
    pub fn commit(&mut self) -> Result<(), Error> {
        self.connection.execute_batch("COMMIT").map_err(Error::unsettled)?;
        if self.anchor.mark() != self.head {
            self.anchor.advance(self.head).map_err(Error::unsettled)?;
        }
        self.is_writing = false;
        Ok(())
    }

    /// Adds an entry within a transaction. The time of the log does not go back when the clock
    /// does. An entry whose time no rule bounds keeps the clock's time and does not move the log's.
    pub fn append(&mut self, time: Time, event: &Event) -> Result<Entry, Error> {
        self.count_turn()?;
        let mut entry = Entry::new(self.head.sequence + 1, time, event);
        if entry.is_bounded_in_time() {
            entry.time = time.max(self.time);
            self.time = entry.time;
        }
        let hash = entry.chained(&self.head.hash);
        tables::put_entry(&self.connection, &entry, &hash).map_err(Error::unsettled)?;
        self.head = Mark { sequence: entry.sequence, hash };
        Ok(entry)
    }

    /// Keeps the accounts and instruments a batch changed and what it produced, within the
    /// transaction of its seal.
    pub fn put_batch(
        &mut self,
        trace: &BatchTrace,
        artefact: &[u8],
        statement: &[u8],
    ) -> Result<(), Error> {
        let (number, sequence) = (trace.number, self.head.sequence);
        let row = BatchRow { number, sequence, artefact, statement };
        let put = || {
            tables::put_batch(&self.connection, &row)?;
            for row in &trace.accounts {
                tables::put_account(&self.connection, row.index, &row.new)?;
            }
            for row in &trace.instruments {
                let is_held = row.new_holders != Holders::MIN;
                let spec = is_held.then_some(&row.risk.spec);
                tables::put_spec(&self.connection, row.risk.instrument, spec)?;
            }
            Ok(())
        };
        put().map_err(|error: Error| Error::unsettled(error))
    }
}
