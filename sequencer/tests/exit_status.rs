//! How the program ends: 0 good, 1 something was refused, 2 wrong usage, 3 the environment failed.

mod support;

use std::fs;
use std::process::Stdio;

use serde_json::Value;
use support::process::{answers, run, sequencer, standard_error, written};
use support::*;
use zkmargin_fixtures::build::{NOW_S, account_index};
use zkmargin_host::broken::full_disk;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::value::units::Tier;

fn time() -> String {
    (NOW_S + 1).to_string()
}

fn grant(account: u32, tier: u8) -> String {
    let (account, tier) = (account_index(account), Tier::new(tier).unwrap());
    serde_json::to_string(&GrantTier { account, tier }).unwrap()
}

#[test]
fn a_refused_line_gives_1_whatever_the_others_give() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let trades = trade_lines(3, 2);
    let cases = [
        ("submit", trades.clone(), 0),
        ("submit", vec!["not json".to_owned()], 1),
        ("submit", vec![trades[0].clone(), "not json".to_owned(), trades[1].clone()], 1),
        ("submit", vec![], 0),
        ("chain", vec![deposit_line("a", deposit(2, 1))], 0),
        ("chain", vec![deposit_line("b", deposit(2, 0)), deposit_line("c", deposit(2, 1))], 1),
        ("grant", vec![grant(2, 1)], 0),
        ("grant", vec![grant(2, 2), grant(99, 1)], 1),
    ];
    for (place, (command, lines, status)) in cases.into_iter().enumerate() {
        let file = written(venue.folder.path(), &format!("lines-{place}"), lines.join("\n"));
        let output = run(&venue.store(), &[command, file.to_str().unwrap(), "--time", &time()]);
        let refused = answers(&output).iter().filter(|answer| answer["accepted"] == false).count();
        assert_eq!(output.status.code(), Some(status), "case {place}: {output:?}");
        assert_eq!(refused, status as usize, "case {place}");
        assert_eq!(answers(&output).len(), lines.len(), "case {place}: every line is answered");
        assert_eq!(standard_error(&output), "", "case {place}");
    }
}

#[test]
fn a_seal_of_nothing_refuses_nothing() {
    let venue = Venue::create(Shape::SMALL);
    let output = run(&venue.store(), &["seal"]);
    assert_eq!((output.status.code(), answers(&output)), (Some(0), vec![Value::Null]));
}

#[test]
fn an_account_that_is_not_there_is_refused() {
    let venue = Venue::create(Shape::SMALL);
    let [there, missing] = ["1", "9"].map(|index| run(&venue.store(), &["account", index]));
    assert_eq!(there.status.code(), Some(0));
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(answers(&missing)[0]["rule"], "AccountExists");
}

#[test]
fn wrong_usage_gives_2_and_names_the_argument() {
    let venue = Venue::create(Shape::SMALL);
    for (arguments, named) in [
        (vec!["account", "16777216"], "16777216"),
        (vec!["parameters", "-1"], "-1"),
        (vec!["parameters", "1", "--time", "1099511627776"], "1099511627776"),
        (vec!["init", "--chain-id", "x"], "--chain-id"),
        (vec!["unknown"], "unknown"),
    ] {
        let output = run(&venue.store(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(standard_error(&output).contains(named), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_gives_3_and_its_name() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let missing = venue.folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    let text = written(venue.folder.path(), "text", "no table");
    for arguments in [
        vec!["submit", missing],
        vec!["chain", missing],
        vec!["oracle", missing],
        vec!["oracle", text.to_str().unwrap()],
        vec!["init", "--genesis", missing],
    ] {
        let output = run(&venue.store(), &arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {output:?}");
        let name = arguments.last().unwrap();
        assert!(standard_error(&output).contains(name), "{arguments:?}: {output:?}");
    }
    let output = run(&venue.folder.path().join("none"), &["status"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn a_full_disk_behind_standard_output_gives_3() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let trades = written(venue.folder.path(), "trades", trade_lines(1, 2).join("\n"));
    for arguments in [
        vec!["status"],
        vec!["status", "--verify"],
        vec!["account", "1"],
        vec!["account", "9"],
        vec!["submit", trades.to_str().unwrap(), "--time", &time()],
        vec!["seal"],
        vec!["batches"],
        vec!["--help"],
        vec!["--version"],
    ] {
        let output = sequencer(&venue.store(), &arguments).stdout(full_disk()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {output:?}");
        assert!(standard_error(&output).contains("standard output"), "{arguments:?}");
    }
    // What could not be answered is kept, and the seal was made.
    assert_eq!(venue.look().unwrap().status().batches, 1);
}

#[test]
fn a_closed_pipe_is_quiet_and_keeps_the_status() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let trades = trade_lines(2, 2);
    for (lines, status) in [(&trades[..1], 0), (&["not json".to_owned()][..], 1)] {
        let arguments = ["submit", "-", "--time", &time()];
        let mut child =
            sequencer(&venue.store(), &arguments).stdin(Stdio::piped()).spawn().unwrap();
        // Nobody reads before the first line is sent.
        drop(child.stdout.take());
        let mut input = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, (lines.join("\n") + "\n").as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        assert_eq!(standard_error(&output), "");
    }
    assert_eq!(venue.look().unwrap().status().pending, 3, "two deposits and the trade");
}

#[test]
fn a_full_disk_behind_standard_error_changes_no_status() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let none = venue.folder.path().join("none");
    let bad = written(venue.folder.path(), "bad", "not json");
    let submit = ["submit", bad.to_str().unwrap(), "--time", &time()];
    for (store, arguments, status) in [
        (&venue.store(), &["status"][..], 0),
        (&venue.store(), &submit[..], 1),
        (&venue.store(), &["unknown"][..], 2),
        (&none, &["status"][..], 3),
    ] {
        let output = sequencer(store, arguments).stderr(full_disk()).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
    }
}

#[test]
fn a_store_that_others_hold_gives_3_after_the_wait() {
    let venue = Venue::create(Shape::SMALL);
    let lock = fs::File::open(venue.store().join("lock")).unwrap();
    lock.lock().unwrap();
    let output = run(&venue.store(), &["--wait", "0", "seal"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(standard_error(&output).contains("another sequencer holds"), "{output:?}");
    let output = run(&venue.store(), &["status"]);
    assert_eq!(output.status.code(), Some(0), "who only looks does not wait: {output:?}");
    drop(lock);
    assert_eq!(run(&venue.store(), &["--wait", "0", "seal"]).status.code(), Some(0));
}
