//! What follows from the log is made again; what does not is named, and never made up.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::program::{BINARY, copy_folder, raw, sequencer, traded};
use crate::support::drill::setting;
use crate::support::*;

use zkmargin_fixtures::build::account_index;
use zkmargin_sequencer::{Access, Error, Remedy, Sequencer, Source, rebuild};

/// Everything that a store serves and keeps, as a text.
fn content(store: &Path) -> Result<String, Error> {
    let sequencer = Sequencer::open(store, Access::Read)?;
    sequencer.replay()?;
    let mut status = sequencer.status();
    status.epoch = 0;
    let mut text = format!("{status:?}");
    for index in 0..5 {
        text += &format!("{:?}", sequencer.account(account_index(index))?);
    }
    for batch in sequencer.batches()? {
        text += &format!("{} {} {:?} {}", batch.batch, batch.sequence, batch.time, batch.root);
        for file in [batch.artefact, batch.statement] {
            text += &fs::read(file).map_or("none".into(), |b| blake3::hash(&b).to_string());
        }
    }
    Ok(text)
}

/// Changes that the log can undo: rows, schema, mode.
const DERIVABLE: [&str; 14] = [
    "UPDATE accounts SET content = replace(content, '\"cash\":\"', '\"cash\":\"1') \
     WHERE account = 2",
    "UPDATE accounts SET content = 'x' WHERE account = 2",
    "DELETE FROM accounts WHERE account = 3",
    "INSERT INTO accounts (account, content) VALUES (-7, '{}')",
    "UPDATE specs SET content = replace(content, '\"strike\":\"', '\"strike\":\"1')",
    "DELETE FROM specs",
    "UPDATE batches SET artefact = zeroblob(10) WHERE number = 0",
    "UPDATE batches SET sequence = sequence - 1 WHERE number = 0",
    "DELETE FROM batches",
    "INSERT INTO batches SELECT 7, 3, artefact, statement FROM batches WHERE number = 0",
    "DELETE FROM writer",
    "CREATE TABLE other (a)",
    "PRAGMA application_id = 1",
    "PRAGMA journal_mode = delete",
];

#[test]
fn changed_row_schema_or_mode_is_made_again() {
    let venue = traded();
    let expect = content(&venue.store()).unwrap();
    for (place, change) in DERIVABLE.into_iter().enumerate() {
        let victim = venue.folder.path().join(format!("victim-{place}"));
        copy_folder(&venue.store(), &victim);
        raw(&victim).execute_batch(change).unwrap();
        assert!(content(&victim).is_err(), "{change}");
        let path = victim.to_str().expect("ASCII");
        // The message names the path and what helps, and doing that helps.
        let refused = sequencer(&victim, &["status", "--verify"]);
        refused.failed(&[path, &format!("`sequencer --store {path} rebuild`")]);
        let report = &sequencer(&victim, &["rebuild"]).good()[0];
        assert_ne!(report["rebuilt"], Value::Array(vec![]), "{change}");
        assert_eq!(report["lost"], Value::Array(vec![]), "{change}");
        assert_eq!(content(&victim).unwrap(), expect, "{change}");
        let nothing = &sequencer(&victim, &["rebuild"]).good()[0];
        assert_eq!(nothing["rebuilt"], Value::Array(vec![]), "{change}");
        // It takes what the store took before, and goes on.
        let mut writer = open_for_writing(&victim);
        let lines = trade_lines(9, 3);
        let answers = submit(&mut writer, Source::Public, &lines, at(2));
        assert_eq!(accepted(&answers).len(), lines.len(), "{change}: {answers:?}");
        writer.seal().unwrap().expect("pending trades");
        writer.replay().unwrap();
    }
}

/// The header of the database may say that it is in another mode, which a reader does not see.
#[test]
fn a_header_that_forbids_writing_is_made_again() {
    let venue = traded();
    let expect = content(&venue.store()).unwrap();
    let victim = venue.folder.path().join("victim");
    copy_folder(&venue.store(), &victim);
    let database = victim.join("sequencer.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[18] ^= 1;
    fs::write(&database, &bytes).unwrap();
    for command in ["status", "seal"] {
        sequencer(&victim, &[command]).failed(&["the mode in the header", "rebuild`"]);
    }
    let report = &sequencer(&victim, &["rebuild"]).good()[0];
    assert_eq!(report["rebuilt"], serde_json::json!(["sequencer.db"]));
    assert_eq!(content(&victim).unwrap(), expect);
    sequencer(&victim, &["seal"]).good();
    // Where nothing is left to make it from, it says what helps, and not itself.
    fs::write(&database, "").unwrap();
    let refused = sequencer(&victim, &["rebuild"]).failed(&["restore a backup"]);
    assert!(!refused.contains("rebuild`"), "{refused}");
}

#[test]
fn lost_and_changed_files_are_made_again() {
    let venue = traded();
    let expect = content(&venue.store()).unwrap();
    let batches = venue.store().join("batches");
    fs::remove_file(batches.join("batch-0.json")).unwrap();
    fs::write(batches.join("statement-1.bin"), "other").unwrap();
    fs::remove_file(venue.store().join("lock")).unwrap();
    let store = venue.store();
    let path = store.to_str().expect("ASCII");
    sequencer(&store, &["seal"]).failed(&[path, "`lock` is gone", "rebuild"]);
    std::os::unix::fs::symlink("nowhere", venue.store().join("lock")).unwrap();
    sequencer(&store, &["seal"]).failed(&[path, "`lock` is gone", "rebuild"]);
    let report = &sequencer(&store, &["rebuild"]).good()[0];
    assert_eq!(report["rebuilt"], serde_json::json!(["lock", "batch-0.json", "statement-1.bin"]));
    assert_eq!(content(&store).unwrap(), expect);
    fs::remove_dir_all(&batches).unwrap();
    sequencer(&store, &["rebuild"]).good();
    assert_eq!(content(&store).unwrap(), expect);
}

#[test]
fn lost_anchor_needs_a_word_for_it() {
    let venue = traded();
    let store = venue.store();
    let expect = content(&store).unwrap();
    let anchor = store.join("anchor");
    let whole = fs::read(&anchor).unwrap();
    let path = store.to_str().expect("ASCII");
    for rotten in [None, Some(vec![]), Some(vec![0; whole.len()])] {
        match &rotten {
            None => fs::remove_file(&anchor).unwrap(),
            Some(bytes) => fs::write(&anchor, bytes).unwrap(),
        }
        let with_word = format!("`sequencer --store {path} rebuild --without-anchor`");
        for command in ["status", "seal", "rebuild"] {
            sequencer(&store, &[command]).failed(&[path, "anchor", &with_word, "backup"]);
        }
        assert_eq!(fs::read(&anchor).ok(), rotten, "nothing is made without the word");
        let report = &sequencer(&store, &["rebuild", "--without-anchor"]).good()[0];
        assert_eq!(report["acknowledged"], Value::Null);
        let lost = report["lost"][0].as_str().expect("a text");
        assert!(lost.contains("cannot be told"), "{lost}");
        assert_eq!(report["rebuilt"], serde_json::json!(["anchor"]));
        assert_eq!(content(&store).unwrap(), expect);
    }
    // With one slot left the word is not needed.
    let mut half = fs::read(&anchor).unwrap();
    half[3] ^= 1;
    fs::write(&anchor, half).unwrap();
    let report = &sequencer(&store, &["rebuild"]).good()[0];
    assert_eq!(report["rebuilt"], serde_json::json!(["anchor"]));
}

#[test]
fn damaged_log_is_refused_and_its_first_damaged_entry_named() {
    let changes = [
        ("UPDATE events SET payload = '{}' WHERE sequence = 4", 4),
        ("UPDATE events SET time = time + 1 WHERE sequence IN (5, 7)", 5),
        ("UPDATE events SET id = NULL WHERE sequence = 6", 6),
        ("DELETE FROM events WHERE sequence = 3", 3),
        ("DELETE FROM events WHERE sequence > 8", 9),
        ("DELETE FROM events", 0),
        ("UPDATE events SET hash = zeroblob(32) WHERE sequence = 2", 2),
        ("UPDATE events SET time = -1 WHERE sequence = 2", 2),
    ];
    let venue = traded();
    for (place, (change, first)) in changes.into_iter().enumerate() {
        let victim = venue.folder.path().join(format!("victim-{place}"));
        copy_folder(&venue.store(), &victim);
        raw(&victim).execute_batch(change).unwrap();
        let before = fs::read(victim.join("sequencer.db")).unwrap();
        let path = victim.to_str().expect("ASCII");
        let entry = format!("entry {first} ");
        for options in [&["rebuild"][..], &["rebuild", "--without-anchor"]] {
            sequencer(&victim, options).failed(&[path, &entry, "restore a backup"]);
        }
        let after = fs::read(victim.join("sequencer.db")).unwrap();
        assert!(before == after, "{change}: the damaged log is left as it is");
    }
}

#[test]
fn lost_tail_is_never_rebuilt_away() {
    let venue = traded();
    let store = venue.store();
    // An older database, whole in itself, under a newer anchor.
    let old = fs::read(store.join("sequencer.db")).unwrap();
    let last = venue.look().unwrap().status().sequence;
    submit(&mut venue.open(), Source::Public, &trade_lines(9, 3)[7..], at(1));
    fs::write(store.join("sequencer.db"), old).unwrap();
    let lost = format!("entry {} of the log was acknowledged and is gone", last + 1);
    for options in [&["rebuild"][..], &["rebuild", "--without-anchor"]] {
        sequencer(&store, options).failed(&[&lost, "restore a backup"]);
    }
    fs::remove_file(store.join("sequencer.db")).unwrap();
    sequencer(&store, &["rebuild"]).failed(&["sequencer.db", "is gone", "restore a backup"]);
}

#[test]
fn store_in_use_is_not_rebuilt() {
    let venue = traded();
    let writer = venue.open();
    let held = ["another sequencer holds", "for 1 s"];
    sequencer(&venue.store(), &["--wait", "1", "rebuild"]).failed(&held);
    // Even where the lock was lost.
    fs::remove_file(venue.store().join("lock")).unwrap();
    sequencer(&venue.store(), &["--wait", "1", "rebuild"]).failed(&held);
    drop(writer);
    sequencer(&venue.store(), &["rebuild"]).good();
}

#[test]
fn killed_rebuild_is_run_again() {
    let venue = traded();
    let expect = content(&venue.store()).unwrap();
    let damage = |victim: &Path| {
        let rows = "DELETE FROM accounts; DELETE FROM batches; DROP TABLE specs";
        raw(victim).execute_batch(rows).unwrap();
        fs::remove_dir_all(victim.join("batches")).unwrap();
        fs::remove_file(victim.join("anchor")).unwrap();
    };
    let start = |victim: &Path| {
        let mut command = Command::new(BINARY);
        command.arg("--store").arg(victim).args(["rebuild", "--without-anchor"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary")
    };
    let undisturbed = venue.folder.path().join("undisturbed");
    copy_folder(&venue.store(), &undisturbed);
    damage(&undisturbed);
    let whole = Instant::now();
    assert!(start(&undisturbed).wait().unwrap().success());
    let whole = whole.elapsed();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for cycle in 0..12 {
        let victim = venue.folder.path().join(format!("victim-{cycle}"));
        copy_folder(&venue.store(), &victim);
        damage(&victim);
        for _ in 0..2 {
            let mut child = start(&victim);
            thread::sleep(whole.mul_f64(rng.gen_range(0.0..1.0)));
            child.kill().expect("our child");
            child.wait().expect("our child");
        }
        sequencer(&victim, &["rebuild", "--without-anchor"]).good();
        let names = fs::read_dir(&victim).unwrap().map(|entry| entry.unwrap().file_name());
        let drafts = names.filter(|name| name.to_string_lossy().contains("draft"));
        assert_eq!(drafts.count(), 0, "cycle {cycle}");
        assert_eq!(content(&victim).unwrap(), expect, "cycle {cycle}");
    }
}

/// The state a crash leaves: the newest part of the log is in the write-ahead log.
fn crashed(venue: &Venue) -> std::path::PathBuf {
    let mut sequencer = venue.open();
    submit(&mut sequencer, Source::Public, &trade_lines(9, 3)[7..], at(1));
    let copy = copy_folder(&venue.store(), &venue.folder.path().join("crashed"));
    let log = fs::metadata(copy.join("sequencer.db-wal")).unwrap();
    assert!(log.len() > 4096);
    copy
}

/// `ZKMARGIN_FLIP_CYCLES` sets the number of bytes that are flipped, one at a time, in any file of
/// a store; `ZKMARGIN_FLIP_SEED` which.
#[test]
fn flipped_byte_is_harmless_found_and_rebuilt_or_refused_by_name() {
    let cycles = setting("ZKMARGIN_FLIP_CYCLES").unwrap_or(20);
    let seed = setting("ZKMARGIN_FLIP_SEED").unwrap_or(1);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let venue = traded();
    let copy = crashed(&venue);
    let expect = content(&copy).unwrap();
    let files = ["sequencer.db", "sequencer.db-wal", "anchor", "batches/batch-0.json"];
    let victim = venue.folder.path().join("victim");
    let (mut harmless, mut rebuilt, mut refused) = (0, 0, 0);
    for cycle in 0..cycles {
        let name = files[cycle % files.len()];
        let _ = fs::remove_dir_all(&victim);
        copy_folder(&copy, &victim);
        let mut bytes = fs::read(victim.join(name)).unwrap();
        let place = rng.gen_range(0..bytes.len());
        let flip = rng.gen_range(1..=255u8);
        bytes[place] ^= flip;
        fs::write(victim.join(name), bytes).unwrap();
        let what = format!("seed {seed}: byte {place} of {name}");
        if content(&victim).is_ok_and(|content| content == expect) {
            harmless += 1;
            continue;
        }
        let before = refused;
        match rebuild(&victim, false, Duration::ZERO) {
            Ok(_) => {
                assert_eq!(content(&victim).unwrap(), expect, "{what}");
                rebuilt += 1;
            }
            Err(Error::Damaged(damage)) => {
                assert_ne!(damage.remedy(), Remedy::RebuildWithoutAnchor, "{what}");
                let text = damage.to_string();
                assert!(text.contains("victim is damaged"), "{what}: {text}");
                assert!(text.contains("restore a backup"), "{what}: {text}");
                refused += 1;
            }
            Err(Error::Format { .. }) => refused += 1,
            Err(other) => panic!("{what}: {other}"),
        }
        if refused > before {
            // What refuses has destroyed nothing: with the byte as it was, all is there.
            assert!(Sequencer::open(&victim, Access::Write).is_err(), "{what}");
            let mut bytes = fs::read(victim.join(name)).unwrap();
            bytes[place] ^= flip;
            fs::write(victim.join(name), bytes).unwrap();
            assert_eq!(content(&victim).unwrap(), expect, "{what}");
        }
    }
    println!(
        "seed {seed}: {cycles} bytes, {harmless} harmless, {rebuilt} rebuilt, {refused} refused"
    );
    assert_eq!(harmless + rebuilt + refused, cycles);
    assert!(rebuilt > 0, "some of the files are derivable");
}
