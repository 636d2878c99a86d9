//! The `prover` binary: keys and proofs.
//!
//! Exit status: 0 good; 2 wrong usage; 3 a file cannot be read or written, standard output
//! included; any other number is the code of a [`refusal::Refusal`], listed in `prover help`.
#![forbid(unsafe_code)]

mod commands;
mod files;
mod refusal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use zkmargin_host::{output, threads, usage};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_verifier::address;

/// Make keys and prove batches.
///
/// Exit status: 0 good, 2 wrong usage, 3 file error, 50 no ceremony yet (setup wants --dev), 51 key
/// refused or missing, 52 key is for another circuit, 53 batch breaks a rule, 54 statement is not
/// the batch's, 55 own proof does not verify, 56 batch unreadable, 57 another setup is running.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a proving key, or carry on with an interrupted one.
    Setup(SetupArgs),
    /// Prove a batch.
    Prove(ProveArgs),
    /// Look at keys.
    #[command(subcommand)]
    Keys(Keys),
    /// List the shapes of batches.
    Shapes,
}

#[derive(Args)]
struct SetupArgs {
    /// Shape of the batches: tiny, small or large.
    #[arg(long, value_parser = parse_shape)]
    shape: Shape,
    /// Folder of the keys.
    #[arg(long, default_value = "keys")]
    cache: PathBuf,
    /// Make a development key: this machine could forge proofs with it.
    #[arg(long)]
    dev: bool,
    /// Make a new key in place of one that is there, damaged for example.
    #[arg(long)]
    replace: bool,
}

#[derive(Args)]
struct ProveArgs {
    /// The batch, as the sequencer exports it.
    #[arg(long)]
    batch: PathBuf,
    /// Its statement; by default `statement-N.bin` beside `batch-N.json`.
    #[arg(long, conflicts_with_all = ["chain_id", "contract"])]
    statement: Option<PathBuf>,
    /// Chain of the statement, if there is no statement file.
    #[arg(long, requires = "contract")]
    chain_id: Option<u64>,
    /// Contract of the statement, 0x and 40 hexadecimal digits. Letters of both cases must be the
    /// checksum of EIP-55.
    #[arg(long, requires = "chain_id", value_parser = address::parse)]
    contract: Option<[u8; 20]>,
    /// Folder for the proof's files.
    #[arg(long)]
    out: PathBuf,
    /// The proving key; by default the one in the folder of the keys.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Folder of the keys.
    #[arg(long, default_value = "keys")]
    cache: PathBuf,
    /// Report how many values of the witness are one, short and wide, which tells something of the
    /// private part of the batch.
    #[arg(long)]
    census: bool,
}

#[derive(Subcommand)]
enum Keys {
    /// Check that every point of a key is in its group, and that all are of one set of secrets for
    /// the circuit of a shape. Takes about as long as two proofs.
    Verify {
        /// The key.
        file: PathBuf,
        /// The shape it must be for; otherwise the shape whose circuit the key names.
        #[arg(long, value_parser = parse_shape)]
        shape: Option<Shape>,
    },
    /// Show what a key is for, as JSON.
    Inspect {
        /// The key.
        file: PathBuf,
    },
}

fn parse_shape(name: &str) -> Result<Shape, String> {
    let names = Shape::NAMED.map(|(name, _)| name).join(", ");
    Shape::named(name).ok_or_else(|| format!("the shapes are {names}"))
}

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return usage::status(error.print(), error.use_stderr()).into(),
    };
    if let Err(error) = threads::start() {
        output::note(format_args!("prover: {error}"));
        return ExitCode::from(3);
    }
    let outcome = match command {
        Command::Setup(args) => commands::setup(&args),
        Command::Prove(args) => commands::prove(&args),
        Command::Keys(Keys::Verify { file, shape }) => commands::verify_key(&file, shape),
        Command::Keys(Keys::Inspect { file }) => commands::inspect_key(&file),
        Command::Shapes => commands::list_shapes(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            output::note(format_args!("prover: {refusal}"));
            refusal.code().into()
        }
    }
}
