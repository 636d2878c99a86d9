//! Runs of the binary.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Venue, submit, trade_lines};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::value::units::Time;
use zkmargin_sequencer::Source;

pub const BINARY: &str = env!("CARGO_BIN_EXE_sequencer");

/// How a run of the binary ended.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub answers: Vec<Value>,
    pub errors: String,
}

impl Run {
    pub fn of(output: Output) -> Self {
        let text = String::from_utf8(output.stdout).expect("text");
        let answers = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let errors = String::from_utf8(output.stderr).expect("text");
        Self { code: output.status.code(), answers, errors }
    }

    /// The answers of a run that had nothing to refuse.
    pub fn good(self) -> Vec<Value> {
        assert_eq!((self.code, &*self.errors), (Some(0), ""), "{:?}", self.answers);
        self.answers
    }

    /// The message of a run that failed in an orderly way, which names `words`.
    pub fn failed(self, words: &[&str]) -> String {
        assert_eq!(self.code, Some(3), "{self:?}");
        for word in words {
            assert!(self.errors.contains(word), "no {word} in {}", self.errors);
        }
        self.errors
    }
}

/// Runs the binary on a store.
pub fn sequencer<S: AsRef<OsStr>>(store: &Path, arguments: &[S]) -> Run {
    let mut command = Command::new(BINARY);
    command.arg("--store").arg(store).args(arguments);
    Run::of(command.output().expect("the binary"))
}

/// Runs the binary with `lines` in a file, after `arguments`.
pub fn take(venue: &Venue, arguments: &[&str], lines: &[String]) -> Run {
    let file = venue.folder.path().join("lines");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let file = [file.to_str().expect("ASCII")];
    sequencer(&venue.store(), &[arguments, &file].concat())
}

/// A store with two batches and a pending trade.
pub fn traded() -> Venue {
    let venue = Venue::open_for_trade(Shape::SMALL, 3);
    // An even number of rounds would leave no positions.
    let lines = trade_lines(6, 3);
    let mut sequencer = venue.open();
    for part in [&lines[..3], &lines[3..5]] {
        submit(&mut sequencer, Source::Public, part, now());
        sequencer.seal().unwrap().expect("pending trades");
    }
    submit(&mut sequencer, Source::Public, &lines[5..], now());
    drop(sequencer);
    venue
}

fn now() -> Time {
    crate::support::at(1)
}

/// A database opened behind the sequencer's back.
pub fn raw(store: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(store.join("sequencer.db")).expect("a database")
}

/// Copies a folder's files, and those of its folders.
pub fn copy_folder(from: &Path, to: &Path) -> PathBuf {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
    to.to_owned()
}
