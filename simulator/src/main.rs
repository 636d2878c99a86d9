//! `simulator [--seed S] [--worlds W] [--operations N] [--tiny T] [--batches B] [--proofs P]
//! [--record FILE]`: worlds one after the other, and the counts of all at the end.
//!
//! Exit status: 0 every invariant held; 1 one did not, or a batch was not proven; 2 wrong usage; 3
//! a file or standard output cannot be read or written.
#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, value_parser};
use zkmargin_host::{OutputError, output, usage};
use zkmargin_simulator::invariants::Invariant;
use zkmargin_simulator::prove::{Bench, CircuitError};
use zkmargin_simulator::record::{Record, RecordError};
use zkmargin_simulator::run::{Part, RunError};

/// What the exit status means, for `--help`.
const STATUS: &str = "Exit status: 0 every invariant held; 1 one did not, or a batch was not \
                      proven; 2 wrong usage; 3 a file or standard output cannot be read or \
                      written";
/// Most worlds of a kind in one run. More are shared out by seeds.
const WORLDS_MAX: u64 = 10_000;
/// Most operations in a world, so that its clock stays within the protocol's times.
const OPERATIONS_MAX: u64 = 100_000_000;
/// Most batches of a tiny world.
const BATCHES_MAX: u64 = 1_000_000;

/// A seeded market of honest and hostile agents under an independent auditor.
#[derive(Parser)]
#[command(version, after_help = STATUS)]
struct Arguments {
    /// Seed of the first world; the next has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Large worlds, each from nothing: odd seeds calm, even seeds stormy. 0 only with --tiny.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u64).range(..=WORLDS_MAX))]
    worlds: u64,
    /// Operations tried in each of them, accepted or refused.
    #[arg(
        long,
        default_value_t = 10_000,
        value_parser = value_parser!(u64).range(1..=OPERATIONS_MAX)
    )]
    operations: u64,
    /// Worlds with batches of the tiny circuit.
    #[arg(long, default_value_t = 0, value_parser = value_parser!(u64).range(..=WORLDS_MAX))]
    tiny: u64,
    /// Batches of each of them whose every constraint is checked.
    #[arg(
        long,
        default_value_t = 100,
        value_parser = value_parser!(u64).range(1..=BATCHES_MAX)
    )]
    batches: u64,
    /// How many of these are proven and verified as well, besides those with a step of an auction;
    /// with 0 none is.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u64).range(..=BATCHES_MAX))]
    proofs: u64,
    /// A file to which worlds done are added, and whose worlds are not run again.
    #[arg(long)]
    record: Option<PathBuf>,
    /// Prints the invariants and runs nothing.
    #[arg(long)]
    list: bool,
}

impl Arguments {
    /// The parts of the run, one at least.
    fn parts(&self) -> Result<Vec<Part>, clap::Error> {
        let Self { seed, worlds, operations, tiny, batches, proofs, .. } = *self;
        let refuse = |what: String| Self::command().error(ErrorKind::ValueValidation, what);
        let Some(more) = worlds.max(tiny).checked_sub(1) else {
            return Err(refuse(
                "--worlds 0 and --tiny 0 run nothing: one of them is above 0".into(),
            ));
        };
        let Some(last) = seed.checked_add(more) else {
            let most = u64::MAX - more;
            let worlds = more + 1;
            return Err(refuse(format!(
                "--seed {seed} for {worlds} worlds: found {seed}, allowed is 0 to {most}, because \
                 each world has the next seed"
            )));
        };
        let seeds = |count: u64| (seed..=last).take(count as usize);
        let tiny = seeds(tiny).map(|seed| Part::Tiny { seed, batches, proofs });
        let large = seeds(worlds).map(|seed| Part::large(seed, operations));
        Ok(tiny.chain(large).collect())
    }
}

/// Why a run ends early.
enum Failure {
    /// An invariant does not hold, or a batch is not proven. Exit status 1.
    Broken(String),
    /// A file or standard output cannot be read or written. Exit status 3.
    Environment(String),
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self::Environment(error.to_string())
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::Environment(error.to_string())
    }
}

impl From<CircuitError> for Failure {
    fn from(error: CircuitError) -> Self {
        let is_environment = matches!(
            error,
            CircuitError::Folder(_) | CircuitError::Setup(_) | CircuitError::Key(_)
        );
        let text = error.to_string();
        if is_environment { Self::Environment(text) } else { Self::Broken(text) }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(text) | Self::Environment(text) => f.write_str(text),
        }
    }
}

fn main() -> ExitCode {
    let parsed = Arguments::try_parse().and_then(|arguments| {
        let parts = arguments.parts()?;
        Ok((arguments, parts))
    });
    let (arguments, parts) = match parsed {
        Ok(parsed) => parsed,
        Err(help) => return ExitCode::from(usage::status(help.print(), help.use_stderr())),
    };
    let done = if arguments.list { list() } else { run(&arguments, &parts) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(format_args!("simulator: {failure}"));
            ExitCode::from(if matches!(failure, Failure::Broken(_)) { 1 } else { 3 })
        }
    }
}

fn list() -> Result<(), Failure> {
    for invariant in Invariant::ALL {
        let (threat, sentence) = (invariant.threat(), invariant.sentence());
        output::line(format_args!("{invariant:?} ({threat}): {sentence}"))?;
    }
    Ok(())
}

fn run(arguments: &Arguments, parts: &[Part]) -> Result<(), Failure> {
    let mut record = arguments.record.as_deref().map(Record::open).transpose()?.unwrap_or_default();
    if record.dropped() > 0 {
        output::note(format_args!(
            "simulator: the last line of the record was cut short; its {} bytes are dropped and \
             its world runs again",
            record.dropped()
        ));
    }
    let due: Vec<&Part> = parts.iter().filter(|part| !record.has(part)).collect();
    let wants = |k: usize| due.iter().any(|part| part.wants()[k]);
    let bench = wants(0).then(|| Bench::new(wants(1))).transpose()?;
    let started = Instant::now();
    for part in &due {
        let mut shown = Ok(());
        let show = &mut |line| {
            if shown.is_ok() {
                shown = output::line(format_args!("{part:?}: {line} ({:.0?})", started.elapsed()));
            }
        };
        record.add(part.run(bench.as_ref(), show)?)?;
        shown?;
    }
    let (all, now) = (record.outcomes().len(), due.len());
    output::line(format_args!("{all} worlds, {now} of them now, in {:.0?}", started.elapsed()))?;
    let count = Invariant::ALL.len();
    output::line(format_args!("{}{count} invariants, all held", record.total()))?;
    Ok(())
}
