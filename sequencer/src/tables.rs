//! The tables of the database, and their rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use blake3::Hash;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, Row, params};
use serde::de::DeserializeOwned;

use zkmargin_protocol::Reject;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::value::units::{AccountIndex, InstrumentIndex, Time};

use crate::error::Error;
use crate::event::Entry;

/// Format of the store; a program refuses every other.
pub const FORMAT: i64 = 3;
/// "zkms", in the database's header.
const APPLICATION: i64 = 0x7a6b_6d73;
/// How long a commit waits for another connection to let go of the database.
const BUSY_WAIT: Duration = Duration::from_secs(5);

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

/// The tables whose rows follow from the log, each with its query in a fixed order.
pub const DERIVED: [(&str, &str); 3] = [
    ("accounts", "SELECT account, content FROM accounts ORDER BY account"),
    ("batches", "SELECT number, sequence, artefact, statement FROM batches ORDER BY number"),
    ("specs", "SELECT instrument, content FROM specs ORDER BY instrument"),
];

/// A row of the table of batches.
pub struct BatchRow<'a> {
    pub number: u64,
    /// Place of the seal in the log.
    pub sequence: u64,
    pub artefact: &'a [u8],
    pub statement: &'a [u8],
}

pub fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; \
         PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL;",
    )
}

/// Writes a new database, filled within one transaction; all of it is in its one file afterwards.
pub fn write_database(
    path: &Path,
    epoch: i64,
    fill: impl FnOnce(&Connection) -> Result<(), Error>,
) -> Result<(), Error> {
    let connection = Connection::open(path)?;
    configure(&connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    for table in TABLES {
        connection.execute_batch(table)?;
    }
    connection.execute("INSERT INTO writer (one, epoch) VALUES (1, ?1)", [epoch])?;
    fill(&connection)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn number(connection: &Connection, pragma: &str) -> Result<i64, Error> {
    Ok(connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?)
}

/// The database has the format that this program knows.
pub fn check_version(connection: &Connection) -> Result<(), Error> {
    let found = number(connection, "user_version")?;
    if found == FORMAT {
        return Ok(());
    }
    check_application(connection)?;
    Err(Error::Format { store: Default::default(), found, known: FORMAT })
}

fn check_application(connection: &Connection) -> Result<(), Error> {
    if number(connection, "application_id")? == APPLICATION {
        return Ok(());
    }
    Err(Error::derived("the database does not say that it is a sequencer's"))
}

/// The database is one of ours, of the format known, with our tables. Its mode is checked where a
/// writer relies on it: a connection that takes the file as unchanging has none.
pub fn check_format(connection: &Connection, is_mode_known: bool) -> Result<(), Error> {
    check_application(connection)?;
    check_version(connection)?;
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let tables: Vec<String> =
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let is_durable = mode == "wal" && number(connection, "synchronous")? == 2;
    if tables != TABLES || (is_mode_known && !is_durable) {
        return Err(Error::derived("tables or mode of the database are not ours"));
    }
    Ok(())
}

/// The database's own check of its pages.
pub fn check_integrity(connection: &Connection, pragma: &str) -> Result<(), Error> {
    let verdict: String = connection.query_row(pragma, [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(Error::derived(verdict.replace('\n', "; "))) }
}

pub fn stored_epoch(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.query_row("SELECT epoch FROM writer", [], |row| row.get(0))?)
}

pub fn put_entry(connection: &Connection, entry: &Entry, hash: &Hash) -> Result<(), Error> {
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

pub fn put_batch(connection: &Connection, row: &BatchRow<'_>) -> Result<(), Error> {
    let sql = "INSERT INTO batches (number, sequence, artefact, statement) VALUES (?1, ?2, ?3, ?4)";
    let BatchRow { number, sequence, artefact, statement } = *row;
    let numbers = (signed(number), signed(sequence));
    connection.prepare_cached(sql)?.execute(params![numbers.0, numbers.1, artefact, statement])?;
    Ok(())
}

pub fn put_account(
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
pub fn put_spec(
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

/// Keeps accounts, and what the instruments they hold are.
pub fn put_holdings(
    connection: &Connection,
    accounts: &BTreeMap<AccountIndex, Account>,
    specs: &BTreeMap<InstrumentIndex, InstrumentSpec>,
) -> Result<(), Error> {
    for (&index, account) in accounts {
        put_account(connection, index, account)?;
    }
    for (&index, spec) in specs {
        put_spec(connection, index, Some(spec))?;
    }
    Ok(())
}

/// The columns that [`entry_of`] reads.
pub const ENTRY_COLUMNS: &str = "sequence, kind, time, id, payload";

pub fn entry_of(row: &Row<'_>) -> Result<Entry, Error> {
    let time = unsigned(row.get(2)?, "time of an entry")?;
    let id: Option<[u8; 32]> = row.get(3)?;
    Ok(Entry {
        sequence: unsigned(row.get(0)?, "sequence number")?,
        kind: row.get(1)?,
        time: Time::new(time).map_err(|reject| Error::derived(reject.to_string()))?,
        id: id.map(Hash::from_bytes),
        payload: row.get(4)?,
    })
}

/// What a query of an index and a content finds.
pub fn contents<I, T>(
    connection: &Connection,
    what: &str,
    sql: &str,
) -> Result<BTreeMap<I, T>, Error>
where
    I: Ord + TryFrom<i128, Error = Reject>,
    T: DeserializeOwned,
{
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut contents = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (index, content): (i64, String) = (row.get(0)?, row.get(1)?);
        let damaged = |error: String| Error::derived(format!("{what} {index}: {error}"));
        let number = I::try_from(index.into());
        let number = number.map_err(|reject| damaged(reject.to_string()))?;
        let content = serde_json::from_str(&content);
        contents.insert(number, content.map_err(|error| damaged(error.to_string()))?);
    }
    Ok(contents)
}

/// Copies what a query finds into another database.
pub fn copy_rows(
    from: &Connection,
    to: &Connection,
    table: &str,
    query: &str,
) -> Result<(), Error> {
    let mut statement = from.prepare(query)?;
    let width = statement.column_count();
    let places = vec!["?"; width].join(", ");
    let columns = statement.column_names().join(", ");
    let sql = format!("INSERT INTO {table} ({columns}) VALUES ({places})");
    let mut insert = to.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..width {
            let value = ToSqlOutput::Borrowed(row.get_ref(column)?);
            insert.raw_bind_parameter(column + 1, value)?;
        }
        insert.raw_execute()?;
    }
    Ok(())
}

/// Whether a query finds the same rows in both databases.
pub fn has_same_rows(one: &Connection, other: &Connection, query: &str) -> Result<bool, Error> {
    let (mut one, mut other) = (one.prepare(query)?, other.prepare(query)?);
    let width = one.column_count();
    let (mut one, mut other) = (one.query([])?, other.query([])?);
    loop {
        match (one.next()?, other.next()?) {
            (None, None) => return Ok(true),
            (Some(one), Some(other)) => {
                for column in 0..width {
                    if one.get_ref(column)? != other.get_ref(column)? {
                        return Ok(false);
                    }
                }
            }
            _ => return Ok(false),
        }
    }
}

/// Numbers of entries and batches count things that were written one by one; they do not reach
/// 2^63.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("a count of things written fits 63 bits")
}

pub fn unsigned(number: i64, what: &str) -> Result<u64, Error> {
    u64::try_from(number).map_err(|_| Error::derived(format!("{what} is {number}")))
}
