//! How a store comes to be, is copied, and is opened and checked.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blake3::Hash;
use rusqlite::Connection;

use zkmargin_host::file;
use zkmargin_protocol::ledger::state::Snapshot;
use zkmargin_protocol::value::units::Time;

use super::{ANCHOR_FILE, Access, DATABASE_FILE, LOCK_FILE, Store, turn};
use crate::anchor::{Anchor, Mark};
use crate::connection::{self, FileId, Stamp};
use crate::error::Error;
use crate::event::{Entry, Event};
use crate::export;
use crate::tables::{self, signed};

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
