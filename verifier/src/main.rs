//! The `verifier` binary: verify, inspect and export proofs, and write the contract which verifies them.
//!
//! Exit status: 0 good; 2 wrong usage; 3 a file cannot be read or written; any other number is the code of the
//! reason for which something was refused ([`VerifyError::code`], [`FormatError::code`],
//! [`SnarkjsError::code`]).
#![forbid(unsafe_code)]

mod inspect;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};
use thiserror::Error;
use zkmargin_verifier::address;
use zkmargin_verifier::snarkjs::{self, SnarkjsError};
use zkmargin_verifier::solidity::{self, Deployment};
use zkmargin_verifier::{
    Domain, FormatError, KeyFile, KeyPolicy, PreparedKey, ProofFile, Provenance, Statement,
    StatementFile, VerifyError, verify,
};

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
    /// The contract, 0x and 40 hexadecimal digits, which the statement must be for; the statement's own
    /// otherwise. Letters of both cases must be the checksum of EIP-55.
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

/// Why the program ends without a good verdict.
#[derive(Debug, Error)]
enum Failure {
    #[error("{path}: {error}")]
    Io { path: String, error: std::io::Error },
    #[error("{path}: {error}")]
    File { path: String, error: FormatError },
    #[error("{path}: {error}")]
    Json { path: String, error: SnarkjsError },
    #[error(transparent)]
    Refused(#[from] VerifyError),
}

impl Failure {
    fn name(&self) -> &'static str {
        match self {
            Failure::Io { .. } => "Io",
            Failure::File { error, .. } => error.name(),
            Failure::Json { error, .. } => error.name(),
            Failure::Refused(error) => error.name(),
        }
    }

    fn code(&self) -> u8 {
        match self {
            Failure::Io { .. } => 3,
            Failure::File { error, .. } => error.code(),
            Failure::Json { error, .. } => error.code(),
            Failure::Refused(error) => error.code(),
        }
    }
}

fn main() -> ExitCode {
    let (as_json, result) = match Cli::parse().command {
        Command::Verify(args) => (args.json, run_verify(&args)),
        Command::Snarkjs(args) => (args.json, run_snarkjs(&args)),
        Command::Export(args) => (false, run_export(&args)),
        Command::Inspect { file } => (false, run_inspect(&file)),
        Command::Solidity(args) => (false, run_solidity(&args)),
    };
    match result {
        Ok(good) => {
            if as_json {
                println!("{}", json!({ "verdict": "good", "what": good }));
            } else {
                println!("{good}");
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let (reason, code) = (failure.name(), failure.code());
            let message = failure.to_string();
            if as_json {
                let verdict: Value = json!({
                    "verdict": "bad", "reason": reason, "code": code, "message": message,
                });
                println!("{verdict}");
            } else {
                eprintln!("bad: {reason}: {message}");
            }
            ExitCode::from(code)
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::Io { path: path.display().to_string(), error })
}

fn write(path: &Path, content: &str) -> Result<(), Failure> {
    std::fs::write(path, content)
        .map_err(|error| Failure::Io { path: path.display().to_string(), error })
}

fn read_file<T>(
    path: &Path,
    parse: impl Fn(&[u8]) -> Result<T, FormatError>,
) -> Result<T, Failure> {
    let file = read(path)?;
    parse(&file).map_err(|error| Failure::File { path: path.display().to_string(), error })
}

fn read_json<T>(
    path: &Path,
    parse: impl Fn(&str) -> Result<T, SnarkjsError>,
) -> Result<T, Failure> {
    let file = read(path)?;
    // What is not UTF-8 is not JSON either, and the parser says so.
    parse(&String::from_utf8_lossy(&file))
        .map_err(|error| Failure::Json { path: path.display().to_string(), error })
}

/// Announces a development key, or refuses it where it was not asked for.
fn check_provenance(key: &KeyFile, dev: bool) -> Result<(), Failure> {
    if key.provenance == Provenance::Development {
        eprintln!("DEVELOPMENT KEY: whoever made this key can prove anything with it.");
        if !dev {
            return Err(VerifyError::DevelopmentKey.into());
        }
    }
    Ok(())
}

fn run_verify(args: &VerifyArgs) -> Result<String, Failure> {
    let key = read_file(&args.triple.key, KeyFile::from_bytes)?;
    check_provenance(&key, args.dev)?;
    let prepared = PreparedKey::new(&key.key, KeyPolicy::Strict)?;
    let StatementFile(statement) = read_file(&args.triple.statement, StatementFile::from_bytes)?;
    // The caller's expectation stands in for the file's own claim, so that a mismatch is found in the words.
    let domain = Domain {
        chain_id: args.chain_id.unwrap_or(statement.domain.chain_id),
        contract: args.contract.unwrap_or(statement.domain.contract),
        ..statement.domain
    };
    let statement = Statement { domain, ..statement };
    let inputs = statement.public_inputs()?;
    let proof = read_file(&args.triple.proof, ProofFile::from_bytes)?;
    proof.check_matches(&key)?;
    verify(&prepared, inputs.as_slice(), &proof.proof)?;
    Ok(format!(
        "good: {} words for contract 0x{} on chain {}, key {}, circuit {}",
        statement.words.len(),
        hex::encode(domain.contract),
        domain.chain_id,
        hex::encode(prepared.digest()),
        hex::encode(key.circuit),
    ))
}

fn run_snarkjs(args: &SnarkjsArgs) -> Result<String, Failure> {
    let policy = match args.allow_unfinalised_key {
        true => KeyPolicy::AllowUnfinalised,
        false => KeyPolicy::Strict,
    };
    let key = PreparedKey::new(&read_json(&args.key, snarkjs::parse_key)?, policy)?;
    let inputs = read_json(&args.public, snarkjs::parse_public)?;
    let proof = read_json(&args.proof, snarkjs::parse_proof)?;
    verify(&key, &inputs, &proof)?;
    Ok(format!("good: {} public inputs, key {}", inputs.len(), hex::encode(key.digest())))
}

fn run_export(args: &ExportArgs) -> Result<String, Failure> {
    let key = read_file(&args.triple.key, KeyFile::from_bytes)?;
    let StatementFile(statement) = read_file(&args.triple.statement, StatementFile::from_bytes)?;
    let proof = read_file(&args.triple.proof, ProofFile::from_bytes)?;
    let inputs = statement.public_inputs()?;
    let out = &args.out;
    std::fs::create_dir_all(out)
        .map_err(|error| Failure::Io { path: out.display().to_string(), error })?;
    write(&out.join("verification_key.json"), &snarkjs::key_json(&key.key))?;
    write(&out.join("public.json"), &snarkjs::public_json(inputs.as_slice()))?;
    write(&out.join("proof.json"), &snarkjs::proof_json(&proof.proof))?;
    Ok(format!("written: verification_key.json, public.json, proof.json in {}", out.display()))
}

fn run_inspect(path: &Path) -> Result<String, Failure> {
    let content = read_file(path, inspect::describe)?;
    Ok(serde_json::to_string_pretty(&content).expect("a JSON value always serialises"))
}

fn run_solidity(args: &SolidityArgs) -> Result<String, Failure> {
    let key = read_file(&args.key, KeyFile::from_bytes)?;
    check_provenance(&key, args.dev)?;
    let deployment = if args.dev { Deployment::Test } else { Deployment::Production };
    let tail = solidity::code_tail(&key, deployment)?;
    write(&args.out, &solidity::source(&key, deployment)?)?;
    let digest = hex::encode(solidity::key_digest(&tail));
    Ok(format!("written: {}, keyDigest 0x{digest}", args.out.display()))
}
