//! `simulator [--seed S] [--worlds W] [--operations N] [--tiny T] [--batches B] [--proofs P] [--record FILE]`: worlds one after
//! the other, and the counts of all at the end.
#![forbid(unsafe_code)]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use zkmargin_simulator::invariants::Invariant;
use zkmargin_simulator::prove::Bench;
use zkmargin_simulator::record::Record;
use zkmargin_simulator::run::Part;

/// A seeded market of honest and hostile agents under an independent auditor.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Seed of the first world; the next has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Large worlds, each from nothing: odd seeds calm, even seeds stormy.
    #[arg(long, default_value_t = 1)]
    worlds: u64,
    /// Operations tried in each of them, accepted or refused.
    #[arg(long, default_value_t = 10_000)]
    operations: u64,
    /// Worlds with batches of the tiny circuit.
    #[arg(long, default_value_t = 0)]
    tiny: u64,
    /// Batches of each of them whose every constraint is checked.
    #[arg(long, default_value_t = 100)]
    batches: u64,
    /// How many of these are proven and verified as well, beside those with a step of an auction; with 0 none is.
    #[arg(long, default_value_t = 5)]
    proofs: u64,
    /// A file to which worlds done are added, and whose worlds are not run again.
    #[arg(long)]
    record: Option<PathBuf>,
    /// Prints the invariants and runs nothing.
    #[arg(long)]
    list: bool,
}

impl Arguments {
    fn parts(&self) -> Vec<Part> {
        let Self { seed, operations, batches, proofs, .. } = *self;
        let tiny = (seed..seed + self.tiny).map(|seed| Part::Tiny { seed, batches, proofs });
        let large = (seed..seed + self.worlds).map(|seed| Part::large(seed, operations));
        tiny.chain(large).collect()
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if arguments.list {
        for invariant in Invariant::ALL {
            println!("{invariant:?} ({}): {}", invariant.threat(), invariant.sentence());
        }
        return Ok(());
    }
    let mut record = arguments.record.as_deref().map(Record::open).transpose()?.unwrap_or_default();
    let due: Vec<Part> = arguments.parts().into_iter().filter(|part| !record.has(part)).collect();
    let wants = |k: usize| due.iter().any(|part| part.wants()[k]);
    let bench = wants(0).then(|| Bench::new(wants(1))).transpose()?;
    let started = Instant::now();
    for part in &due {
        let show = &mut |line| println!("{part:?}: {line} ({:.0?})", started.elapsed());
        record.add(part.run(bench.as_ref(), show)?)?;
    }
    println!("{} worlds, {} now in {:.0?}", record.outcomes().len(), due.len(), started.elapsed());
    println!("{}{} invariants, all held", record.total(), Invariant::ALL.len());
    Ok(())
}
