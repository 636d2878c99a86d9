//! The durable log and what is kept beside it: accounts after the last batch and what they hold,
//! artefacts and statements.
//!
//! SQLite with a write-ahead log flushed at each commit. The entries are the truth and are chained
//! by BLAKE3. The accounts and instruments are checked against the roots in the last seal,
//! artefacts and statements against the hashes in theirs.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blake3::Hash;
use rusqlite::{Connection, OptionalExtension, Row, params};

use zkmargin_host::file;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::Snapshot;
use zkmargin_protocol::market::SignedRiskTable;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::value::units::{AccountIndex, Holders, InstrumentIndex, Time};

use crate::anchor::{Anchor, Mark};
use crate::connection::{self, FileId, Stamp};
use crate::error::Error;
use crate::event::{Entry, Event};
use crate::export;
use crate::log::walk;
use crate::tables::{self, BatchRow, ENTRY_COLUMNS, entry_of, signed, unsigned};

pub(crate) mod turn;

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

/// A batch as it is stored.
pub(crate) struct StoredBatch {
    pub artefact: Vec<u8>,
    pub statement: Vec<u8>,
    pub seal: Entry,
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
    /// Makes a store whose log has one entry. It appears under its name whole or not at all.
    pub fn create(directory: &Path, genesis: &Event, snapshot: &Snapshot) -> Result<(), Error> {
        export::publish_directory(directory, |draft| {
            let entry = Entry::new(0, Time::MIN, genesis);
            let mark = Mark { sequence: 0, hash: entry.chained(&Hash::from_bytes([0; 32])) };
            tables::write_database(&draft.join(DATABASE_FILE), 0, |database| {
                tables::put_entry(database, &entry, &mark.hash)?;
                tables::put_holdings(database, &snapshot.accounts, &snapshot.specs)
            })
            .map_err(|error| error.at(directory))?;
            finish_directory(draft, mark)
        })
    }

    /// Writes what this reader sees as a new store, to `draft`.
    pub fn copy_to(&self, draft: &Path) -> Result<(), Error> {
        tables::write_database(&draft.join(DATABASE_FILE), self.epoch, |database| {
            let sql = "SELECT sequence, kind, time, id, payload, hash FROM events";
            tables::copy_rows(&self.connection, database, "events", sql)?;
            let mut derived = tables::DERIVED.iter();
            derived.try_for_each(|(table, sql)| {
                tables::copy_rows(&self.connection, database, table, sql)
            })
        })?;
        finish_directory(draft, self.head)
    }

    /// Opens a store, checks all of its log and shows each entry to `visit`. A writer waits for
    /// others, at most `wait`.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Held`], [`Error::Format`], [`Error::Damaged`],
    /// [`Error::Moved`].
    pub fn open(
        directory: &Path,
        access: Access,
        wait: Duration,
        visit: impl FnMut(&Entry) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let database = find_database(directory)?;
        match access {
            Access::Read => Self::open_for_reading(directory, &database, visit),
            Access::Write => Self::open_for_writing(directory, &database, wait, visit),
        }
    }

    fn open_for_reading(
        directory: &Path,
        database: &Path,
        visit: impl FnMut(&Entry) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        // Before the log is looked at, so that a reader does not miss what is acknowledged
        // meanwhile.
        let anchor = Anchor::open(&directory.join(ANCHOR_FILE), false)?;
        let stamp = Stamp::of(database);
        let reader = connection::reader(database)?;
        let (is_shared, is_mode_known) = (reader.is_shared, reader.is_mode_known);
        let mut store = Self::new(directory, reader.connection, anchor, None);
        store.check(is_mode_known, visit).map_err(|error| {
            let is_moved = !is_shared && Stamp::of(database) != stamp;
            if is_moved { Error::Moved(directory.to_owned()) } else { error }
        })?;
        Ok(store)
    }

    fn open_for_writing(
        directory: &Path,
        database: &Path,
        wait: Duration,
        visit: impl FnMut(&Entry) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let lock = turn::lock_within(directory, wait)?;
        let anchor = Anchor::open(&directory.join(ANCHOR_FILE), true)?;
        let connection = connection::writer(database)?;
        let mut store = Self::new(directory, connection, anchor, Some(lock));
        // Nothing is written to a store that is not whole: what is left of it may be needed.
        store.connection.execute_batch("BEGIN")?;
        store.check(true, visit)?;
        store.connection.execute_batch("COMMIT")?;
        store.take_over()?;
        connection::settle(&store.connection)?;
        Ok(store)
    }

    fn new(directory: &Path, connection: Connection, anchor: Anchor, lock: Option<File>) -> Self {
        let (directory, head) = (directory.to_owned(), anchor.mark());
        let (time, epoch) = (Time::MIN, 0);
        let [is_writing, is_returning] = [false; 2];
        let file = FileId::of(&directory.join(DATABASE_FILE));
        Self {
            connection,
            directory,
            anchor,
            head,
            time,
            epoch,
            is_writing,
            is_returning,
            file,
            lock,
        }
    }

    /// Checks format, pages and log.
    fn check(
        &mut self,
        is_mode_known: bool,
        visit: impl FnMut(&Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        connection::check_header(&self.directory.join(DATABASE_FILE))?;
        tables::check_format(&self.connection, is_mode_known)?;
        self.epoch = tables::stored_epoch(&self.connection)?;
        // The index that finds repeated submissions is among what is checked.
        for table in ["events", "accounts", "specs", "writer"] {
            let pragma = format!("PRAGMA integrity_check({table})");
            tables::check_integrity(&self.connection, &pragma)?;
        }
        (self.head, self.time) = self.walk(visit)?;
        Ok(())
    }

    /// Counts this writer, so that one before it, if it still runs, is refused at its next commit.
    fn take_over(&mut self) -> Result<(), Error> {
        // Not `RETURNING` in one query: a query that has its row swallows the error of the commit.
        let counted = self.connection.execute("UPDATE writer SET epoch = epoch + 1", []);
        counted.map_err(Error::first_write)?;
        let ours = tables::stored_epoch(&self.connection)?;
        let sql = "SELECT max(sequence) FROM events";
        let last: i64 = self.connection.query_row(sql, [], |row| row.get(0))?;
        // Where the lock does not work, one before may have written since the log was checked.
        if last != signed(self.head.sequence) {
            return Err(Error::Fenced { found: ours, ours: self.epoch });
        }
        self.epoch = ours;
        Ok(())
    }

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

    /// The entry of a submission.
    pub fn find(&self, id: &Hash) -> Result<Option<Entry>, Error> {
        self.entry("id = ?1", params![id.as_bytes()])
    }

    fn entry(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Option<Entry>, Error> {
        let sql = format!("SELECT {ENTRY_COLUMNS} FROM events WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(values)?;
        rows.next()?.map(entry_of).transpose()
    }

    /// The table of `epoch`, if it was taken, with its place in the log.
    pub fn taken_table(&self, epoch: u64) -> Result<Option<(u64, SignedRiskTable)>, Error> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM events WHERE kind = 'oracle' ORDER BY sequence DESC"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let entry = entry_of(row)?;
            let table = entry.table()?;
            // Epochs rise along the log.
            let found = table.attestation.message.epoch;
            if found <= epoch {
                return Ok((found == epoch).then_some((entry.sequence, table)));
            }
        }
        Ok(None)
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

    /// A batch with the entry that sealed it.
    pub fn batch(&self, number: u64) -> Result<Option<StoredBatch>, Error> {
        let sql = "SELECT sequence, artefact, statement FROM batches WHERE number = ?1";
        let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let mut query = self.connection.prepare_cached(sql)?;
        let found: Option<(i64, _, _)> = query.query_row([signed(number)], columns).optional()?;
        let Some((sequence, artefact, statement)) = found else { return Ok(None) };
        let seal = self.entry("sequence = ?1", [sequence])?;
        let missing = || Error::derived(format!("batch {number} has no seal"));
        Ok(Some(StoredBatch { artefact, statement, seal: seal.ok_or_else(missing)? }))
    }

    /// How many batches are stored.
    pub fn batch_count(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM batches";
        unsigned(self.connection.query_row(sql, [], |row| row.get(0))?, "count of batches")
    }

    /// The number of the batch which holds the entry; `None` while it is pending.
    pub fn batch_of(&self, sequence: u64) -> Result<Option<u64>, Error> {
        let sql = "SELECT min(number) FROM batches WHERE sequence > ?1";
        let mut query = self.connection.prepare_cached(sql)?;
        let number: Option<i64> = query.query_row([signed(sequence)], |row| row.get(0))?;
        number.map(|number| unsigned(number, "number of a batch")).transpose()
    }

    /// The accounts after the last batch.
    pub fn accounts(&self) -> Result<BTreeMap<AccountIndex, Account>, Error> {
        tables::contents(&self.connection, "account", "SELECT account, content FROM accounts")
    }

    /// What the instruments they hold are.
    pub fn specs(&self) -> Result<BTreeMap<InstrumentIndex, InstrumentSpec>, Error> {
        let sql = "SELECT instrument, content FROM specs";
        tables::contents(&self.connection, "instrument", sql)
    }
}

/// The database of a store.
pub(crate) fn find_database(directory: &Path) -> Result<PathBuf, Error> {
    let database = directory.join(DATABASE_FILE);
    match database.try_exists() {
        Ok(true) => Ok(database),
        Ok(false) if directory.join(ANCHOR_FILE).exists() => {
            Err(Error::broken_log(format!("its file `{DATABASE_FILE}`, the log, is gone")))
        }
        Ok(false) => Err(Error::Missing(directory.to_owned())),
        Err(error) => Err(Error::input(&database)(error)),
    }
}

/// Adds to a new database what else a store has.
fn finish_directory(draft: &Path, mark: Mark) -> Result<(), Error> {
    Anchor::write(&draft.join(ANCHOR_FILE), mark)?;
    Ok(file::write(&draft.join(LOCK_FILE), b"")?)
}
