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
    assert_eq!(run(&mut record, &parts), 1);
    assert_eq!(run(&mut record, &parts), 0);
    assert_eq!(fs::read(&whole).expect("written"), fs::read(&cut).expect("written"));
    assert_eq!(record.total().operations().iter().sum::<u64>(), 120);
    // The same seed with other numbers is another part.
    assert!(
        !record.has(&Part::large(1, 61)) && !record.has(&Part::Storm { seed: 1, operations: 60 })
    );
}

#[test]
fn a_line_cut_short_is_refused_by_its_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record");
    run(&mut Record::open(&path).expect("a new file"), &parts());
    let mut bytes = fs::read(&path).expect("written");
    bytes.truncate(bytes.len() - 5);
    fs::write(&path, bytes).expect("written");
    let refused = Record::open(&path).map(|_| ());
    assert!(matches!(refused, Err(RecordError::Line { line: 2, .. })), "{refused:?}");
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
