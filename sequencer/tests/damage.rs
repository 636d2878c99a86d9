//! Damaged, foreign and contested stores: found out, never served.

mod support;

use std::path::{Path, PathBuf};
use std::{fs, io};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::*;

use zkmargin_fixtures::build::account_index;
use zkmargin_host::OutputError;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_sequencer::{Access, Error, Sequencer, Source, read_groups};

/// A store with two batches and pending trades, of which the newest part is still in the
/// write-ahead log, as a crash leaves it; copied beside the venue.
fn crashed_copy(venue: &Venue) -> PathBuf {
    let lines = trade_lines(9, 3);
    let mut sequencer = venue.open();
    for part in [&lines[..3], &lines[3..6]] {
        submit(&mut sequencer, Source::Public, part, at(1));
        sequencer.seal().unwrap();
    }
    drop(sequencer);
    let mut sequencer = venue.open();
    submit(&mut sequencer, Source::Public, &lines[6..8], at(1));
    submit(&mut sequencer, Source::Public, &lines[8..], at(1));
    let copy = venue.folder.path().join("copy");
    copy_store(&venue.store(), &copy);
    let wal = copy.join("sequencer.db-wal");
    assert!(fs::metadata(&wal).unwrap().len() > 4096, "the copy has a write-ahead log");
    copy
}

fn copy_store(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in ["sequencer.db", "sequencer.db-wal", "anchor", "lock"] {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// Everything a store serves, or that it is damaged.
fn served(store: &Path) -> Result<String, Error> {
    let sequencer = Sequencer::open(store, Access::Read)?;
    let mut status = sequencer.status();
    status.epoch = 0;
    let mut text = format!("{status:?}");
    for index in 0..5 {
        text += &format!("{:?}", sequencer.account(account_index(index))?);
    }
    let folder = tempfile::tempdir().unwrap();
    sequencer.export(folder.path())?;
    for batch in sequencer.batches()? {
        let number = batch.batch;
        for name in [format!("batch-{number}.json"), format!("statement-{number}.bin")] {
            text += &blake3::hash(&fs::read(folder.path().join(name)).unwrap()).to_string();
        }
        text += &format!("{number} {} {:?} {}", batch.sequence, batch.time, batch.root);
    }
    Ok(text)
}

/// Whether the damage is found; if not, what is served must be what was.
fn is_found(store: &Path, expect: &str, what: &str) -> bool {
    match served(store) {
        Ok(text) => {
            assert_eq!(text, expect, "served after {what}");
            false
        }
        Err(Error::Damaged(_) | Error::Format { .. } | Error::Database(_)) => true,
        Err(other) => panic!("{other} after {what}"),
    }
}

#[test]
fn flipped_bits_are_found_or_harmless() {
    let venue = Venue::open_for_trade(Shape::SMALL, 3);
    let copy = crashed_copy(&venue);
    let expect = served(&copy).unwrap();
    let victim = venue.folder.path().join("victim");
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    for (name, flips) in [("sequencer.db", 150), ("sequencer.db-wal", 100), ("anchor", 20)] {
        let whole = fs::read(copy.join(name)).unwrap();
        let mut found = 0;
        for _ in 0..flips {
            let place = rng.gen_range(0..whole.len());
            let bit = rng.gen_range(0..8);
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << bit;
            let _ = fs::remove_dir_all(&victim);
            copy_store(&copy, &victim);
            fs::write(victim.join(name), &bytes).unwrap();
            let what = format!("bit {bit} of byte {place} of {name}");
            found += u32::from(is_found(&victim, &expect, &what));
        }
        // Most of the pages hold content; most of the anchor is the gap between its slots.
        assert!(name == "anchor" || found > 20, "{found} of {flips} found in {name}");
    }
}

#[test]
fn truncated_files_are_found_or_harmless() {
    let venue = Venue::open_for_trade(Shape::SMALL, 3);
    let copy = crashed_copy(&venue);
    let expect = served(&copy).unwrap();
    let victim = venue.folder.path().join("victim");
    for name in ["sequencer.db", "sequencer.db-wal"] {
        let whole = fs::read(copy.join(name)).unwrap();
        for part in 0..40 {
            let length = whole.len() * part / 40;
            let _ = fs::remove_dir_all(&victim);
            copy_store(&copy, &victim);
            fs::write(victim.join(name), &whole[..length]).unwrap();
            let is_found = is_found(&victim, &expect, &format!("{length} bytes of {name}"));
            assert!(is_found, "{length} bytes of {name} are served as the whole");
        }
        fs::remove_file(victim.join(name)).unwrap();
        match served(&victim) {
            Err(Error::Damaged(_) | Error::Missing(_)) => {}
            other => panic!("{other:?} without {name}"),
        }
    }
}

#[test]
fn anchor_finds_a_rewound_log() {
    let venue = Venue::open_for_trade(Shape::SMALL, 3);
    let lines = trade_lines(2, 3);
    submit(&mut venue.open(), Source::Public, &lines[..1], at(1));
    let old = fs::read(venue.store().join("sequencer.db")).unwrap();
    submit(&mut venue.open(), Source::Public, &lines[1..], at(1));
    assert!(!venue.store().join("sequencer.db-wal").exists(), "closing empties the log");
    // An older backup of the database without its anchor: whole in itself, but it lacks a promise.
    fs::write(venue.store().join("sequencer.db"), old).unwrap();
    let error = venue.look().err().expect("a lost entry");
    assert!(error.to_string().contains("was acknowledged and is gone"), "{error}");
}

#[test]
fn rows_changed_behind_the_log_are_found() {
    let changes = [
        "UPDATE events SET payload = replace(payload, '\"price\"', '\"prize\"') WHERE sequence = 4",
        "UPDATE events SET time = time + 1 WHERE sequence = 4",
        "UPDATE events SET id = NULL WHERE sequence = 4",
        "UPDATE events SET kind = 'seal' WHERE sequence = 4",
        "DELETE FROM events WHERE sequence = 4",
        "DELETE FROM events WHERE sequence = (SELECT max(sequence) FROM events)",
        "UPDATE accounts SET content = replace(content, '\"cash\":\"', '\"cash\":\"1') \
         WHERE account = 2",
        "DELETE FROM accounts WHERE account = 3",
        "UPDATE specs SET content = replace(content, '\"strike\":\"', '\"strike\":\"1')",
        "DELETE FROM specs",
        "UPDATE specs SET instrument = instrument + 1 \
         WHERE instrument = (SELECT max(instrument) FROM specs)",
        "UPDATE batches SET artefact = zeroblob(10) WHERE number = 0",
        "UPDATE batches SET statement = zeroblob(10) WHERE number = 0",
        "UPDATE batches SET sequence = sequence - 1 WHERE number = 0",
        "DELETE FROM batches WHERE number = 0",
        "CREATE TABLE other (a)",
        "PRAGMA application_id = 1",
        "PRAGMA journal_mode = delete",
    ];
    for change in changes {
        let venue = Venue::open_for_trade(Shape::SMALL, 2);
        let mut sequencer = venue.open();
        submit(&mut sequencer, Source::Public, &trade_lines(2, 2), at(1));
        sequencer.seal().unwrap();
        drop(sequencer);
        let expect = served(&venue.store()).unwrap();
        let raw = rusqlite::Connection::open(venue.store().join("sequencer.db")).unwrap();
        raw.execute_batch(change).unwrap();
        drop(raw);
        assert!(is_found(&venue.store(), &expect, change), "{change}");
    }
}

#[test]
fn unknown_format_is_refused() {
    let venue = Venue::create(Shape::TINY);
    let raw = rusqlite::Connection::open(venue.store().join("sequencer.db")).unwrap();
    raw.pragma_update(None, "user_version", 4).unwrap();
    drop(raw);
    assert!(matches!(venue.look(), Err(Error::Format { found: 4, known: 3, .. })));
}

#[test]
fn second_writer_is_kept_out_and_readers_are_not() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut first = venue.open();
    let second = Sequencer::open(&venue.store(), Access::Write);
    assert!(matches!(second, Err(Error::Held(_))));
    submit(&mut first, Source::Public, &trade_lines(1, 2), at(1));
    assert_eq!(venue.look().unwrap().status(), first.status());
    drop(first);
    venue.open();
}

#[test]
fn writer_that_was_taken_over_is_fenced() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut first = venue.open();
    // Where the lock does not work, as on some network file systems.
    fs::remove_file(venue.store().join("lock")).unwrap();
    fs::write(venue.store().join("lock"), "").unwrap();
    let mut second = venue.open();
    let refused = first.seal();
    assert!(matches!(refused, Err(Error::Fenced { .. })), "{refused:?}");
    assert!(matches!(first.seal(), Err(Error::Poisoned)));
    assert!(second.seal().unwrap().is_some());
}

#[test]
fn nothing_is_written_after_a_failure() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let lines = trade_lines(2, 2).join("\n").into_bytes();
    let input = std::io::Cursor::new(lines);
    let late = || Err(Error::Configuration("no clock".to_owned()));
    let failed = sequencer.submit(Source::Public, read_groups(input, 1).unwrap(), late, |_| Ok(()));
    assert!(matches!(failed, Err(Error::Configuration(_))), "{failed:?}");
    let before = venue.look().unwrap().status().sequence;
    let input = std::io::Cursor::new(trade_lines(2, 2).join("\n").into_bytes());
    let lost = |_: &[_]| Err(OutputError::from(io::Error::other("no room")).into());
    let failed =
        sequencer.submit(Source::Public, read_groups(input, 1).unwrap(), || Ok(at(1)), lost);
    assert!(matches!(failed, Err(Error::Output(_))), "{failed:?}");
    // What could not be answered is kept; the client asks again.
    assert_eq!(venue.look().unwrap().status().sequence, before + 1);
}
