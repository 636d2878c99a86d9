//! An import that is refused leaves the tables as they were; one that is not replaces all of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tempfile::TempDir;

const CHAIN: &str = "market/deribit_chain_20260208.csv.gz";
const FLOW: &str = "market/oi_flow_20260128_20260209.csv.gz";
const HEADER: &str = "timestamp,currency,underlying,option_type,strike,expiry_datetime,bid_price,\
                      ask_price,mark_price,implied_volatility,open_interest";
const FLOW_HEADER: &str = "ts_to,currency,option_type,strike,expiry_datetime,d_oi";

/// Six Bitcoin options recorded at a time, with this volatility.
fn chain(time: &str, volatility: &str) -> Vec<String> {
    let rows = [68_000, 70_000, 72_000].into_iter().flat_map(|strike| {
        ["call", "put"].map(|kind| {
            format!(
                "{time},BTC,70000.0,{kind},{strike}.0,2026-02-13T08:00:00+00:00,0.01,0.012,0.011,\
                 {volatility},12.5"
            )
        })
    });
    std::iter::once(HEADER.to_owned()).chain(rows).collect()
}

fn pack(path: &Path, lines: &[String]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    lines.iter().for_each(|line| writeln!(encoder, "{line}").unwrap());
    fs::write(path, encoder.finish().unwrap()).unwrap();
}

fn data(chain: &[String]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    pack(&folder.path().join(CHAIN), chain);
    pack(&folder.path().join(FLOW), &[FLOW_HEADER.to_owned()]);
    folder
}

/// A folder with a copy of the shipped files.
fn shipped() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    for part in ["market", "trades"] {
        fs::create_dir(folder.path().join(part)).unwrap();
        for entry in fs::read_dir(fixtures.join(part)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.path().join(part).join(path.file_name().unwrap())).unwrap();
        }
    }
    folder
}

/// Every file below a folder.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for part in ["market", "trades"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            files.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    files
}

fn fixtures(data: &Path, out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("fixtures").arg("--data").arg(data).arg("--out").arg(out);
    command.output().unwrap()
}

/// Runs a refused import and gives what it said.
fn refusal(data: &Path, status: i32) -> String {
    let out = shipped();
    let before = content(out.path());
    let output = fixtures(data, out.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(content(out.path()) == before, "a file has changed: {said}");
    said
}

#[test]
fn rejects_a_file_without_the_snapshot_and_keeps_the_tables() {
    let data = data(&chain("2026-02-08T16:00:00+00:00", "0.62"));
    let said = refusal(data.path(), 1);
    let expected = "line 2, column timestamp: found \"2026-02-08T16:00:00+00:00\", allowed is 2026";
    assert!(said.contains(expected) && said.contains(CHAIN), "{said}");
}

#[test]
fn rejects_volatilities_in_per_cent_and_keeps_the_tables() {
    let data = data(&chain("2026-02-08T15:34:49.057052+00:00", "62.0"));
    let said = refusal(data.path(), 1);
    let expected =
        "line 2, column implied_volatility: found \"62.0\", allowed is a number from 0.01 to 4";
    assert!(said.contains(expected) && said.contains("no file has changed"), "{said}");
}

#[test]
fn rejects_tables_from_which_no_flow_can_be_made_and_keeps_the_old_ones() {
    let mut lines = chain("2026-02-08T15:34:49.057052+00:00", "0.62");
    let ether = lines[1].replace("BTC,70000.0", "ETH,2100.0").replace("68000.0", "2200.0");
    lines.push(ether);
    let folder = data(&lines);
    let flow = "2026-02-08T16:00:00Z,BTC,call,72000.0,2026-02-13T08:00:00+00:00,1.5";
    pack(&folder.path().join(FLOW), &[FLOW_HEADER.to_owned(), flow.to_owned()]);
    let said = refusal(folder.path(), 1);
    assert!(said.contains("market/flow.csv: fills needed"), "{said}");
}

#[test]
fn rejects_a_missing_folder_and_a_missing_file_by_their_path() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere");
    let said = refusal(&missing, 3);
    assert!(said.contains(&missing.join(CHAIN).display().to_string()), "{said}");
}

/// The last file of the import cannot be replaced, because a folder has its name.
#[test]
fn rejects_a_folder_in_place_of_a_file_and_keeps_the_others() {
    let out = shipped();
    let blocked = out.path().join("trades/bad.jsonl");
    fs::remove_file(&blocked).unwrap();
    let read = |name| fs::read(out.path().join(name)).unwrap();
    let names = ["market/btc.csv", "trades/manifest.json", "trades/operations.jsonl"];
    let before = names.map(read);
    fs::create_dir(&blocked).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["fixtures", "--seed", "2", "--out"]).arg(out.path());
    // Where there are no recorded data, the flow alone is made; it differs by its seed.
    let output = command.current_dir(out.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("trades/bad.jsonl: "), "{said}");
    assert!(names.map(read) == before, "a file has changed");
    assert_eq!(fs::read_dir(out.path().join("trades")).unwrap().count(), 5);
}

/// The recorded data with one row of SOL and one of BTC_USDC more.
#[test]
fn rows_of_other_instruments_are_skipped_and_counted_and_the_tables_are_the_shipped_ones() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !recorded.is_dir() {
        println!("skipped: import of recorded data (../shared/data absent)");
        return;
    }
    let packed = fs::read(recorded.join(CHAIN)).unwrap();
    let text = std::io::read_to_string(GzDecoder::new(packed.as_slice())).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for name in ["SOL", "BTC_USDC"] {
        let row = lines.iter().find(|line| line.contains(",BTC,")).unwrap();
        lines.push(row.replace(",BTC,", &format!(",{name},")));
    }
    let folder = tempfile::tempdir().unwrap();
    pack(&folder.path().join(CHAIN), &lines);
    fs::copy(recorded.join(FLOW), folder.path().join(FLOW)).unwrap();
    let out = shipped();
    let before = content(out.path());
    let output = fixtures(folder.path(), out.path());
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("6528 rows read, 2 skipped: 1 of BTC_USDC, 1 of SOL"), "{said}");
    assert!(content(out.path()) == before, "the tables differ");
}
