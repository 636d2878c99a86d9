//! Processes side by side: intake that waits for its next line, the watcher of L1, the oracle,
//! whoever closes batches. Real processes, real pipes, the real clock.

mod support;

use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use support::process::{Talk, answers, run, sequencer, written};
use support::*;

use zkmargin_fixtures::build::account_index;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::value::units::{Tier, Time};
use zkmargin_sequencer::{Access, Sequencer, Source};

/// Batches are never old in tests that are not about their age.
const NEVER: &str = "1000000";

fn clock(seconds_before: u64) -> Time {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    Time::new(now - seconds_before).expect("a time")
}

/// A venue of the present, with `traders` of 1,000,000 USDC each.
fn venue_of_today(traders: u32) -> Venue {
    let venue = Venue::create(Shape::SMALL);
    let mut sequencer = venue.open();
    sequencer.take_table(table(1, clock(5)), clock(0)).unwrap().expect("a sound table");
    let lines: Vec<String> = (2..2 + traders)
        .map(|k| deposit_line(&format!("first-{k}"), deposit(k, 1_000_000)))
        .collect();
    assert_eq!(
        accepted(&submit(&mut sequencer, Source::Chain, &lines, clock(0))).len(),
        lines.len()
    );
    sequencer.seal().unwrap().expect("the deposits");
    venue
}

/// A transfer of one micro-USDC that does not expire.
fn transfer_line(from: u32, to: u32, number: u64) -> String {
    let mut transfer = request(from, transfer(to, 1), number);
    transfer.expiry = Time::MAX;
    line(&sign_request(transfer))
}

/// Whether a line was taken.
fn is_taken(answer: &Value) -> bool {
    answer["accepted"] == true
}

#[test]
fn everything_else_goes_on_while_intake_waits_for_a_line() {
    let venue = venue_of_today(3);
    let (store, folder) = (venue.store(), venue.folder.path());
    let mut intake = Talk::start(&store, &["submit", "--batch-age-max", NEVER, "-"]);
    let first = intake.ask(&transfer_line(2, 3, 0));
    assert!(is_taken(&first), "{first}");
    // The first process says nothing and ends nothing, and each of these comes to its end.
    let file = |name: &str, content: String| written(folder, name, content).display().to_string();
    let chain = file("chain", deposit_line("later", deposit(4, 7)));
    let tier = GrantTier { account: account_index(3), tier: Tier::new(1).unwrap() };
    let grant = file("grant", serde_json::to_string(&tier).unwrap());
    let oracle = file("table", serde_json::to_string(&table(2, clock(3))).unwrap());
    let commands: [&[&str]; 6] = [
        &["chain", "--batch-age-max", NEVER, &chain],
        &["grant", "--batch-age-max", NEVER, &grant],
        &["parameters", "123"],
        &["oracle", &oracle],
        &["seal"],
        &["export"],
    ];
    for command in commands {
        let output = run(&store, command);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {output:?}");
    }
    // The table has closed the batch, and what the first process takes now is in the next one.
    let second = intake.ask(&transfer_line(2, 3, 1));
    assert!(is_taken(&second), "{second}");
    assert_eq!(second["batch"], 2, "{second}");
    assert!(
        is_taken(&intake.ask(&transfer_line(4, 2, 0))),
        "the deposit of another process counts"
    );
    assert_eq!(intake.ask(&transfer_line(2, 3, 0))["sequence"], first["sequence"], "one order");
    let sealed = run(&store, &["seal"]);
    assert_eq!(answers(&sealed)[0]["operations"], 2, "{sealed:?}");
    let (status, rest) = intake.end();
    assert_eq!((status.code(), rest), (Some(0), vec![]));
    let sequencer = venue.open();
    assert_eq!(sequencer.replay().expect("a log that follows the rules").batches, 3);
    let paid = [2, 3, 4].map(|index| balance(&sequencer, index) - 1_000_000_000_000);
    assert_eq!(paid, [-2 + 1, 2, 7_000_000 - 1]);
}

/// Whoever restores a backup puts another store under the name of the one that a writer waits for.
#[test]
fn a_writer_that_waits_says_no_more_once_a_backup_is_in_the_place_of_its_store() {
    let venue = venue_of_today(2);
    let (store, folder) = (venue.store(), venue.folder.path());
    let copy = folder.join("copy");
    let backup = run(&store, &["backup", copy.to_str().expect("ASCII")]);
    assert_eq!(backup.status.code(), Some(0), "{backup:?}");
    let mut intake = Talk::start(&store, &["submit", "--batch-age-max", NEVER, "-"]);
    assert!(is_taken(&intake.ask(&transfer_line(2, 3, 0))));
    std::fs::rename(&store, folder.join("old")).unwrap();
    std::fs::rename(&copy, &store).unwrap();
    intake.send(&transfer_line(2, 3, 1));
    let (status, answers) = intake.end();
    assert_eq!((status.code(), answers), (Some(3), vec![]), "nothing is acknowledged");
    let status = venue.look().unwrap().status();
    assert_eq!((status.batches, status.pending), (1, 0), "the backup is as it was made");
}

#[test]
fn a_batch_closes_by_its_age_without_another_line() {
    let venue = venue_of_today(2);
    let mut intake = Talk::start(&venue.store(), &["submit", "--batch-age-max", "1", "-"]);
    let taken = intake.ask(&transfer_line(2, 3, 0));
    assert!(is_taken(&taken), "{taken}");
    let closed = intake.answer();
    assert_eq!(
        (&closed["sealed"], &closed["operations"]),
        (&taken["batch"], &json!(1)),
        "{closed}"
    );
    let batches = venue.look().unwrap().batches().unwrap();
    let last = batches.last().expect("the batch");
    assert!(last.artefact.exists() && last.statement.exists());
    // What another process leaves in a batch is closed too, though nothing is said here.
    let lines = written(venue.folder.path(), "lines", transfer_line(3, 2, 0));
    let output = run(&venue.store(), &["submit", lines.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(is_taken(&answers(&output)[0]), "{output:?}");
    assert_eq!(intake.answer()["sealed"], answers(&output)[0]["batch"]);
    // A batch without operations is none.
    let next = intake.ask(&transfer_line(2, 3, 1));
    assert_eq!(next["batch"], 3, "{next}");
    let (status, _) = intake.end();
    assert_eq!(status.code(), Some(0));
    venue.open().replay().expect("a log that follows the rules");
}

#[test]
fn two_processes_take_lines_in_turn() {
    let venue = venue_of_today(2);
    let start = |command| Talk::start(&venue.store(), &[command, "--batch-age-max", NEVER, "-"]);
    let [mut orders, mut watcher] = ["submit", "chain"].map(start);
    let mut sequences = Vec::new();
    for number in 0..20 {
        let notice = deposit_line(&format!("turn-{number}"), deposit(3, 1));
        for (talk, line) in [(&mut orders, transfer_line(2, 3, number)), (&mut watcher, notice)] {
            let first = talk.ask(&line);
            // A batch that has no room for the line is closed before it.
            let answer = if first.get("sealed").is_some() { talk.answer() } else { first };
            assert!(is_taken(&answer), "{answer}");
            sequences.push(answer["sequence"].as_u64().unwrap());
        }
    }
    assert!(sequences.is_sorted_by(|first, second| first < second), "{sequences:?}");
    for talk in [orders, watcher] {
        assert_eq!(talk.end().0.code(), Some(0));
    }
    let sequencer = venue.open();
    sequencer.replay().expect("a log that follows the rules");
    assert_eq!(balance(&sequencer, 3), 1_000_000_000_000 + 20 * 1_000_001);
}

#[test]
fn a_stream_of_lines_lets_others_in() {
    let venue = venue_of_today(2);
    let arguments = ["submit", "--batch-age-max", NEVER, "-"];
    let mut child = sequencer(&venue.store(), &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the sequencer's binary");
    let mut input = child.stdin.take().expect("a pipe");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    // There is always a next line, until the test is done.
    let feeder = thread::spawn(move || {
        while stopped.try_recv().is_err() {
            input.write_all(b"no order\n").expect("a process that reads");
        }
    });
    for number in 0..3 {
        let lines = written(venue.folder.path(), "line", transfer_line(2, 3, number));
        let output = run(&venue.store(), &["submit", lines.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    let output = run(&venue.store(), &["seal"]);
    assert_eq!(answers(&output)[0]["operations"], 3, "{output:?}");
    stop.send(()).expect("a feeder");
    feeder.join().expect("no failed write");
    assert_eq!(child.wait().expect("our child").code(), Some(1), "every line was refused");
}

#[test]
fn kill_of_one_of_two_processes_loses_and_doubles_nothing() {
    let venue = venue_of_today(4);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut nonces = [0; 2];
    let mut known: Vec<(String, Value)> = Vec::new();
    for round in 0..6 {
        let mut talks = [2, 4].map(|trader| {
            let arguments = ["submit", "--batch-age-max", NEVER, "--group-max", "2", "-"];
            (trader, Talk::start(&venue.store(), &arguments))
        });
        let mut sent = [vec![], vec![]];
        for _ in 0..6 {
            for ((trader, talk), (sent, nonce)) in
                talks.iter_mut().zip(sent.iter_mut().zip(&mut nonces))
            {
                let line = transfer_line(*trader, *trader + 1, *nonce);
                *nonce += 1;
                talk.send(&line);
                sent.push(line);
            }
        }
        // The moment is not the same on every machine; what must hold is.
        thread::sleep(Duration::from_millis(rng.gen_range(0..150)));
        let victim = round % 2;
        talks[victim].1.kill();
        let heard = talks.map(|(_, talk)| talk.end());
        assert_eq!(heard[1 - victim].0.code(), Some(0), "the other one goes on");
        for ((_, answers), sent) in heard.into_iter().zip(&sent) {
            let receipts = accepted(&answers);
            known.extend(sent.iter().cloned().zip(receipts));
        }
        // What the victim has not answered is sent again, and taken once.
        let lines = written(venue.folder.path(), "again", sent.concat().join("\n"));
        let output = run(&venue.store(), &["submit", lines.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let again = accepted(&answers(&output));
        for (line, receipt) in sent.concat().into_iter().zip(again) {
            if let Some((_, first)) = known.iter().find(|(known, _)| *known == line) {
                assert_eq!(receipt, *first, "the first receipt again");
            }
        }
    }
    assert!(!known.is_empty(), "something was answered");
    let sequencer = Sequencer::open(&venue.store(), Access::Read).expect("a sound store");
    sequencer.replay().expect("a log that follows the rules");
    let moved = nonces.map(|count| i64::try_from(count).unwrap());
    let found = [2, 3, 4, 5].map(|index| balance(&sequencer, index) - 1_000_000_000_000);
    assert_eq!(found, [-moved[0], moved[0], -moved[1], moved[1]]);
}
