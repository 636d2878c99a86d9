//! Real processes: what they answer to numbers out of range, to records and to broken outputs.

use std::fs;
use std::process::Command;

use zkmargin_host::broken::{closed_pipe, full_disk, said};
use zkmargin_simulator::record::Record;

fn simulator(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    command.args(arguments);
    command
}

/// Runs that take no time.
const SHORT: [&[&str]; 3] = [&["--list"], &["--operations", "60"], &["--help"]];

#[test]
fn a_run_of_nothing_and_numbers_out_of_range_are_refused_with_the_bound() {
    let cases: [(&[&str], &str); 11] = [
        (&["--worlds", "0"], "one of them is above 0"),
        (&["--operations", "0"], "1..=100000000"),
        (&["--operations", "100000001"], "1..=100000000"),
        (&["--tiny", "1", "--batches", "0"], "1..=1000000"),
        (&["--batches", "0"], "1..=1000000"),
        (&["--proofs", "1000001"], "0..=1000000"),
        (&["--worlds", "10001"], "0..=10000"),
        (&["--tiny", "18446744073709551615"], "0..=10000"),
        (&["--worlds", "-1"], "unexpected argument"),
        (&["--seed", "18446744073709551616"], "too large"),
        (
            &["--seed", "18446744073709551615", "--worlds", "2"],
            "allowed is 0 to 18446744073709551614",
        ),
    ];
    for (arguments, bound) in cases {
        let output = simulator(arguments).output().expect("it runs");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(bound), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn accepts_the_last_seeds() {
    let arguments = ["--seed", "18446744073709551614", "--worlds", "2", "--operations", "60"];
    let output = simulator(&arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.starts_with("2 worlds, 2 of them now"), "{shown}");
}

#[test]
fn a_record_with_a_torn_last_line_goes_on_and_one_torn_elsewhere_is_status_3() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record");
    let name = path.to_str().expect("a name");
    let arguments = ["--worlds", "2", "--operations", "60", "--record", name];
    let run = || simulator(&arguments).output().expect("it runs");
    assert_eq!(run().status.code(), Some(0));
    let whole = fs::read(&path).expect("written");
    fs::write(&path, &whole[..whole.len() - 5]).expect("written");
    let output = run();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("was cut short"), "{}", said(&output));
    assert!(fs::read(&path).expect("written") == whole);
    fs::write(&path, &whole[5..]).expect("written");
    let output = run();
    assert_eq!(output.status.code(), Some(3));
    let expected = format!("simulator: record {name}, line 1: this is no outcome");
    assert!(said(&output).starts_with(&expected), "{}", said(&output));
}

#[test]
fn a_record_that_cannot_be_used_is_status_3_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record");
    let held = Record::open(&path).expect("a new file");
    let names = [path.to_str().expect("a name"), "/no/such/folder/record", "/dev/full", "/"];
    for name in names {
        let arguments = ["--operations", "60", "--record", name];
        let output = simulator(&arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(3), "{name}: {}", said(&output));
        assert!(said(&output).contains(&format!("record {name}: ")), "{}", said(&output));
        // That is said before anything runs.
        assert!(output.stdout.is_empty());
    }
    drop(held);
}

#[test]
fn a_full_disk_is_status_3_in_words() {
    for arguments in SHORT {
        let output = simulator(arguments).stdout(full_disk()).output().expect("it runs");
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("standard output cannot be written"), "{}", said(&output));
    }
}

#[test]
fn a_closed_pipe_is_quiet() {
    for arguments in SHORT {
        let output = simulator(arguments).stdout(closed_pipe()).output().expect("it runs");
        assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn the_status_is_the_same_when_only_standard_error_fails() {
    let record = ["--operations", "60", "--record", "/dev/full"];
    for (arguments, status) in [(&record[..], 3), (&["--worlds", "0"], 2)] {
        for stream in [full_disk(), closed_pipe()] {
            let done = simulator(arguments).stderr(stream).status().expect("it runs");
            assert_eq!(done.code(), Some(status), "{arguments:?}");
        }
    }
}
