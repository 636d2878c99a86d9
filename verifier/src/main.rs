//! The `verifier` binary: verify, inspect and export proofs, and write the contract which verifies
//! them.
//!
//! Exit status: 0 good; 2 wrong usage; 3 a file cannot be read or written, standard output
//! included; any other number is the code of the reason for which something was refused
//! ([`zkmargin_verifier::VerifyError::code`], [`zkmargin_verifier::FormatError::code`],
//! [`zkmargin_verifier::snarkjs::SnarkjsError::code`]).
#![forbid(unsafe_code)]

mod commands;
mod failure;
mod inspect;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use serde_json::json;
use zkmargin_host::{OutputError, output, threads, usage};
use zkmargin_verifier::address;

use crate::failure::Failure;

/// Verify zkmargin's proofs.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Verify a proof of a statement.
    Verify(VerifyArgs),
    /// Verify the JSON files of snarkjs.
    Snarkjs(SnarkjsArgs),
    /// Write key, public inputs and proof as the JSON files of snarkjs.
    Export(ExportArgs),
    /// Show what a key, proof or statement file holds, as JSON.
    Inspect {
        /// The file.
        file: PathBuf,
    },
    /// Write the Solidity source of the contract which verifies with a key.
    Solidity(SolidityArgs),
    /// Print the calldata which submits a proof to the contract, in hexadecimal digits.
    Calldata(CalldataArgs),
}

#[derive(Args)]
struct Triple {
    /// Verifying key file.
    #[arg(long)]
    key: PathBuf,
    /// Statement file.
    #[arg(long)]
    statement: PathBuf,
    /// Proof file.
    #[arg(long)]
    proof: PathBuf,
}

#[derive(Args)]
struct VerifyArgs {
    #[command(flatten)]
    triple: Triple,
    /// The chain which the statement must be for; the statement's own otherwise.
    #[arg(long)]
    chain_id: Option<u64>,
    /// The contract, 0x and 40 hexadecimal digits, which the statement must be for; the statement's
    /// own otherwise. Letters of both cases must be the checksum of EIP-55.
    #[arg(long, value_parser = address::parse)]
    contract: Option<[u8; 20]>,
    /// Accept a development key, under which proofs prove nothing.
    #[arg(long)]
    dev: bool,
    /// Print the verdict as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct SnarkjsArgs {
    /// verification_key.json
    #[arg(long)]
    key: PathBuf,
    /// public.json
    #[arg(long)]
    public: PathBuf,
    /// proof.json
    #[arg(long)]
    proof: PathBuf,
    /// Accept a key to whose second phase nobody contributed, under which proofs prove nothing.
    #[arg(long)]
    allow_unfinalised_key: bool,
    /// Accept a key which is marked as one for development, under which proofs prove nothing.
    #[arg(long)]
    dev: bool,
    /// Print the verdict as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ExportArgs {
    #[command(flatten)]
    triple: Triple,
    /// Folder for verification_key.json, public.json and proof.json; created if absent.
    #[arg(long)]
    out: PathBuf,
    /// Export a development key, under which proofs prove nothing; the JSON is marked.
    #[arg(long)]
    dev: bool,
}

#[derive(Args)]
struct SolidityArgs {
    /// Verifying key file.
    #[arg(long)]
    key: PathBuf,
    /// The file to write.
    #[arg(long)]
    out: PathBuf,
    /// Write a contract for a development key, whose maker can prove anything.
    #[arg(long)]
    dev: bool,
}

#[derive(Args)]
struct CalldataArgs {
    /// Statement file.
    #[arg(long)]
    statement: PathBuf,
    /// Proof file.
    #[arg(long)]
    proof: PathBuf,
    /// Verifying key file: the proof is verified first.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Accept a proof under a development key, which proves nothing.
    #[arg(long)]
    dev: bool,
}

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return usage::status(error.print(), error.use_stderr()).into(),
    };
    if let Err(error) = threads::start() {
        output::note(format_args!("bad: Io: {error}"));
        return ExitCode::from(3);
    }
    let (as_json, result) = match &command {
        Command::Verify(args) => (args.json, commands::verify(args)),
        Command::Snarkjs(args) => (args.json, commands::snarkjs(args)),
        Command::Export(args) => (false, commands::export(args)),
        Command::Inspect { file } => (false, commands::inspect(file)),
        Command::Solidity(args) => (false, commands::solidity(args)),
        Command::Calldata(args) => (false, commands::calldata(args)),
    };
    let code = match &result {
        Ok(_) => 0,
        Err(failure) => failure.code(),
    };
    match print(as_json, result) {
        Ok(()) => code.into(),
        Err(error) => {
            output::note(format_args!("bad: Io: {error}"));
            Failure::from(error).code().into()
        }
    }
}

/// Prints the verdict.
fn print(as_json: bool, result: Result<String, Failure>) -> Result<(), OutputError> {
    match result {
        Ok(good) if as_json => output::line(json!({ "verdict": "good", "what": good })),
        Ok(good) => output::line(good),
        Err(failure) => {
            let (reason, code, message) = (failure.name(), failure.code(), failure.to_string());
            if as_json {
                return output::line(json!({
                    "verdict": "bad", "reason": reason, "code": code, "message": message,
                }));
            }
            output::note(format_args!("bad: {reason}: {message}"));
            Ok(())
        }
    }
}
