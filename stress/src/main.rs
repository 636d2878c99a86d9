//! Replays the recorded crashes: tables and drawings of `docs/stress.md`.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use zkmargin_stress::events::{EVENTS, Event, MODELLED};
use zkmargin_stress::settings::{VARIATIONS, Variation};
use zkmargin_stress::tally::Tally;
use zkmargin_stress::{plot, report};

/// The event, the worst of all, whose settings are varied.
const VARIED: &str = "2020-03-eth";

/// Replays recorded crashes through the rules.
#[derive(Parser)]
struct Arguments {
    /// Folder of the recorded data.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Folder of the page `stress.md` and of the drawings.
    #[arg(long, default_value = "docs")]
    out: PathBuf,
    /// This event only, by its name; its table is printed, nothing is written.
    #[arg(long)]
    event: Option<String>,
}

/// A replay and what it is called.
type Column = (&'static str, Tally);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.event {
        Some(name) => print(&arguments, name),
        None => write(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stress: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(arguments: &Arguments, name: &str) -> Result<(), Box<dyn Error>> {
    let event = EVENTS.iter().chain(&MODELLED).find(|event| event.name == name);
    let event = event.ok_or_else(|| format!("no event called {name}"))?;
    let column = replay(arguments, event)?;
    print!("{}", table(&[column]));
    Ok(())
}

/// Everything that is written, and the assertion over the events.
fn write(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut crashes = Vec::new();
    for event in &EVENTS {
        let column = replay(arguments, event)?;
        let drawing = plot::svg(event.title, &column.1);
        fs::write(arguments.out.join(format!("stress/{}.svg", event.name)), drawing)?;
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
    let page = arguments.out.join("stress.md");
    fs::write(&page, report::renewed(&fs::read_to_string(&page)?, &tables)?)?;
    let avoidable = crashes.iter().find(|(_, tally)| tally.avoidable > 0);
    avoidable.map_or(Ok(()), |(title, tally)| {
        let count = tally.avoidable;
        Err(format!("{title}: {count} falls below zero could have been avoided").into())
    })
}

fn replay(arguments: &Arguments, event: &Event) -> Result<Column, Box<dyn Error>> {
    println!("{}", event.title);
    Ok((event.title, event.replay(&arguments.data, |_| {})?))
}

fn table(columns: &[Column]) -> String {
    let columns: Vec<_> = columns.iter().map(|(title, tally)| (*title, tally)).collect();
    report::table(&columns)
}
