//! Copies made while a writer is at work.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

use super::program::{BINARY, raw, sequencer, traded};
use crate::support::*;

use zkmargin_fixtures::build::NOW_S;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_sequencer::{Access, Sequencer, Source};

const TRADES: usize = 40;

/// A running `submit` that takes a line at a time.
struct Writer {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

impl Writer {
    fn start(venue: &Venue) -> Self {
        let time = (NOW_S + 1).to_string();
        let mut command = Command::new(BINARY);
        command.arg("--store").arg(venue.store()).args(["submit", "-", "--time", &time]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    fn send(&mut self, text: &str) -> Value {
        writeln!(self.input, "{text}").expect("a running writer");
        loop {
            let mut answer = String::new();
            assert_ne!(self.output.read_line(&mut answer).expect("a pipe"), 0, "no answer");
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            // A full batch says so first.
            if answer["accepted"] == true {
                return answer;
            }
        }
    }
}

#[test]
fn copy_made_beside_a_writer_is_whole_and_verifies() {
    let venue = Venue::open_for_trade(Shape::SMALL, 4);
    let lines = trade_lines(TRADES, 4);
    let mut writer = Writer::start(&venue);
    let mut acknowledged = Vec::new();
    for (count, text) in lines.iter().enumerate() {
        acknowledged.push(writer.send(text));
        if count % 10 != 9 {
            continue;
        }
        let to = venue.folder.path().join(format!("copy-{count}"));
        let made = sequencer(&venue.store(), &["backup", to.to_str().expect("ASCII")]).good();
        // Nobody writes meanwhile, so the copy has all that was acknowledged.
        let last = acknowledged.last().expect("an answer");
        assert_eq!(made[0]["sequence"], last["sequence"]);
        sequencer(&to, &["status", "--verify"]).good();
        let mut copy = open_for_writing(&to);
        let again = accepted(&submit(&mut copy, Source::Public, &lines[..=count], at(1)));
        assert_eq!(again, accepted(&acknowledged), "the copy gives the first receipts");
        // The copy goes on by itself, and its anchor with it.
        copy.seal().unwrap().expect("pending trades");
        drop(copy);
        sequencer(&to, &["status", "--verify"]).good();
    }
    let Writer { mut child, input, .. } = writer;
    drop(input);
    assert!(child.wait().unwrap().success());
    assert_eq!(acknowledged.len(), TRADES);
}

#[test]
fn copies_made_while_a_writer_writes_lose_nothing_acknowledged_before() {
    let venue = Venue::open_for_trade(Shape::SMALL, 4);
    let lines = trade_lines(TRADES, 4);
    let file = venue.folder.path().join("lines");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let time = (NOW_S + 1).to_string();
    let mut command = Command::new(BINARY);
    command.arg("--store").arg(venue.store());
    command.args(["submit", "--group-max", "1", "--time", &time]).arg(&file);
    let mut child = command.stdout(Stdio::null()).spawn().expect("the binary");
    let mut copies = 0;
    // At least one copy, and copies for as long as the writer runs.
    loop {
        let is_done = child.try_wait().unwrap().is_some();
        let before = venue.look().unwrap().status().sequence;
        let to = venue.folder.path().join(format!("copy-{copies}"));
        sequencer(&venue.store(), &["backup", to.to_str().expect("ASCII")]).good();
        let copy = Sequencer::open(&to, Access::Read).unwrap();
        assert!(copy.status().sequence >= before);
        copy.replay().unwrap();
        copies += 1;
        if is_done {
            break;
        }
    }
    assert!(child.wait().unwrap().success());
}

#[test]
fn copy_has_the_files_of_its_batches_and_never_replaces_anything() {
    let venue = traded();
    let to = venue.folder.path().join("copy");
    let path = to.to_str().expect("ASCII");
    sequencer(&venue.store(), &["backup", path]).good();
    for batch in Sequencer::open(&to, Access::Read).unwrap().batches().unwrap() {
        assert!(batch.artefact.starts_with(&to) && batch.artefact.exists());
        assert!(batch.statement.exists());
    }
    let again = sequencer(&venue.store(), &["backup", path]);
    again.failed(&[path, "exists already"]);
    let missing = venue.folder.path().join("no/such/place");
    let failed = sequencer(&venue.store(), &["backup", missing.to_str().expect("ASCII")]);
    failed.failed(&["no/such"]);
}

#[test]
fn damaged_store_is_not_copied() {
    let venue = traded();
    let rows = "UPDATE events SET payload = '{}' WHERE sequence = 4";
    raw(&venue.store()).execute_batch(rows).unwrap();
    let to = venue.folder.path().join("copy");
    let run = sequencer(&venue.store(), &["backup", to.to_str().expect("ASCII")]);
    run.failed(&["entry 4", venue.store().to_str().expect("ASCII"), "backup"]);
    assert!(!to.exists());
    assert_eq!(std::fs::read_dir(venue.folder.path()).unwrap().count(), 1, "no draft is left");
}
