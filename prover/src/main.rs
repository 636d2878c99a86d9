//! The `prover` binary: keys and proofs.
//!
//! Exit status: 0 good; 2 wrong usage; 3 a file cannot be read or written; any other number is the code of a
//! [`Refusal`], listed in `prover help`.
#![forbid(unsafe_code)]

mod files;
mod refusal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use ark_bn254::Fr;
use clap::{Args, Parser, Subcommand};
use serde_json::json;
use zkmargin_circuits::cs::R1cs;
use zkmargin_protocol::batch::BatchTrace;
use zkmargin_protocol::shape::Shape;
use zkmargin_prover::batch;
use zkmargin_prover::key::{Header, KeyError, ProvingKey};
use zkmargin_prover::progress::{Progress, for_standard_error};
use zkmargin_prover::prove::{Proven, Prover};
use zkmargin_prover::setup;
use zkmargin_verifier::{
    Domain, KeyFile, ProofFile, Provenance, Statement, StatementFile, address, snarkjs,
};

use crate::refusal::Refusal;

/// Make keys and prove batches.
///
/// Exit status: 0 good, 2 wrong usage, 3 file error, 50 no ceremony yet (setup wants --dev), 51 key refused, 52 key is for another
/// circuit, 53 batch breaks a rule, 54 statement is not the batch's, 55 own proof does not verify, 56 batch
/// unreadable, 57 another setup is running.
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
}

#[derive(Subcommand)]
enum Keys {
    /// Check every point of a key, and its circuit if a shape is given.
    Verify {
        /// The key.
        file: PathBuf,
        /// The shape it must be for.
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
    let outcome = match Cli::parse().command {
        Command::Setup(args) => make_key(&args),
        Command::Prove(args) => prove(&args),
        Command::Keys(Keys::Verify { file, shape }) => verify_key(&file, shape),
        Command::Keys(Keys::Inspect { file }) => inspect_key(&file),
        Command::Shapes => list_shapes(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("prover: {refusal}");
            ExitCode::from(refusal.code())
        }
    }
}

/// Synthesises the circuit of a shape, saying so.
fn circuit(shape: Shape, progress: &dyn Progress) -> R1cs<Fr> {
    progress.begin("circuit", 1);
    let r1cs = batch::circuit(shape);
    progress.end();
    r1cs
}

/// Place of a circuit's key.
fn key_path(cache: &Path, r1cs: &R1cs<Fr>) -> PathBuf {
    cache.join(format!("{}.key", hex::encode(r1cs.digest())))
}

fn make_key(args: &SetupArgs) -> Result<(), Refusal> {
    if !args.dev {
        return Err(Refusal::NoCeremony);
    }
    let progress = for_standard_error();
    let r1cs = circuit(args.shape, progress.as_ref());
    files::ensure_folder(&args.cache)?;
    let path = key_path(&args.cache, &r1cs);
    if path.exists() {
        ProvingKey::load(&path)?.is_for(&r1cs)?;
        println!("{} is there and whole", path.display());
        return Ok(());
    }
    eprintln!("development key: whoever runs this setup can forge proofs under it");
    setup::setup(&r1cs, &path, progress.as_ref())?;
    println!("{}", path.display());
    Ok(())
}

/// The statement the proof is to be for.
fn statement(args: &ProveArgs, trace: &BatchTrace) -> Result<Statement, Refusal> {
    if let (Some(chain_id), Some(contract)) = (args.chain_id, args.contract) {
        return Ok(batch::statement(trace, Domain::new(chain_id, contract))?);
    }
    let beside = || args.batch.with_file_name(format!("statement-{}.bin", trace.number));
    let path = args.statement.clone().unwrap_or_else(beside);
    let bytes = files::read(&path)?;
    let StatementFile(statement) = StatementFile::from_bytes(&bytes)
        .map_err(|error| Refusal::StatementFile { path, error })?;
    Ok(statement)
}

fn prove(args: &ProveArgs) -> Result<(), Refusal> {
    let started = Instant::now();
    let progress = for_standard_error();
    let unreadable = |error| Refusal::Batch { path: args.batch.clone(), error };
    let trace: BatchTrace =
        serde_json::from_slice(&files::read(&args.batch)?).map_err(unreadable)?;
    let statement = statement(args, &trace)?;
    let inputs = batch::public_inputs(&trace, &statement)?;
    // The batch is judged before the costly part.
    let assignment = batch::assignment(&trace, &inputs)?;
    let r1cs = circuit(trace.shape, progress.as_ref());
    let path = args.key.clone().unwrap_or_else(|| key_path(&args.cache, &r1cs));
    progress.begin("key", 1);
    let key = match ProvingKey::load(&path) {
        Err(KeyError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Refusal::NoKey { path });
        }
        result => result?,
    };
    progress.end();
    if key.header.provenance == Provenance::Development {
        eprintln!("development key: the proof convinces only whoever made the key");
    }
    let prover = Prover::new(key, r1cs)?;
    let proven = prover.prove(&assignment, progress.as_ref())?;
    let report = write(&args.out, &prover, &proven, &statement, started)?;
    println!("{report}");
    Ok(())
}

/// Writes the files of a proof; returns the report.
fn write(
    out: &Path,
    prover: &Prover,
    proven: &Proven,
    statement: &Statement,
    started: Instant,
) -> Result<String, Refusal> {
    let (circuit, provenance) = (proven.circuit, proven.provenance);
    let key = prover.key().verifying.clone();
    let stages: serde_json::Map<_, _> = proven
        .stages
        .iter()
        .map(|(stage, time)| (stage.name().to_owned(), json!(time.as_millis() as u64)))
        .collect();
    let header = &prover.key().header;
    let report = json!({
        "circuit": hex::encode(circuit),
        "provenance": provenance.name(),
        "constraints": header.constraints,
        "witnesses": header.witnesses,
        "domain": header.domain,
        "scalars": {
            "one": proven.census.ones, "short": proven.census.short, "wide": proven.census.wide,
        },
        "stages_ms": stages,
        "total_ms": started.elapsed().as_millis() as u64,
        "peak_rss_bytes": proven.peak_rss_bytes,
        "threads": rayon::current_num_threads(),
    });
    let report = format!("{report:#}");
    files::ensure_folder(out)?;
    let proof = ProofFile { circuit, provenance, proof: proven.proof.clone() };
    files::write(out, "verification_key.json", snarkjs::key_json(&key).as_bytes())?;
    files::write(out, "public.json", snarkjs::public_json(&proven.public_inputs).as_bytes())?;
    files::write(out, "proof.json", snarkjs::proof_json(&proven.proof).as_bytes())?;
    files::write(out, "verifying_key.bin", &KeyFile { circuit, provenance, key }.to_bytes())?;
    files::write(out, "statement.bin", &StatementFile(statement.clone()).to_bytes())?;
    files::write(out, "proof.bin", &proof.to_bytes())?;
    files::write(out, "report.json", report.as_bytes())?;
    Ok(report)
}

fn verify_key(path: &Path, shape: Option<Shape>) -> Result<(), Refusal> {
    let progress = for_standard_error();
    let key = ProvingKey::load(path)?;
    if let Some(shape) = shape {
        key.is_for(&circuit(shape, progress.as_ref()))?;
    }
    progress.begin("points", 1);
    key.verify_points()?;
    progress.end();
    println!("every point is in its group; provenance {}", key.header.provenance.name());
    Ok(())
}

fn inspect_key(path: &Path) -> Result<(), Refusal> {
    let mut file = std::fs::File::open(path)
        .map_err(|error| Refusal::File { path: path.to_owned(), error })?;
    let header = Header::read(&mut file)?;
    let [a, b, l, h] = header.points;
    let shown = json!({
        "circuit": hex::encode(header.circuit),
        "provenance": header.provenance.name(),
        "reduction": "folded coset",
        "instances": header.instances,
        "witnesses": header.witnesses,
        "constraints": header.constraints,
        "domain": header.domain,
        "points": { "a": a, "b": b, "l": l, "h": h },
        "bytes": header.file_bytes(),
    });
    println!("{shown:#}");
    Ok(())
}

fn list_shapes() -> Result<(), Refusal> {
    for (name, shape) in Shape::NAMED {
        println!("{name}: {}", serde_json::to_string(&shape).expect("numbers with string keys"));
    }
    Ok(())
}
