//! Real processes over recorded files that are damaged, and over broken outputs.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use zkmargin_host::broken::{closed_pipe, full_disk, said};

/// Bars of an hour, which the event `2020-03-btc` reads.
const BARS: &str = "prices/binance_mark_1h_BTCUSDT_201912_202106.csv.gz";
/// 2020-03-06 12:00 UTC, when that event begins.
const START_MS: u64 = 1_583_496_000_000;
const HOUR_MS: u64 = 3_600_000;

fn stress(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkmargin-stress"));
    command.args(arguments);
    command
}

/// A data folder with these rows of bars.
fn data(rows: &[String]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(BARS);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    writeln!(encoder, "open_time_ms,open_time_utc,open,high,low,close,nticks").unwrap();
    rows.iter().for_each(|row| writeln!(encoder, "{row}").unwrap());
    fs::write(path, encoder.finish().unwrap()).unwrap();
    folder
}

/// Rows of bars from the start of the event, an hour apart; the third has these fields.
fn rows(third: &str) -> Vec<String> {
    let row = |k| format!("{},x,9000,9010,8990,9005,1", START_MS + k * HOUR_MS);
    vec![row(0), row(1), third.to_owned(), row(3)]
}

fn replay(folder: &Path) -> Output {
    let folder = folder.to_str().unwrap();
    stress(&["--event", "2020-03-btc", "--data", folder]).output().unwrap()
}

#[test]
fn rejects_bars_that_are_not_what_their_columns_say_by_line_column_value_and_bound() {
    let time = START_MS + 2 * HOUR_MS;
    let late = time + 1_000;
    let cases = [
        (format!("{time},x,nan,9010,8990,9005,1"), "open", "\"nan\"", "0.001 to 4294967.295"),
        (format!("{time},x,9000,9010,8990,,1"), "close", "\"\"", "0.001 to"),
        (format!("{time},x,9000,1e10,8990,9005,1"), "high", "\"1e10\"", "4294967.295"),
        (format!("{time},x,9000,9010,0,9005,1"), "low", "\"0\"", "0.001 to"),
        (format!("{time},x,9000,9010,-5,9005,1"), "low", "\"-5\"", "0.001 to"),
        (format!("{time},x,9000,8999,8990,8995,1"), "high", "\"8999\"", "no less than open"),
        (format!("{time},x,9000,9010,9001,9005,1"), "low", "\"9001\"", "no more than open"),
        (format!("{late},x,9000,9010,8990,9005,1"), "open_time_ms", "\"", "3600 s after"),
        ("1.5,x,9000,9010,8990,9005,1".to_owned(), "open_time_ms", "\"1.5\"", "after the point"),
        (format!("{},x,9000,9010,8990,9005,1", time + 1), "open_time_ms", "\"", "whole second"),
        (format!("{}0,x,9000,9010,8990,9005,1", u64::MAX), "open_time_ms", "\"", "a number from 0"),
        ("-1,x,9000,9010,8990,9005,1".to_owned(), "open_time_ms", "\"-1\"", "a number from 0"),
    ];
    for (row, column, value, bound) in cases {
        let folder = data(&rows(&row));
        let output = replay(folder.path());
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        let start = format!("stress: {BARS}, line 4, column {column}: found {value}");
        assert!(said.starts_with(&start) && said.contains(bound), "{said}");
    }
}

#[test]
fn rejects_bars_of_another_time() {
    let row = format!("{},x,9000,9010,8990,9005,1", START_MS + 2 * HOUR_MS);
    let folder = data(&rows(&row));
    let output = replay(folder.path());
    let expected =
        format!("stress: {BARS}: the bars do not cover the event: found seconds 1583496000");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).starts_with(&expected), "{}", said(&output));
    let none = replay(data(&[]).path());
    assert_eq!((none.status.code(), said(&none)), (Some(1), format!("stress: {BARS}: bars: 0\n")));
}

#[test]
fn missing_data_and_pages_are_status_3_before_any_replay() {
    let folder = tempfile::tempdir().unwrap();
    let output = replay(folder.path());
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains(&folder.path().join(BARS).display().to_string()));
    let out = folder.path().to_str().unwrap();
    let output = stress(&["--data", "/nowhere", "--out", out]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
    assert!(said(&output).contains("stress.md: "), "{}", said(&output));
    fs::write(folder.path().join("stress.md"), "no place for tables").unwrap();
    let output = stress(&["--data", "/nowhere", "--out", out]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(said(&output).contains("no place for tables in"), "{}", said(&output));
}

#[test]
fn an_unknown_event_is_wrong_usage_with_the_names() {
    let output = stress(&["--event", "1987-10-spx"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("2020-03-btc, 2020-03-eth"), "{}", said(&output));
}

#[test]
fn a_full_disk_is_status_3_in_words_and_a_closed_pipe_is_quiet() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let event = ["--event", "2020-03-btc", "--data", data];
    for arguments in [&event[..], &["--help"]] {
        let output = stress(arguments).stdout(full_disk()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(said(&output).contains("standard output cannot be written"), "{}", said(&output));
    }
    let output = stress(&["--help"]).stdout(closed_pipe()).output().unwrap();
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), ""));
    // The title is printed into the closed pipe, and the data are missed after it.
    let output = stress(&event).stdout(closed_pipe()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).starts_with(&format!("stress: {data}/prices")), "{}", said(&output));
    for stream in [full_disk(), closed_pipe()] {
        let done = stress(&event).stderr(stream).status().unwrap();
        assert_eq!(done.code(), Some(3));
    }
}
