//! `cargo demo`: a recorded market, signed trades, a batch, its proof, and three verifiers. Every figure printed
//! is measured in the run that prints it.
#![forbid(unsafe_code)]

mod chain;
mod market;
mod narrative;
mod proof;
mod venue;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use narrative::Narrative;
use zkmargin_fixtures::trades;
use zkmargin_verifier::Domain;

/// What a stage may fail with; the message is for a person.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs the whole path on recorded data: risk table, trades, batch, proof, verification here and in an EVM.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Folder for every artefact; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    out: PathBuf,
    /// Folder where proving keys are kept, so that the next run need not make them again; by default
    /// `keys` in the folder of artefacts.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let out = &arguments.out;
    let keys = arguments.keys.clone().unwrap_or_else(|| out.join("keys"));
    fs::create_dir_all(&keys)?;
    fs::create_dir_all(out)?;
    let mut narrative = Narrative::new();

    let manifest = trades::manifest()?;
    let domain = Domain::new(manifest.chain_id, manifest.contract.0);
    if domain.field() != manifest.domain {
        return Err(
            "the shipped flow is signed for another protocol: `cargo xtask fixtures`".into()
        );
    }
    let table = market::build(&mut narrative, manifest.domain, out)?;
    let sealed = venue::trade(&mut narrative, &manifest, table, out)?;
    let proven = proof::prove(&mut narrative, &sealed, &keys, out)?;
    proof::verify(&mut narrative, &sealed, out)?;
    chain::verify(&mut narrative, domain, &sealed, &proven, out)?;
    narrative.close(out)
}

/// Writes an artefact.
fn keep(out: &Path, name: &str, content: impl AsRef<[u8]>) -> Outcome<()> {
    let path = out.join(name);
    fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()).into())
}
