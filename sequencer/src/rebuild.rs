//! Makes again, from the log, everything of a store that follows from it.
//!
//! A new database is written beside the old one, filled from the log under the rules, and takes the
//! old one's place in one step. Then come the anchor and the files of batches. A process that ends
//! on the way leaves either database, each whole; the next run does the rest.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde::Serialize;

use crate::anchor::{Anchor, Mark};
use crate::connection;
use crate::error::Error;
use crate::export::{self, database_files};
use crate::log::walk;
use crate::replay::{Ended, Replay};
use crate::sequencer::{Access, Sequencer};
use crate::store::turn::{lock_within, until};
use crate::store::{ANCHOR_FILE, DATABASE_FILE, LOCK_FILE, find_database};
use crate::tables::{self, BatchRow};

/// The new database, until it takes the place of the old one.
const DRAFT_FILE: &str = "sequencer.db.draft";

/// What a rebuild found and did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Entries of the log.
    pub entries: u64,
    /// Hash of the whole log, 64 hexadecimal digits.
    pub log: String,
    /// Batches.
    pub batches: u64,
    /// What was not as the log says and is now: tables, files.
    pub rebuilt: Vec<String>,
    /// The last entry that the anchor showed to be acknowledged; absent where the anchor was lost.
    pub acknowledged: Option<u64>,
    /// What could not be made again.
    pub lost: Vec<String>,
}

/// Makes the store in `directory` whole, as far as its log tells.
///
/// # Errors
/// [`Error::Damaged`] if the log is damaged, naming the first entry that is, or ends before what
/// was acknowledged; if the anchor is lost, unless `without_anchor`. The store is then as it was.
/// [`Error::Held`] while another process has it open, for longer than `wait`.
pub fn rebuild(directory: &Path, without_anchor: bool, wait: Duration) -> Result<Rebuilt, Error> {
    let rebuilt = rebuild_unnamed(directory, without_anchor, wait);
    rebuilt.map_err(|error| error.beyond_rebuild().at(directory))
}

fn rebuild_unnamed(
    directory: &Path,
    without_anchor: bool,
    wait: Duration,
) -> Result<Rebuilt, Error> {
    let start = Instant::now();
    let database = find_database(directory)?;
    let mut rebuilt = Vec::new();
    make_lock(&directory.join(LOCK_FILE), &mut rebuilt)?;
    let _lock = lock_within(directory, wait)?;
    let anchor = match Anchor::open(&directory.join(ANCHOR_FILE), false) {
        Err(Error::Damaged(_)) if without_anchor => None,
        anchor => Some(anchor?),
    };
    let draft = directory.join(DRAFT_FILE);
    remove_database(&draft)?;
    let acknowledged = anchor.as_ref().map(Anchor::mark);
    // Nobody else has the database open, with or without the lock. Until the log is shown to be
    // whole, the write-ahead log stays as it is.
    let old = until(start, wait, || connection::alone(&database))?;
    let head = replace_database(old, &database, &draft, acknowledged, &mut rebuilt);
    remove_database(&draft)?;
    let head = head?;
    if !anchor.as_ref().is_some_and(Anchor::is_whole) {
        Anchor::write(&directory.join(ANCHOR_FILE), head)?;
        rebuilt.push(ANCHOR_FILE.to_owned());
    }
    // Opening checks everything once more.
    let sequencer = Sequencer::open(directory, Access::Read)?;
    rebuilt.extend(sequencer.restore_files()?);
    let lost = match acknowledged {
        Some(_) => vec![],
        None => vec![format!(
            "the anchor: whether entries after {} were acknowledged cannot be told from this \
             store; compare with receipts or a backup",
            head.sequence
        )],
    };
    Ok(Rebuilt {
        entries: head.sequence + 1,
        log: head.hash.to_hex().to_string(),
        batches: sequencer.status().batches,
        rebuilt,
        acknowledged: acknowledged.map(|mark| mark.sequence),
        lost,
    })
}

fn make_lock(path: &Path, rebuilt: &mut Vec<String>) -> Result<(), Error> {
    if !path.exists() {
        // A link into nowhere may stand there.
        export::remove_any(path)?;
        File::create_new(path).map_err(Error::file(path))?;
        rebuilt.push(LOCK_FILE.to_owned());
    }
    Ok(())
}

fn remove_database(database: &Path) -> Result<(), Error> {
    database_files(database).iter().try_for_each(|file| export::remove_any(file))
}

/// Puts a database made from the log in the place of the old one, where it differs.
fn replace_database(
    old: Connection,
    database: &Path,
    draft: &Path,
    acknowledged: Option<Mark>,
    rebuilt: &mut Vec<String>,
) -> Result<Mark, Error> {
    tables::check_version(&old)?;
    let (head, _) = walk(&old, acknowledged, |_| Ok(()))?;
    // A store that lost its writer's row had at most this many writers that wrote.
    let epoch = tables::stored_epoch(&old);
    let next = epoch.as_ref().map_or(tables::signed(head.sequence), |epoch| *epoch) + 1;
    tables::write_database(draft, next, |new| fill(&old, new))?;
    let differing = differing_parts(&old, database, draft, epoch.is_ok())?;
    // All that the write-ahead log holds is now in the file, and nothing of it can be taken for
    // the new one's.
    connection::settle(&old)?;
    old.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    old.close().map_err(|(_, error)| error)?;
    if differing.is_empty() {
        return Ok(head);
    }
    let [_, log, index] = database_files(database);
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        let what = "its write-ahead log cannot be moved into the database";
        return Err(Error::broken_log(what));
    }
    export::remove_any(&log)?;
    export::remove_any(&index)?;
    let new = File::open(draft).and_then(|new| zkmargin_host::file::keep_owner(&new, database));
    new.map_err(Error::file(draft))?;
    fs::rename(draft, database).map_err(Error::file(database))?;
    export::sync_directory(zkmargin_host::file::parent(database))?;
    rebuilt.extend(differing);
    Ok(head)
}

/// Copies the log and adds what follows from it.
fn fill(old: &Connection, new: &Connection) -> Result<(), Error> {
    let mut replay = Replay::default();
    let mut hash = blake3::Hash::from_bytes([0; 32]);
    walk(old, None, |entry| {
        hash = entry.chained(&hash);
        tables::put_entry(new, entry, &hash)?;
        let Some(made) = replay.visit(entry)? else { return Ok(()) };
        let (number, sequence) = (made.record.number, entry.sequence);
        let (artefact, statement) = (&made.artefact, &made.statement);
        tables::put_batch(new, &BatchRow { number, sequence, artefact, statement })
    })?;
    let Ended { state, .. } = replay.finish()?;
    tables::put_holdings(new, state.accounts(), &state.open_interest().specs())
}

/// The parts of the old database that are not those of the new one.
fn differing_parts(
    old: &Connection,
    database: &Path,
    draft: &Path,
    has_writer: bool,
) -> Result<Vec<String>, Error> {
    let new = Connection::open(draft)?;
    tables::configure(&new)?;
    let mut differing = Vec::new();
    for (table, query) in tables::DERIVED {
        // What cannot be read is not as it should be.
        if !tables::has_same_rows(old, &new, query).unwrap_or(false) {
            differing.push(table.to_owned());
        }
    }
    if !has_writer {
        differing.push("writer".to_owned());
    }
    let whole = connection::check_header(database)
        .and_then(|()| tables::check_format(old, true))
        .and_then(|()| tables::check_integrity(old, "PRAGMA integrity_check"));
    if differing.is_empty() && whole.is_err() {
        differing.push(DATABASE_FILE.to_owned());
    }
    new.close().map_err(|(_, error)| error)?;
    Ok(differing)
}
