//! `kill -9` at random moments of `submit` and `seal`: nothing acknowledged is lost, doubled or half-applied.
//!
//! `ZKMARGIN_KILL_CYCLES` sets the number of cycles, `ZKMARGIN_KILL_SEED` the moments.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use support::*;

use zkmargin_fixtures::synthetic::NOW_S;
use zkmargin_protocol::shape::Shape;
use zkmargin_sequencer::{Sequencer, Source, Submission};

const TRADERS: u32 = 8;
const CYCLES: usize = 20;
/// Lines of one submission, of which up to `LINES_AGAIN` were sent before.
const LINES: usize = 48;
const LINES_AGAIN: usize = 6;
/// Cycles between two replays of the whole log, which is the slow part.
const CYCLES_PER_REPLAY: usize = 50;

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text}")),
        Err(_) => default,
    }
}

/// What a client and the disk must agree about.
struct Drill {
    venue: Venue,
    /// All lines there will be, in the order they are sent, and what the log must hold of each.
    lines: Vec<String>,
    ids: Vec<String>,
    payloads: Vec<String>,
    /// Receipts by identity.
    acknowledged: BTreeMap<String, Value>,
    /// Lines found in the log.
    kept: usize,
    report: Report,
}

#[derive(Debug, Default)]
struct Report {
    cycles: usize,
    /// Cycles in which the process was gone before the kill.
    finished: usize,
    /// Kills after which the log held more than was acknowledged.
    kept_unanswered: usize,
    repeated: usize,
    batches: u64,
}

impl Drill {
    fn new(cycles: usize) -> Self {
        let venue = Venue::open_for_trade(Shape::SMALL, TRADERS);
        let lines = trade_lines((cycles + 2) * LINES, TRADERS);
        let parsed: Vec<_> =
            lines.iter().map(|line| Submission::parse(Source::Public, line).unwrap()).collect();
        let ids = parsed.iter().map(|one| one.identity().to_hex().to_string()).collect();
        let payloads = parsed.iter().map(|one| serde_json::to_string(one).unwrap()).collect();
        let (acknowledged, report) = (BTreeMap::new(), Report::default());
        Self { venue, lines, ids, payloads, acknowledged, kept: 0, report }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sequencer"));
        command.arg("--store").arg(self.venue.store()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `command`, kills it after `delay`; the whole lines it has written, and how long it ran.
    fn run(&mut self, mut command: Command, delay: Option<Duration>) -> (Vec<Value>, Duration) {
        let start = Instant::now();
        let mut child = command.spawn().expect("the sequencer's binary");
        let mut output = child.stdout.take().expect("a pipe");
        let reader = thread::spawn(move || {
            let mut text = Vec::new();
            output.read_to_end(&mut text).expect("a pipe");
            text
        });
        if let Some(delay) = delay {
            thread::sleep(delay);
            child.kill().expect("our child");
        }
        let status = child.wait().expect("our child");
        let mut errors = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
        assert!(errors.is_empty(), "{errors}");
        self.report.finished += usize::from(delay.is_some() && status.success());
        let text = reader.join().expect("the reader");
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let lines = text[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let answers = lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect();
        (answers, start.elapsed())
    }

    fn submit(&mut self, rng: &mut impl Rng, delay: Option<Duration>) -> Duration {
        let first = self.kept.saturating_sub(rng.gen_range(0..=LINES_AGAIN));
        let sent = &self.lines[first..(self.kept + LINES).min(self.lines.len())];
        let file = self.venue.folder.path().join("lines");
        fs::write(&file, sent.join("\n")).unwrap();
        let time = (NOW_S + 1).to_string();
        let group = rng.gen_range(1..=16).to_string();
        let mut command = self.command(&["submit", "--time", &time, "--group-max", &group]);
        command.arg(&file);
        let (answers, elapsed) = self.run(command, delay);
        let receipts = accepted(&answers);
        let refused = answers.iter().find(|answer| answer["accepted"] == false);
        assert_eq!(refused, None);
        for (place, receipt) in receipts.into_iter().enumerate() {
            let id = &self.ids[first + place];
            assert_eq!(receipt["id"], **id, "answers come in the order of the lines");
            if let Some(before) = self.acknowledged.insert(id.clone(), receipt.clone()) {
                assert_eq!(before, receipt, "a second answer is the first");
                self.report.repeated += 1;
            }
        }
        elapsed
    }

    fn seal(&mut self, delay: Option<Duration>) -> Duration {
        let command = self.command(&["seal"]);
        self.run(command, delay).1
    }

    /// Compares what is on the disk with what was promised.
    fn check(&mut self, replays: bool) {
        let log = submissions(&self.venue.store());
        // Genesis, table, deposits of the traders; then the lines, whole and in order.
        let trades = &log[TRADERS as usize..];
        for (place, (_, id, payload)) in trades.iter().enumerate() {
            assert_eq!((id, payload), (&self.ids[place], &self.payloads[place]));
        }
        self.kept = trades.len();
        assert!(self.kept >= self.acknowledged.len(), "acknowledged entries are gone");
        self.report.kept_unanswered += usize::from(self.kept > self.acknowledged.len());
        for (sequence, id, _) in trades {
            if let Some(receipt) = self.acknowledged.get(id) {
                assert_eq!(receipt["sequence"], *sequence);
            }
        }
        // Opening checks the chain, the accounts against the sealed root, and the pending trades.
        let sequencer = self.venue.look().expect("a sound store");
        let total: i64 = (0..TRADERS + 2).map(|index| balance(&sequencer, index)).sum();
        assert_eq!(total, i64::from(TRADERS) * 1_000_000_000_000, "cash is conserved");
        self.check_files(&sequencer);
        self.report.batches = sequencer.status().batches;
        if replays {
            let replayed = sequencer.replay().expect("a log that follows the rules");
            assert_eq!(replayed.root, sequencer.status().root);
        }
    }

    /// Files under their final names are whole.
    fn check_files(&self, sequencer: &Sequencer) {
        for batch in sequencer.batches().expect("sound batches").iter().rev().take(2) {
            let folder = tempfile::tempdir().unwrap();
            if batch.artefact.exists() && batch.statement.exists() {
                sequencer.export(folder.path()).unwrap();
                for file in [&batch.artefact, &batch.statement] {
                    let again = folder.path().join(file.file_name().unwrap());
                    assert!(fs::read(file).unwrap() == fs::read(again).unwrap(), "{file:?}");
                }
            }
        }
    }
}

/// Sequence number, identity and payload of every submission in the log.
fn submissions(store: &Path) -> Vec<(u64, String, String)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = Connection::open_with_flags(store.join("sequencer.db"), flags).unwrap();
    let sql = "SELECT sequence, lower(hex(id)), payload FROM events \
               WHERE kind = 'submission' ORDER BY sequence";
    let mut statement = database.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?, row.get(2)?))
    };
    let rows = statement.query_map([], row).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn kill_at_random_moments_loses_nothing() {
    let cycles = setting("ZKMARGIN_KILL_CYCLES", CYCLES);
    let seed = setting("ZKMARGIN_KILL_SEED", 1);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drill = Drill::new(cycles);
    // The moments of the kills are spread over the time an undisturbed run takes here.
    let whole_submit = drill.submit(&mut rng, None);
    let whole_seal = drill.seal(None);
    drill.check(true);
    for cycle in 1..=cycles {
        let share = rng.gen_range(0.0..1.1);
        if cycle % 4 == 0 {
            drill.seal(Some(whole_seal.mul_f64(share)));
        } else {
            drill.submit(&mut rng, Some(whole_submit.mul_f64(share)));
        }
        drill.report.cycles = cycle;
        drill.check(cycle % CYCLES_PER_REPLAY == 0);
    }
    // What is left is answered as if nothing had happened, and what was answered is answered again.
    let all = drill.lines[..drill.kept + 1].to_vec();
    drill.seal(None);
    let answers = submit(&mut drill.venue.open(), Source::Public, &all, at(1));
    for receipt in accepted(&answers) {
        let id = receipt["id"].as_str().unwrap();
        if let Some(before) = drill.acknowledged.get(id) {
            assert_eq!(before, &receipt);
        }
    }
    let answered = drill.acknowledged.len();
    drill.acknowledged = accepted(&answers)
        .into_iter()
        .map(|receipt| (receipt["id"].as_str().unwrap().to_owned(), receipt))
        .collect();
    assert_eq!(drill.acknowledged.len(), all.len());
    drill.check(true);
    println!("seed {seed}: {:?}, {answered} acknowledged, {} kept", drill.report, drill.kept);
}
