//! Replays the recorded crashes: tables and drawings of `docs/stress.md`.
//!
//! Exit status: 0 done; 1 recorded data or an operation are refused, or an account fell below zero
//! that could have been liquidated; 2 wrong usage; 3 a file or standard output cannot be read or
//! written.
#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use zkmargin_host::{FileError, OutputError, file, output, usage};
use zkmargin_stress::events::{EVENTS, Event, MODELLED};
use zkmargin_stress::settings::{Settings, VARIATIONS, Variation};
use zkmargin_stress::tally::Tally;
use zkmargin_stress::{StressError, plot, report};

/// What the exit status means, for `--help`.
const STATUS: &str = "Exit status: 0 done; 1 recorded data or an operation are refused, or an \
                      account fell below zero that could have been liquidated; 2 wrong usage; 3 \
                      a file or standard output cannot be read or written";
/// The event, the worst of all, whose settings are varied.
const VARIED: &str = "2020-03-eth";
/// Greatest size of the page.
const BYTES_MAX: u64 = 1 << 24;

/// Replays recorded crashes through the rules.
#[derive(Parser)]
#[command(after_help = STATUS)]
struct Arguments {
    /// Folder of the recorded data.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Folder of the page `stress.md` and of the drawings.
    #[arg(long, default_value = "docs")]
    out: PathBuf,
    /// This event only, by its name; its table is printed, nothing is written.
    #[arg(long, value_parser = PossibleValuesParser::new(events().map(|event| event.name)))]
    event: Option<String>,
}

/// A replay and what it is called.
type Column = (&'static str, Tally);

/// Every event, those with recorded volatilities first.
fn events() -> impl Iterator<Item = &'static Event> {
    EVENTS.iter().chain(&MODELLED)
}

/// Why the program ends without success.
enum Failure {
    /// Data, an operation or the assertion over the events. Exit status 1.
    Refused(String),
    /// A file or standard output. Exit status 3.
    Environment(String),
}

impl From<StressError> for Failure {
    fn from(error: StressError) -> Self {
        let text = error.to_string();
        if matches!(error, StressError::Missing(..)) {
            Self::Environment(text)
        } else {
            Self::Refused(text)
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::Environment(error.to_string())
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self::Environment(error.to_string())
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(help) => return ExitCode::from(usage::status(help.print(), help.use_stderr())),
    };
    let done = match events().find(|event| arguments.event.as_deref() == Some(event.name)) {
        Some(event) => print(&arguments, event),
        None => write(&arguments),
    };
    let (text, status) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Refused(text)) => (text, 1),
        Err(Failure::Environment(text)) => (text, 3),
    };
    output::note(format_args!("stress: {text}"));
    ExitCode::from(status)
}

fn print(arguments: &Arguments, event: &Event) -> Result<(), Failure> {
    let column = replay(arguments, event)?;
    Ok(output::bytes(table(&[column]).as_bytes())?)
}

/// Everything that is written, and the assertion over the events. The page and the drawings change
/// together, when all replays are done.
fn write(arguments: &Arguments) -> Result<(), Failure> {
    let page = arguments.out.join("stress.md");
    let drawings = arguments.out.join("stress");
    // Half an hour of replays comes before the first write.
    file::ensure_writable_folder(&drawings)?;
    let text = read_text(&page)?;
    let named = |error| Failure::Refused(format!("{}: {error}", page.display()));
    report::renewed(&text, &[]).map_err(named)?;
    let mut files = Vec::new();
    let mut crashes = Vec::new();
    for event in &EVENTS {
        let column = replay(arguments, event)?;
        let drawing = plot::svg(event.title, &column.1);
        files.push((drawings.join(format!("{}.svg", event.name)), drawing));
        crashes.push(column);
    }
    let recorded = |name: &str| {
        let mut events = EVENTS.iter().zip(&crashes);
        events.find(|(event, _)| event.name == name).map(|(_, column)| column.clone())
    };
    let mut varied: Vec<Column> = recorded(VARIED).into_iter().collect();
    for event in EVENTS.iter().filter(|event| event.name == VARIED) {
        for Variation { title, vary } in VARIATIONS {
            varied.push((title, event.replay(&arguments.data, vary)?));
        }
    }
    let mut modelled = Vec::new();
    for event in &MODELLED {
        modelled.extend(recorded(event.name.trim_end_matches("-modelled")));
        modelled.push(replay(arguments, event)?);
    }
    let tables = [
        ("The crashes", table(&crashes)),
        ("One thing changed", table(&varied)),
        ("Recorded and modelled volatilities", table(&modelled)),
    ];
    files.push((page, report::renewed(&text, &tables)?));
    file::write_together(&files)?;
    match crashes.iter().find(|(_, tally)| tally.avoidable > 0) {
        None => Ok(()),
        Some((title, tally)) => {
            let count = tally.avoidable;
            let text = format!("{title}: {count} falls below zero could have been avoided");
            Err(Failure::Refused(text))
        }
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let text = String::from_utf8(file::read(path, BYTES_MAX)?);
    text.map_err(|error| Failure::Environment(format!("{}: {error}", path.display())))
}

fn replay(arguments: &Arguments, event: &Event) -> Result<Column, Failure> {
    let unchanged: fn(&mut Settings) = |_| {};
    output::line(event.title)?;
    let loaded = event.load(&arguments.data)?;
    for (name, report) in loaded.reports.iter().filter(|(_, report)| !report.skipped.is_empty()) {
        output::line(format_args!("{}: {report}", arguments.data.join(name).display()))?;
    }
    Ok((event.title, event.replay_of(loaded.scene, unchanged)?))
}

fn table(columns: &[Column]) -> String {
    let columns: Vec<_> = columns.iter().map(|(title, tally)| (*title, tally)).collect();
    report::table(&columns)
}
