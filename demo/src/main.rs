//! `cargo demo`: a recorded market, signed trades, a batch, its proof, and three verifiers. Every
//! figure printed is measured in the run that prints it.
//!
//! Exit status: 0 every verifier answered as it should; 1 something is refused or accepted that
//! should not be; 2 wrong usage; 3 a file or standard output cannot be read or written.
#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod chain;
mod market;
mod narrative;
mod proof;
mod venue;

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use narrative::Narrative;
use zkmargin_fixtures::data::trades;
use zkmargin_host::{FileError, OutputError, file, output, usage};
use zkmargin_verifier::Domain;

/// What a stage may fail with; the message is for a person.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the exit status means, for `--help`.
const STATUS: &str = "Exit status: 0 every verifier answered as it should; 1 something is \
                      refused or accepted that should not be; 2 wrong usage; 3 a file or \
                      standard output cannot be read or written";

/// Runs the whole path on recorded data: risk table, trades, batch, proof, verification here and in
/// an EVM.
#[derive(Parser)]
#[command(version, after_help = STATUS)]
struct Arguments {
    /// Folder for every artefact; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    out: PathBuf,
    /// Folder where proving keys are kept, so that the next run need not make them again; by
    /// default `keys` in the folder of artefacts.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(help) => return ExitCode::from(usage::status(help.print(), help.use_stderr())),
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("demo: {error}"));
            ExitCode::from(if is_environment(error.as_ref()) { 3 } else { 1 })
        }
    }
}

/// Whether files or standard output are the reason, or the reason of the reason.
fn is_environment(error: &(dyn Error + 'static)) -> bool {
    let is_own = error.is::<FileError>() || error.is::<OutputError>() || error.is::<io::Error>();
    is_own || error.source().is_some_and(is_environment)
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let out = &arguments.out;
    let keys = arguments.keys.clone().unwrap_or_else(|| out.join("keys"));
    file::ensure_writable_folder(&keys)?;
    file::ensure_writable_folder(out)?;
    let mut narrative = Narrative::new();

    let manifest = trades::manifest()?;
    let domain = Domain::new(manifest.chain_id, manifest.contract.0);
    if domain.field() != manifest.domain {
        return Err(
            "the shipped flow is signed for another protocol: `cargo xtask fixtures`".into()
        );
    }
    let table = market::build(&mut narrative, manifest.domain, out)?;
    narrative.check()?;
    let sealed = venue::trade(&mut narrative, &manifest, table, out)?;
    narrative.check()?;
    let proven = proof::prove(&mut narrative, &sealed, &keys, out)?;
    narrative.check()?;
    proof::verify(&mut narrative, &sealed, out)?;
    narrative.check()?;
    chain::verify(&mut narrative, domain, &sealed, &proven, out)?;
    narrative.close(out)
}

/// Writes an artefact, whole or not at all.
fn keep(out: &Path, name: &str, content: impl AsRef<[u8]>) -> Outcome<()> {
    Ok(file::write(&out.join(name), content.as_ref())?)
}
