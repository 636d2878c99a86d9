//! Parts of a run: one that is cut and goes on is the run that was not cut.

use std::fs;

use zkmargin_simulator::prove::Bench;
use zkmargin_simulator::record::{Record, RecordError};
use zkmargin_simulator::run::{Part, RunError};

/// Two large worlds of few operations.
fn parts() -> [Part; 2] {
    [1, 2].map(|seed| Part::large(seed, 60))
}

fn run(record: &mut Record, parts: &[Part]) -> usize {
    let due: Vec<_> = parts.iter().filter(|part| !record.has(part)).collect();
    for part in &due {
        let outcome = part.run(None, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
        record.add(outcome).expect("a folder of our own");
    }
    due.len()
}

#[test]
fn a_run_goes_on_where_it_was_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let [whole, cut] = ["whole", "cut"].map(|name| folder.path().join(name));
    let parts = parts();
    assert_eq!(run(&mut Record::open(&whole).expect("a new file"), &parts), 2);
    assert_eq!(run(&mut Record::open(&cut).expect("a new file"), &parts[..1]), 1);
    // The last byte, which ends the line, has not reached the disk.
    let mut bytes = fs::read(&cut).expect("written");
    assert_eq!(bytes.pop(), Some(b'\n'));
    fs::write(&cut, bytes).expect("written");
    let mut record = Record::open(&cut).expect("one line");
    assert_eq!(record.dropped(), 0);
    assert_eq!(run(&mut record, &parts), 1);
    assert_eq!(run(&mut record, &parts), 0);
    assert_eq!(fs::read(&whole).expect("written"), fs::read(&cut).expect("written"));
    assert_eq!(record.total().operations().iter().sum::<u64>(), 120);
    // The same seed with other numbers is another part.
    assert!(
        !record.has(&Part::large(1, 61)) && !record.has(&Part::Storm { seed: 1, operations: 60 })
    );
}

/// Wherever a crash cuts the last line, and whatever zeros it leaves, the run goes on with the same
/// end.
#[test]
fn a_last_line_cut_anywhere_is_dropped_and_its_part_runs_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record");
    run(&mut Record::open(&path).expect("a new file"), &parts());
    let whole = fs::read(&path).expect("written");
    let first = whole.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    for end in first..whole.len() - 1 {
        for zeros in [0, 3] {
            let cut = [&whole[..end], &vec![0; zeros]].concat();
            fs::write(&path, &cut).expect("written");
            let record = Record::open(&path).unwrap_or_else(|error| panic!("{end}: {error}"));
            assert_eq!(record.dropped(), (cut.len() - first) as u64);
            assert_eq!((record.has(&parts()[0]), record.has(&parts()[1])), (true, false));
            assert!(fs::read(&path).expect("written") == whole[..first], "{end}");
        }
    }
    assert_eq!(run(&mut Record::open(&path).expect("one line"), &parts()), 1);
    assert!(fs::read(&path).expect("written") == whole);
}

#[test]
fn a_line_torn_in_the_middle_and_foreign_content_are_refused_by_path_and_line_and_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record");
    run(&mut Record::open(&path).expect("a new file"), &parts());
    let text = fs::read_to_string(&path).expect("written");
    let (first, second) = text.split_once('\n').expect("two lines");
    let cut = &first[..first.len() - 5];
    let cases = [
        (format!("{cut}\n{second}"), 1),
        (format!("{first}\n{cut}{first}\n"), 2),
        (format!("{first}\n\n{second}"), 2),
        (format!("{first}\nnotes"), 2),
        ("{\"name\": \"a file of somebody else\"".to_owned(), 1),
        ("{\"part\":{},".to_owned(), 1),
        ("hello\n".to_owned(), 1),
        (text.clone() + &first.replacen("\"root\":\"", "\"root\":\"1", 1) + "\n", 3),
    ];
    for (content, at) in cases {
        fs::write(&path, &content).expect("written");
        let refused = Record::open(&path).map(|_| ()).expect_err(&content);
        assert!(matches!(refused, RecordError::Line { line, .. } if line == at), "{refused}");
        let said = refused.to_string();
        assert!(said.starts_with(&format!("record {}, line {at}: ", path.display())), "{said}");
        assert!(fs::read_to_string(&path).expect("written") == content);
    }
}

#[test]
fn counts_that_no_run_has_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record");
    run(&mut Record::open(&path).expect("a new file"), &parts()[..1]);
    let text = fs::read_to_string(&path).expect("written");
    let mut line: serde_json::Value = serde_json::from_str(&text).expect("a line");
    for count in [(1u64 << 38) + 1, u64::MAX] {
        line["tally"]["checks"] = count.into();
        fs::write(&path, format!("{line}\n")).expect("written");
        let said = Record::open(&path).map(|_| ()).expect_err("too many").to_string();
        assert!(said.contains(&format!("count {count} found, at most 274877906944")), "{said}");
    }
}

/// Records are joined by `cat`; what is in both counts once.
#[test]
fn a_part_that_stands_twice_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record");
    run(&mut Record::open(&path).expect("a new file"), &parts());
    let text = fs::read_to_string(&path).expect("written");
    fs::write(&path, text.repeat(2)).expect("written");
    let record = Record::open(&path).expect("four lines");
    assert_eq!(record.outcomes().len(), 2);
    assert_eq!(record.total().operations().iter().sum::<u64>(), 120);
}

#[test]
fn a_part_of_the_circuit_wants_a_bench_and_its_proofs_a_key() {
    let part = Part::Tiny { seed: 1, batches: 1, proofs: 1 };
    assert_eq!(part.wants(), [true, true]);
    let without = part.run(None, &mut |_| {});
    assert!(matches!(without, Err(RunError::NoBench)), "{without:?}");
    let bench = Bench::new(false).expect("no key is needed");
    let without = part.run(Some(&bench), &mut |_| {});
    assert!(matches!(without, Err(RunError::Circuit { seed: 1, .. })), "{without:?}");
}

#[test]
fn accepts_a_part_with_a_proof() {
    let bench = Bench::new(true).expect("a key");
    let part = Part::Tiny { seed: 4, batches: 3, proofs: 1 };
    let outcome = part.run(Some(&bench), &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((outcome.tally.satisfied, outcome.tally.proofs), (3, 1));
    assert!(outcome.tally.proven.values().sum::<u64>() > 0, "{:?}", outcome.tally.proven);
}
