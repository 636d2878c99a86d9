//! The anchor: the last acknowledged entry, in a file of its own beside the database.
//!
//! After a crash the database takes its write-ahead log only up to the first frame that does not
//! check. A rotten bit or a lost file would silently shorten the log. The anchor is flushed after
//! each commit and before its answers, so a log that ends before the anchor is found out.
//!
//! Two slots of one sector each are written in turn: a torn write spoils only the slot that was not
//! yet relied upon.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use blake3::Hash;
use zkmargin_host::file;

use crate::error::Error;

const MAGIC: [u8; 8] = *b"zkmANCH1";
/// Bytes between the slots: no common sector or page.
const SLOT_STRIDE: u64 = 4096;
/// magic (8) ‖ sequence (8) ‖ log hash (32) ‖ BLAKE3 of the former (32).
const SLOT_BYTES: usize = 80;
const CONTENT_BYTES: usize = 48;

/// The place in the log up to which answers were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub sequence: u64,
    pub hash: Hash,
}

impl Mark {
    fn encoded(&self) -> [u8; SLOT_BYTES] {
        let mut slot = [0; SLOT_BYTES];
        slot[..8].copy_from_slice(&MAGIC);
        slot[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        slot[16..CONTENT_BYTES].copy_from_slice(self.hash.as_bytes());
        let check = blake3::hash(&slot[..CONTENT_BYTES]);
        slot[CONTENT_BYTES..].copy_from_slice(check.as_bytes());
        slot
    }

    fn decoded(slot: &[u8; SLOT_BYTES]) -> Option<Self> {
        let sequence = u64::from_le_bytes(*slot[8..].first_chunk()?);
        let mark = Self { sequence, hash: Hash::from_bytes(*slot[16..].first_chunk()?) };
        (mark.encoded() == *slot).then_some(mark)
    }
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Anchor {
    path: PathBuf,
    file: File,
    mark: Mark,
    next_slot: u64,
    is_whole: bool,
}

impl Anchor {
    /// Puts a new anchor at `path`, in place of what is there, flushed.
    pub fn write(path: &Path, mark: Mark) -> Result<(), Error> {
        let mut content = vec![0; SLOT_STRIDE as usize];
        content[..SLOT_BYTES].copy_from_slice(&mark.encoded());
        content.extend(mark.encoded());
        Ok(file::write(path, &content)?)
    }

    /// Opens the file.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is gone or neither slot checks.
    pub fn open(path: &Path, is_writer: bool) -> Result<Self, Error> {
        let file = OpenOptions::new().read(true).write(is_writer).open(path);
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::lost_anchor("its file `anchor` is gone"),
            _ => Error::input(path)(error),
        })?;
        let marks = [0, 1].map(|slot| {
            let mut bytes = [0; SLOT_BYTES];
            let read = file.read_exact_at(&mut bytes, slot * SLOT_STRIDE);
            read.ok().and_then(|()| Mark::decoded(&bytes))
        });
        let newest = match marks {
            [Some(first), Some(second)] => u64::from(second.sequence > first.sequence),
            [Some(_), None] => 0,
            [None, Some(_)] => 1,
            [None, None] => {
                return Err(Error::lost_anchor("neither slot of its file `anchor` checks"));
            }
        };
        let mark = marks[newest as usize].expect("the newest is one that checks");
        let is_whole = marks.iter().all(Option::is_some);
        Ok(Self { path: path.to_owned(), file, mark, next_slot: 1 - newest, is_whole })
    }

    /// Whether both slots check. A crash may spoil one of them.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The mark.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Moves the mark, flushed when this returns.
    pub fn advance(&mut self, mark: Mark) -> Result<(), Error> {
        self.file
            .write_all_at(&mark.encoded(), self.next_slot * SLOT_STRIDE)
            .and_then(|()| self.file.sync_data())
            .map_err(Error::file(&self.path))?;
        self.mark = mark;
        self.next_slot = 1 - self.next_slot;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(sequence: u64) -> Mark {
        Mark { sequence, hash: blake3::hash(&sequence.to_le_bytes()) }
    }

    #[test]
    fn torn_slot_leaves_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        Anchor::write(&path, mark(0)).unwrap();
        let mut anchor = Anchor::open(&path, true).unwrap();
        for sequence in 1..=3 {
            anchor.advance(mark(sequence)).unwrap();
        }
        let torn = anchor.next_slot ^ 1;
        let whole = std::fs::read(&path).unwrap();
        for byte in 0..SLOT_BYTES {
            let mut bytes = whole.clone();
            bytes[(torn * SLOT_STRIDE) as usize + byte] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let reopened = Anchor::open(&path, true).unwrap();
            assert_eq!(reopened.mark(), mark(2));
            assert_eq!(reopened.next_slot, torn);
        }
        std::fs::write(&path, &whole[..100]).unwrap();
        let left = Anchor::open(&path, true).map(|anchor| anchor.mark());
        assert!(left.is_ok_and(|left| left.sequence >= 2));
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(Anchor::open(&path, true), Err(Error::Damaged(_))));
    }
}
