//! Runs of the binary that end at a moment, and what a client and the disk must agree about
//! afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rand::Rng;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use zkmargin_fixtures::build::NOW_S;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_sequencer::{Access, Sequencer, Source, Submission};

use super::{Venue, accepted, at, balance, open_for_writing, submit, trade_lines};

const TRADERS: u32 = 8;
/// Lines of one submission, of which up to `LINES_AGAIN` were sent before.
const LINES: usize = 48;
const LINES_AGAIN: usize = 6;
/// Cycles between two replays of the whole log, which is the slow part.
const CYCLES_PER_REPLAY: usize = 50;

/// The value of an environment variable.
pub fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// What happens to the running process after `delay`. It is waited for afterwards.
#[derive(Clone, Copy)]
pub struct End<'a> {
    pub delay: Duration,
    pub cut: &'a dyn Fn(&mut Child),
}

/// A client of one store.
pub struct Drill {
    pub venue: Venue,
    pub store: PathBuf,
    /// How the binary is started: itself, or a program that runs it.
    pub program: Vec<String>,
    /// Cycles to come.
    planned: usize,
    /// All lines there will be, in the order they are sent, and what the log must hold of each.
    lines: Vec<String>,
    ids: Vec<String>,
    payloads: Vec<String>,
    /// Receipts by identity.
    pub acknowledged: BTreeMap<String, Value>,
    /// Answers to `seal`.
    sealed: Vec<Value>,
    /// Lines found in the log.
    pub kept: usize,
    pub report: Report,
}

#[derive(Debug, Default)]
pub struct Report {
    pub cycles: usize,
    /// Cycles in which the process was done before its end.
    pub finished: usize,
    /// Cycles in which the process itself gave up, naming a reason.
    pub gave_up: usize,
    /// Ends after which the log held more than was acknowledged.
    pub kept_unanswered: usize,
    pub repeated: usize,
    pub batches: u64,
}

impl Drill {
    pub fn new(cycles: usize) -> Self {
        let venue = Venue::open_for_trade(Shape::SMALL, TRADERS);
        let lines = trade_lines((cycles + 2) * LINES, TRADERS);
        let parsed: Vec<_> =
            lines.iter().map(|line| Submission::parse(Source::Public, line).unwrap()).collect();
        let ids = parsed.iter().map(|one| one.id.to_hex().to_string()).collect();
        let payloads =
            parsed.iter().map(|one| serde_json::to_string(&one.content).unwrap()).collect();
        Self {
            store: venue.store(),
            venue,
            program: vec![env!("CARGO_BIN_EXE_sequencer").to_owned()],
            planned: cycles,
            lines,
            ids,
            payloads,
            acknowledged: BTreeMap::new(),
            sealed: Vec::new(),
            kept: 0,
            report: Report::default(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program[0]);
        command.args(&self.program[1..]).arg("--store").arg(&self.store).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `command` to its end; the whole lines it has written, and how long it ran.
    fn run(&mut self, mut command: Command, end: Option<End<'_>>) -> (Vec<Value>, Duration) {
        let start = Instant::now();
        let mut child = command.spawn().expect("the sequencer's binary");
        let mut output = child.stdout.take().expect("a pipe");
        let reader = thread::spawn(move || {
            let mut text = Vec::new();
            output.read_to_end(&mut text).expect("a pipe");
            text
        });
        if let Some(End { delay, cut }) = end {
            thread::sleep(delay);
            cut(&mut child);
        }
        let status = child.wait().expect("our child");
        let mut errors = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
        let has_reason = end.is_some() && errors.starts_with("sequencer: ");
        assert!(errors.is_empty() || has_reason, "{errors}");
        self.report.gave_up += usize::from(has_reason);
        self.report.finished += usize::from(end.is_some() && status.success());
        let text = reader.join().expect("the reader");
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let lines = text[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let answers = lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect();
        (answers, start.elapsed())
    }

    pub fn submit(&mut self, rng: &mut impl Rng, end: Option<End<'_>>) -> Duration {
        let first = self.kept.saturating_sub(rng.gen_range(0..=LINES_AGAIN));
        let sent = &self.lines[first..(self.kept + LINES).min(self.lines.len())];
        let file = self.venue.folder.path().join("lines");
        fs::write(&file, sent.join("\n")).unwrap();
        let time = (NOW_S + 1).to_string();
        let group = rng.gen_range(1..=16).to_string();
        let mut command = self.command(&["submit", "--time", &time, "--group-max", &group]);
        command.arg(&file);
        let (answers, elapsed) = self.run(command, end);
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

    pub fn seal(&mut self, end: Option<End<'_>>) -> Duration {
        let command = self.command(&["seal"]);
        let (answers, elapsed) = self.run(command, end);
        self.sealed.extend(answers.into_iter().filter(|answer| !answer.is_null()));
        elapsed
    }

    fn look(&self) -> Sequencer {
        Sequencer::open(&self.store, Access::Read).expect("a sound store")
    }

    /// Compares what is on the disk with what was promised.
    pub fn check(&mut self, replays: bool) {
        let log = submissions(&self.store);
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
        let sequencer = self.look();
        let total: i64 = (0..TRADERS + 2).map(|index| balance(&sequencer, index)).sum();
        assert_eq!(total, i64::from(TRADERS) * 1_000_000_000_000, "cash is conserved");
        self.check_files(&sequencer);
        self.report.batches = sequencer.status().batches;
        if replays {
            let replayed = sequencer.replay().expect("a log that follows the rules");
            assert_eq!(replayed.root, sequencer.status().root);
        }
    }

    /// Batches answered for are there with their files; files under their final names are whole.
    fn check_files(&self, sequencer: &Sequencer) {
        let batches = sequencer.batches().expect("sound batches");
        for answer in &self.sealed {
            let place = answer["sealed"].as_u64().expect("a number");
            let found = batches.iter().find(|batch| batch.batch == place).expect("the batch");
            assert_eq!(answer["root"], found.root.to_string());
            assert!(found.artefact.exists() && found.statement.exists(), "files of {place}");
        }
        for batch in batches.iter().rev().take(2) {
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

    /// Cycles of `submit` and, every fourth, `seal`, each ended by `cut` at a random moment and
    /// then set right by `restart`.
    pub fn cycles(&mut self, rng: &mut impl Rng, cut: &dyn Fn(&mut Child), restart: &dyn Fn()) {
        // The moments are spread over the time an undisturbed run takes here.
        let whole_submit = self.submit(rng, None);
        let whole_seal = self.seal(None);
        self.check(true);
        for cycle in 1..=self.planned {
            let share = rng.gen_range(0.0..1.1);
            let end = |whole: Duration| Some(End { delay: whole.mul_f64(share), cut });
            if cycle % 4 == 0 {
                self.seal(end(whole_seal));
            } else {
                self.submit(rng, end(whole_submit));
            }
            restart();
            self.report.cycles = cycle;
            self.check(cycle % CYCLES_PER_REPLAY == 0);
        }
    }

    /// What is left is answered as if nothing had happened, and what was answered is answered
    /// again. Returns the number of lines acknowledged before.
    pub fn finish(&mut self) -> usize {
        let all = self.lines[..self.kept + 1].to_vec();
        self.seal(None);
        let mut sequencer = open_for_writing(&self.store);
        let answers = submit(&mut sequencer, Source::Public, &all, at(1));
        drop(sequencer);
        let receipts = accepted(&answers);
        for receipt in &receipts {
            if let Some(before) = self.acknowledged.get(receipt["id"].as_str().unwrap()) {
                assert_eq!(before, receipt);
            }
        }
        let answered = self.acknowledged.len();
        self.acknowledged = receipts
            .into_iter()
            .map(|receipt| (receipt["id"].as_str().unwrap().to_owned(), receipt))
            .collect();
        assert_eq!(self.acknowledged.len(), all.len());
        self.check(true);
        answered
    }
}

/// Sequence number, identity and payload of every submission in the log.
pub fn submissions(store: &Path) -> Vec<(u64, String, String)> {
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
