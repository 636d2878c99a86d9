//! The durable log and what is kept beside it: accounts after the last batch and what they hold, artefacts and statements.
//!
//! SQLite with a write-ahead log flushed at each commit. The entries are the truth and are chained by BLAKE3; the
//! accounts and instruments are checked against the roots in the last seal, artefacts and statements against the hashes in theirs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use blake3::Hash;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use zkmargin_protocol::Reject;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::batch::BatchTrace;
use zkmargin_protocol::instrument::InstrumentSpec;
use zkmargin_protocol::state::Snapshot;
use zkmargin_protocol::units::{AccountIndex, Holders, InstrumentIndex, Time};

use crate::anchor::{Anchor, Mark};
use crate::error::Error;
use crate::event::{Entry, Event};
use crate::export;

mod turn;

/// Format of the store; a program refuses every other.
const FORMAT: i64 = 2;
/// "zkms", in the database's header.
const APPLICATION: i64 = 0x7a6b_6d73;
/// How long a commit waits for another connection to let go of the database.
const BUSY_WAIT: Duration = Duration::from_secs(5);

const DATABASE_FILE: &str = "sequencer.db";
const ANCHOR_FILE: &str = "anchor";
const LOCK_FILE: &str = "lock";

/// In the order of their names. STRICT: a value of another type is damage.
const TABLES: [&str; 5] = [
    "CREATE TABLE accounts (account INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT",
    "CREATE TABLE batches (number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, \
     artefact BLOB NOT NULL, statement BLOB NOT NULL) STRICT",
    "CREATE TABLE events (sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, time INTEGER NOT NULL, \
     id BLOB UNIQUE, payload TEXT NOT NULL, hash BLOB NOT NULL) STRICT",
    "CREATE TABLE specs (instrument INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT",
    "CREATE TABLE writer (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL) STRICT",
];

/// What a process may do with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look, beside a writer.
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
    /// The lock was let go since the last transaction, so that the next one counts this writer anew.
    is_returning: bool,
    /// Held by a writer until it lets go or ends; the system lets go of it whatever way that happens.
    lock: Option<File>,
}

impl Store {
    /// Makes a store whose log has one entry. It appears under its name whole or not at all.
    pub fn create(directory: &Path, genesis: &Event, snapshot: &Snapshot) -> Result<(), Error> {
        if directory.exists() {
            return Err(Error::Exists(directory.to_owned()));
        }
        let parent = export::parent(directory);
        let mut name = directory.file_name().unwrap_or_default().to_owned();
        name.push(format!(".init-{}.tmp", std::process::id()));
        let draft = parent.join(name);
        export::create_private_directory(&draft)?;
        let entry = Entry::new(0, Time::MIN, genesis);
        let mark = Mark { sequence: 0, hash: entry.chained(&Hash::from_bytes([0; 32])) };
        write_first(&draft.join(DATABASE_FILE), &entry, mark, snapshot)?;
        Anchor::create(&draft.join(ANCHOR_FILE), mark)?;
        File::create_new(draft.join(LOCK_FILE)).map_err(Error::file(&draft))?;
        export::sync_directory(&draft)?;
        fs::rename(&draft, directory).map_err(Error::file(directory))?;
        export::sync_directory(&parent)
    }

    /// Opens a store, checks all of its log and shows each entry to `visit`. A writer waits for others,
    /// at most `wait`.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Held`], [`Error::Format`], [`Error::Damaged`].
    pub fn open(
        directory: &Path,
        access: Access,
        wait: Duration,
        visit: impl FnMut(&Entry) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let database = directory.join(DATABASE_FILE);
        if !database.exists() {
            return Err(Error::Missing(directory.to_owned()));
        }
        let is_writer = access == Access::Write;
        let lock = if is_writer { Some(turn::lock_within(directory, wait)?) } else { None };
        // Before the log is looked at, so that a reader does not miss what is acknowledged meanwhile.
        let anchor = Anchor::open(&directory.join(ANCHOR_FILE), is_writer)?;
        let connection = connect(&database, access)?;
        check_format(&connection)?;
        let mut store = Self {
            connection,
            directory: directory.to_owned(),
            head: anchor.mark(),
            anchor,
            time: Time::MIN,
            epoch: 0,
            is_writing: false,
            is_returning: false,
            lock,
        };
        match access {
            // One view for as long as the reader lives.
            Access::Read => {
                store.connection.execute_batch("BEGIN")?;
                store.epoch = store.stored_epoch()?;
            }
            Access::Write => store.take_over()?,
        }
        store.check_pages()?;
        (store.head, store.time) = store.walk(visit)?;
        Ok(store)
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

    /// Time of the last entry. It never decreases.
    pub fn time(&self) -> Time {
        self.time
    }

    /// How often a writer has taken the store.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Counts this writer, so that one before it, if it still runs, is refused at its next commit.
    fn take_over(&mut self) -> Result<(), Error> {
        // Not `RETURNING` in one query: a query that has its row swallows the error of the commit.
        self.connection.execute("UPDATE writer SET epoch = epoch + 1", [])?;
        self.epoch = self.stored_epoch()?;
        Ok(())
    }

    fn stored_epoch(&self) -> Result<i64, Error> {
        Ok(self.connection.query_row("SELECT epoch FROM writer", [], |row| row.get(0))?)
    }

    /// The database's own check of the tables that are relied upon, and of the index that finds repeated
    /// submissions.
    fn check_pages(&self) -> Result<(), Error> {
        for table in ["events", "accounts", "specs", "writer"] {
            self.check_integrity(&format!("PRAGMA integrity_check({table})"))?;
        }
        Ok(())
    }

    /// The database's own check of every page.
    pub fn check_all_pages(&self) -> Result<(), Error> {
        self.check_integrity("PRAGMA integrity_check")
    }

    fn check_integrity(&self, pragma: &str) -> Result<(), Error> {
        let verdict: String = self.connection.query_row(pragma, [], |row| row.get(0))?;
        if verdict == "ok" { Ok(()) } else { Err(Error::Damaged(verdict)) }
    }

    /// Shows every entry to `visit`, in order, after checking its hash; returns the head of the log and its time.
    pub fn walk(
        &self,
        mut visit: impl FnMut(&Entry) -> Result<(), Error>,
    ) -> Result<(Mark, Time), Error> {
        let sql = "SELECT sequence, kind, time, id, payload, hash FROM events ORDER BY sequence";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut hash, mut time, mut count) = (Hash::from_bytes([0; 32]), Time::MIN, 0);
        let anchor = self.anchor.mark();
        let damaged = |sequence: u64, what: &str| {
            Err(Error::Damaged(format!("entry {sequence} of the log {what}")))
        };
        while let Some(row) = rows.next()? {
            let entry = entry_of(row)?;
            let stored: [u8; 32] = row.get(5)?;
            hash = entry.chained(&hash);
            if entry.sequence != count || hash != Hash::from_bytes(stored) {
                return damaged(count, "is missing or does not match its hash");
            }
            if entry.time < time {
                return damaged(count, "is earlier than the one before");
            }
            if count == anchor.sequence && hash != anchor.hash {
                return damaged(count, "is not the one that was acknowledged");
            }
            visit(&entry)?;
            time = entry.time;
            count += 1;
        }
        if count <= anchor.sequence {
            return damaged(anchor.sequence, "was acknowledged and is gone");
        }
        Ok((Mark { sequence: count - 1, hash }, time))
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
        let found = self.stored_epoch()?;
        if found != self.epoch {
            self.connection.execute_batch("ROLLBACK")?;
            return Err(Error::Fenced { found, ours: self.epoch });
        }
        if std::mem::take(&mut self.is_returning) {
            self.connection.execute("UPDATE writer SET epoch = epoch + 1", [])?;
            self.epoch += 1;
        }
        Ok(())
    }

    /// Ends the transaction; all of it is on the disk when this returns.
    pub fn commit(&mut self) -> Result<(), Error> {
        self.connection.execute_batch("COMMIT")?;
        if self.anchor.mark() != self.head {
            self.anchor.advance(self.head)?;
        }
        self.is_writing = false;
        Ok(())
    }

    /// Adds an entry within a transaction. The time of the log does not go back when the clock does.
    pub fn append(&mut self, time: Time, event: &Event) -> Result<Entry, Error> {
        let entry = Entry::new(self.head.sequence + 1, time.max(self.time), event);
        let hash = entry.chained(&self.head.hash);
        insert(&self.connection, &entry, &hash)?;
        self.head = Mark { sequence: entry.sequence, hash };
        self.time = entry.time;
        Ok(entry)
    }

    /// The entry of a submission.
    pub fn find(&self, id: &Hash) -> Result<Option<Entry>, Error> {
        let sql = "SELECT sequence, kind, time, id, payload FROM events WHERE id = ?1";
        self.entry(sql, params![id.as_bytes()])
    }

    fn entry(&self, sql: &str, values: impl rusqlite::Params) -> Result<Option<Entry>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        rows.next()?.map(entry_of).transpose()
    }

    /// Keeps the accounts and instruments a batch changed and what it produced, within the transaction of its seal.
    pub fn put_batch(
        &mut self,
        trace: &BatchTrace,
        artefact: &[u8],
        statement: &[u8],
    ) -> Result<(), Error> {
        let sql =
            "INSERT INTO batches (number, sequence, artefact, statement) VALUES (?1, ?2, ?3, ?4)";
        let sequence = signed(self.head.sequence);
        self.connection
            .execute(sql, params![signed(trace.number), sequence, artefact, statement])?;
        for row in &trace.accounts {
            put_account(&self.connection, row.index, &row.new)?;
        }
        for row in &trace.instruments {
            let is_held = row.new_holders != Holders::MIN;
            put_spec(&self.connection, row.risk.instrument, is_held.then_some(&row.risk.spec))?;
        }
        Ok(())
    }

    /// A batch with the entry that sealed it.
    pub fn batch(&self, number: u64) -> Result<Option<StoredBatch>, Error> {
        let sql = "SELECT sequence, artefact, statement FROM batches WHERE number = ?1";
        let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let mut query = self.connection.prepare_cached(sql)?;
        let found: Option<(i64, _, _)> = query.query_row([signed(number)], columns).optional()?;
        let Some((sequence, artefact, statement)) = found else { return Ok(None) };
        let sql = "SELECT sequence, kind, time, id, payload FROM events WHERE sequence = ?1";
        let seal = self.entry(sql, [sequence])?;
        let missing = || Error::Damaged(format!("batch {number} has no seal"));
        Ok(Some(StoredBatch { artefact, statement, seal: seal.ok_or_else(missing)? }))
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
        self.contents("account", "SELECT account, content FROM accounts")
    }

    /// What the instruments they hold are.
    pub fn specs(&self) -> Result<BTreeMap<InstrumentIndex, InstrumentSpec>, Error> {
        self.contents("instrument", "SELECT instrument, content FROM specs")
    }

    /// What a query finds, by index.
    fn contents<I, T>(&self, what: &str, sql: &str) -> Result<BTreeMap<I, T>, Error>
    where
        I: Ord + TryFrom<i128, Error = Reject>,
        T: DeserializeOwned,
    {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut contents = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (index, content): (i64, String) = (row.get(0)?, row.get(1)?);
            let damaged = |error: String| Error::Damaged(format!("{what} {index}: {error}"));
            let number = I::try_from(index.into());
            let number = number.map_err(|reject| damaged(reject.to_string()))?;
            let content = serde_json::from_str(&content);
            contents.insert(number, content.map_err(|error| damaged(error.to_string()))?);
        }
        Ok(contents)
    }
}

/// Takes the lock that keeps a second writer out.
fn lock(path: &Path) -> Result<File, Error> {
    let file = File::open(path).map_err(Error::input(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::Held(path.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(Error::input(path)(source)),
    }
}

fn connect(path: &Path, access: Access) -> Result<Connection, Error> {
    let mode = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; \
         PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL;",
    )?;
    Ok(())
}

/// The database is one of ours, of the format known, with our tables, and in the durable mode.
fn check_format(connection: &Connection) -> Result<(), Error> {
    let number = |pragma: &str| -> Result<i64, Error> {
        Ok(connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?)
    };
    if number("application_id")? != APPLICATION {
        return Err(Error::Damaged("the database is not a sequencer's".to_owned()));
    }
    let found = number("user_version")?;
    if found != FORMAT {
        return Err(Error::Format { found, known: FORMAT });
    }
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let tables: Vec<String> =
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if tables != TABLES || mode != "wal" || number("synchronous")? != 2 {
        return Err(Error::Damaged("tables or mode of the database are not ours".to_owned()));
    }
    Ok(())
}

/// Writes a new database; closing it leaves everything in its one file.
fn write_first(path: &Path, entry: &Entry, mark: Mark, snapshot: &Snapshot) -> Result<(), Error> {
    let connection = Connection::open(path)?;
    configure(&connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    for table in TABLES {
        connection.execute_batch(table)?;
    }
    connection.execute("INSERT INTO writer (one, epoch) VALUES (1, 0)", [])?;
    insert(&connection, entry, &mark.hash)?;
    for (&index, account) in &snapshot.accounts {
        put_account(&connection, index, account)?;
    }
    for (&index, spec) in &snapshot.specs {
        put_spec(&connection, index, Some(spec))?;
    }
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn insert(connection: &Connection, entry: &Entry, hash: &Hash) -> Result<(), Error> {
    let sql = "INSERT INTO events (sequence, kind, time, id, payload, hash) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        signed(entry.sequence),
        entry.kind,
        signed(entry.time.get()),
        entry.id.as_ref().map(Hash::as_bytes),
        entry.payload,
        hash.as_bytes(),
    ])?;
    Ok(())
}

fn put_account(
    connection: &Connection,
    index: AccountIndex,
    account: &Account,
) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO accounts (account, content) VALUES (?1, ?2)";
    let content = serde_json::to_string(account).expect("accounts have string keys only");
    connection.prepare_cached(sql)?.execute(params![index.get(), content])?;
    Ok(())
}

/// Keeps what an instrument is while it is held.
fn put_spec(
    connection: &Connection,
    index: InstrumentIndex,
    spec: Option<&InstrumentSpec>,
) -> Result<(), Error> {
    let Some(spec) = spec else {
        let sql = "DELETE FROM specs WHERE instrument = ?1";
        connection.prepare_cached(sql)?.execute([index.get()])?;
        return Ok(());
    };
    let sql = "INSERT OR REPLACE INTO specs (instrument, content) VALUES (?1, ?2)";
    let content = serde_json::to_string(spec).expect("specifications have string keys only");
    connection.prepare_cached(sql)?.execute(params![index.get(), content])?;
    Ok(())
}

fn entry_of(row: &Row<'_>) -> Result<Entry, Error> {
    let time = unsigned(row.get(2)?, "time")?;
    let id: Option<[u8; 32]> = row.get(3)?;
    Ok(Entry {
        sequence: unsigned(row.get(0)?, "sequence number")?,
        kind: row.get(1)?,
        time: Time::new(time).map_err(|reject| Error::Damaged(reject.to_string()))?,
        id: id.map(Hash::from_bytes),
        payload: row.get(4)?,
    })
}

/// Numbers of entries and batches count things that were written one by one; they do not reach 2^63.
fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("a count of things written fits 63 bits")
}

fn unsigned(number: i64, what: &str) -> Result<u64, Error> {
    u64::try_from(number).map_err(|_| Error::Damaged(format!("{what} is {number}")))
}
