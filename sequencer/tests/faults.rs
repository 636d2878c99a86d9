//! The disk fails under the running binary: it stops at once, and what it had acknowledged is
//! there.

mod support;

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use support::*;

use zkmargin_fixtures::build::NOW_S;
use zkmargin_protocol::batch::shape::Shape;

const TRADES: usize = 24;
/// What a process that stopped by `abort` was ended by.
const SIGABRT: i32 = 6;

/// A fresh venue with lines to submit, and the command that submits them, to be run under a fault.
fn prepared() -> (Venue, PathBuf, Vec<String>) {
    let venue = Venue::open_for_trade(Shape::SMALL, 4);
    let file = venue.folder.path().join("lines");
    fs::write(&file, trade_lines(TRADES, 4).join("\n")).unwrap();
    let time = (NOW_S + 1).to_string();
    let store = venue.store().display().to_string();
    let words = ["--store", &store, "submit", "--group-max", "4", "--time", &time];
    let mut arguments: Vec<String> = words.map(str::to_owned).into();
    arguments.push(file.display().to_string());
    (venue, env!("CARGO_BIN_EXE_sequencer").into(), arguments)
}

/// Every receipt written is in the store, which is sound.
fn check(venue: &Venue, output: &Output) -> usize {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let answers: Vec<Value> = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n') && line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let receipts = accepted(&answers);
    let sequencer = venue.look().expect("a sound store");
    sequencer.replay().expect("a log that follows the rules");
    drop(sequencer);
    let again = submit(
        &mut venue.open(),
        zkmargin_sequencer::Source::Public,
        &trade_lines(TRADES, 4),
        at(1),
    );
    let again = accepted(&again);
    assert_eq!(again.len(), TRADES);
    assert_eq!(again[..receipts.len()], receipts, "what was acknowledged is still there");
    receipts.len()
}

/// Fails as a full or failing disk must make it fail, with a reason: ended by `abort` where a write
/// of the store itself failed, by status 3 where a file beside it did or nothing was begun.
fn assert_stopped(output: &Output, fault: &str) {
    let reason = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    let is_abort = output.status.signal() == Some(SIGABRT) || code == Some(128 + SIGABRT);
    let is_unsettled = reason.contains("a write of the store failed");
    assert_eq!(is_abort, is_unsettled, "{fault}: {:?} {reason}", output.status);
    assert!(is_abort || code == Some(3), "{fault}: {:?} {reason}", output.status);
    assert!(reason.contains("sequencer: "), "{fault}: {reason}");
}

#[test]
fn full_disk_stops_the_process() {
    let mut stopped = 0;
    // The shell's unit is 512 or 1024 bytes; the database has tens of kilobytes to start with.
    for blocks in [0, 8, 40, 80, 120, 160, 200, 300, 400] {
        let (venue, binary, arguments) = prepared();
        let script = format!("trap '' XFSZ; ulimit -c 0; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        // Through a pipe: the limit is for files.
        let output = command.arg("-c").arg(script).arg(binary).args(arguments).output().unwrap();
        if !output.status.success() {
            assert_stopped(&output, &format!("{blocks} blocks"));
            stopped += 1;
        }
        check(&venue, &output);
    }
    assert!(stopped > 0, "some limit is below what the run writes");
}

#[test]
fn answers_that_cannot_be_written_stop_the_process() {
    let (venue, binary, arguments) = prepared();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(binary).args(arguments).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(check(&venue, &output), 0);
}

fn has_strace() -> bool {
    let probe = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    probe.is_ok_and(|output| output.status.success())
}

/// Runs the binary with the `count`-th call of `calls` failing; whether the fault was met.
fn run_with_fault(calls: &str, error: &str, count: usize) -> bool {
    let (venue, binary, arguments) = prepared();
    let trace = venue.folder.path().join("trace");
    let inject = format!("inject={calls}:error={error}:when={count}");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", &format!("trace={calls}"), "-e", &inject]).arg("-o");
    let output = command.arg(&trace).arg(binary).args(arguments).output().unwrap();
    let is_met = is_injected(&trace);
    let fault = format!("{error} at call {count} of {calls}");
    // The checkpoint when the store is closed comes after the last answer: its failure leaves all
    // in the log.
    let is_done = output.status.success();
    if is_met && !is_done {
        assert_stopped(&output, &fault);
    }
    let acknowledged = check(&venue, &output);
    assert!(!is_done || acknowledged == TRADES, "{fault}: {acknowledged} acknowledged");
    assert!(is_met || is_done, "{fault}: {:?}", output.status);
    is_met
}

fn is_injected(trace: &Path) -> bool {
    fs::read_to_string(trace).is_ok_and(|text| text.contains("(INJECTED)"))
}

#[test]
fn failing_writes_and_flushes_stop_the_process() {
    if !has_strace() {
        println!("skipped: failing system calls (strace cannot trace here)");
        return;
    }
    for (calls, error, step) in [("fsync,fdatasync", "EIO", 1), ("pwrite64", "ENOSPC", 3)] {
        let met = (1..).step_by(step).take_while(|count| run_with_fault(calls, error, *count));
        assert!(met.count() > 5, "the run makes more than a few of these calls");
    }
}
