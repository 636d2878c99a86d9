//! The walk along the log that shows whether it is whole.

use blake3::Hash;
use rusqlite::{Connection, OptionalExtension};

use zkmargin_protocol::value::units::Time;

use crate::anchor::Mark;
use crate::error::Error;
use crate::event::Entry;
use crate::tables::{ENTRY_COLUMNS, entry_of, signed};

/// Shows every entry of a log to `visit`, in order, after checking its hash. Returns the head of
/// the log and its time. A log that ends before `anchor`, or has another entry there, is damaged.
pub(crate) fn walk(
    connection: &Connection,
    anchor: Option<Mark>,
    visit: impl FnMut(&Entry) -> Result<(), Error>,
) -> Result<(Mark, Time), Error> {
    let begin = Place { count: 0, hash: Hash::from_bytes([0; 32]), time: Time::MIN };
    let end = begin.advance(connection, "", anchor, visit)?;
    match anchor {
        Some(anchor) if end.count <= anchor.sequence => Err(cut(end.count, anchor)),
        _ if end.count == 0 => Err(damaged(0, "is gone: the log is empty")),
        _ => Ok((Mark { sequence: end.count - 1, hash: end.hash }, end.time)),
    }
}

/// Shows `visit` what was added to a log behind its `known` head and time, checked as by [`walk`],
/// and returns the head and time now. A log that no longer has that head is damaged.
pub(crate) fn follow(
    connection: &Connection,
    known: Mark,
    time: Time,
    anchor: Mark,
    visit: impl FnMut(&Entry) -> Result<(), Error>,
) -> Result<(Mark, Time), Error> {
    let Mark { sequence, hash } = known;
    let sql = "SELECT hash FROM events WHERE sequence = ?1";
    let stored = connection.query_row(sql, [signed(sequence)], |row| row.get(0)).optional();
    let stored: Option<[u8; 32]> = stored?;
    let is_known = |stored: [u8; 32]| hash == Hash::from_bytes(stored);
    if !stored.is_some_and(is_known) || (anchor.sequence == sequence && anchor.hash != hash) {
        return Err(damaged(sequence, "is gone or another than before"));
    }
    let condition = format!("WHERE sequence > {sequence}");
    let begin = Place { count: sequence + 1, hash, time };
    let end = begin.advance(connection, &condition, Some(anchor), visit)?;
    if end.count <= anchor.sequence {
        return Err(cut(end.count, anchor));
    }
    Ok((Mark { sequence: end.count - 1, hash: end.hash }, end.time))
}

/// A place in a log: entries before it, their hash, their time.
struct Place {
    count: u64,
    hash: Hash,
    time: Time,
}

impl Place {
    /// The end of the log, after checking the entries on the way, which `condition` selects.
    fn advance(
        self,
        connection: &Connection,
        condition: &str,
        anchor: Option<Mark>,
        mut visit: impl FnMut(&Entry) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let Self { mut count, mut hash, mut time } = self;
        let sql = format!("SELECT {ENTRY_COLUMNS}, hash FROM events {condition} ORDER BY sequence");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(Self { count, hash, time }),
                Err(error) => return Err(unreadable(count, error.into())),
            };
            let entry = entry_of(row).map_err(|error| unreadable(count, error))?;
            let stored: [u8; 32] = row.get(5).map_err(|error| unreadable(count, error.into()))?;
            hash = entry.chained(&hash);
            if entry.sequence != count || hash != Hash::from_bytes(stored) {
                return Err(damaged(count, "is missing or does not match its hash"));
            }
            if entry.is_bounded_in_time() {
                if entry.time < time {
                    return Err(damaged(count, "is earlier than one before"));
                }
                time = entry.time;
            }
            if anchor.is_some_and(|anchor| count == anchor.sequence && hash != anchor.hash) {
                return Err(damaged(count, "is not the one that was acknowledged"));
            }
            visit(&entry)?;
            count += 1;
        }
    }
}

fn damaged(sequence: u64, what: &str) -> Error {
    Error::broken_log(format!("entry {sequence} of the log {what}"))
}

/// The log ends before entry `first`, and `anchor` is not before that.
fn cut(first: u64, anchor: Mark) -> Error {
    let last = anchor.sequence;
    damaged(first, &format!("was acknowledged and is gone, with all up to entry {last}"))
}

/// An entry that cannot be read, if the error says that it is damaged.
fn unreadable(sequence: u64, error: Error) -> Error {
    match error {
        Error::Damaged(damage) => {
            let what = damage.what();
            Error::broken_log(format!("entry {sequence} of the log cannot be read: {what}"))
        }
        error => error,
    }
}
