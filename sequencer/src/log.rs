//! The walk along the log that shows whether it is whole.

use blake3::Hash;
use rusqlite::Connection;

use zkmargin_protocol::units::Time;

use crate::anchor::Mark;
use crate::error::Error;
use crate::event::Entry;
use crate::tables::{ENTRY_COLUMNS, entry_of};

/// Shows every entry of a log to `visit`, in order, after checking its hash. Returns the head of
/// the log and its time. A log that ends before `anchor`, or has another entry there, is damaged.
pub(crate) fn walk(
    connection: &Connection,
    anchor: Option<Mark>,
    mut visit: impl FnMut(&Entry) -> Result<(), Error>,
) -> Result<(Mark, Time), Error> {
    let damaged = |sequence: u64, what: &str| {
        Err(Error::broken_log(format!("entry {sequence} of the log {what}")))
    };
    let sql = format!("SELECT {ENTRY_COLUMNS}, hash FROM events ORDER BY sequence");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let (mut hash, mut time, mut count) = (Hash::from_bytes([0; 32]), Time::MIN, 0);
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) => return Err(unreadable(count, error.into())),
        };
        let entry = entry_of(row).map_err(|error| unreadable(count, error))?;
        let stored: [u8; 32] = row.get(5).map_err(|error| unreadable(count, error.into()))?;
        hash = entry.chained(&hash);
        if entry.sequence != count || hash != Hash::from_bytes(stored) {
            return damaged(count, "is missing or does not match its hash");
        }
        if entry.is_bounded_in_time() {
            if entry.time < time {
                return damaged(count, "is earlier than one before");
            }
            time = entry.time;
        }
        if anchor.is_some_and(|anchor| count == anchor.sequence && hash != anchor.hash) {
            return damaged(count, "is not the one that was acknowledged");
        }
        visit(&entry)?;
        count += 1;
    }
    match anchor {
        Some(anchor) if count <= anchor.sequence => {
            let last = anchor.sequence;
            damaged(count, &format!("was acknowledged and is gone, with all up to entry {last}"))
        }
        _ if count == 0 => damaged(0, "is gone: the log is empty"),
        _ => Ok((Mark { sequence: count - 1, hash }, time)),
    }
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
