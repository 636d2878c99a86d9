//! A batch proven.

use std::path::{Path, PathBuf};
use std::time::Instant;
use zkmargin_protocol::batch::trace::BatchTrace;

use serde_json::json;
use zkmargin_host::{file, output};
use zkmargin_prover::batch;
use zkmargin_prover::key::{self, ProvingKey};
use zkmargin_prover::progress::for_standard_error;
use zkmargin_prover::prove::{Proven, Prover};
use zkmargin_verifier::{
    Domain, KeyFile, ProofFile, Provenance, Statement, StatementFile, snarkjs,
};

use super::circuit;
use crate::ProveArgs;
use crate::files::{self, NewFolder};
use crate::refusal::Refusal;

/// The statement the proof is to be for.
fn statement(args: &ProveArgs, trace: &BatchTrace) -> Result<Statement, Refusal> {
    if let (Some(chain_id), Some(contract)) = (args.chain_id, args.contract) {
        return Ok(batch::statement(trace, Domain::new(chain_id, contract))?);
    }
    let beside = || args.batch.with_file_name(format!("statement-{}.bin", trace.number));
    files::read_statement(&args.statement.clone().unwrap_or_else(beside))
}

pub fn prove(args: &ProveArgs) -> Result<(), Refusal> {
    let started = Instant::now();
    let trace = files::read_batch(&args.batch)?;
    let statement = statement(args, &trace)?;
    let inputs = batch::public_inputs(&trace, &statement)?;
    // What takes no time comes first: is there a key, and a place for the proof?
    check_key(args)?;
    let folder = NewFolder::ensure(&args.out)?;
    // The batch is judged before the costly part.
    let assignment = batch::assignment(&trace, &inputs)?;
    let progress = for_standard_error();
    let r1cs = circuit(trace.shape, progress.as_ref());
    let path = args.key.clone().unwrap_or_else(|| key::path_in(&args.cache, &r1cs));
    progress.begin("key", 1);
    let key = ProvingKey::load(&path).map_err(|error| Refusal::key(&path, error))?;
    progress.end();
    if key.header.provenance == Provenance::Development {
        output::note("development key: the proof convinces only whoever made the key");
    }
    let prover = Prover::new(key, r1cs).map_err(|error| Refusal::prove(&path, error))?;
    let proven = prover
        .prove(&assignment, progress.as_ref())
        .map_err(|error| Refusal::prove(&path, error))?;
    let report = report(args, &prover, &proven, started);
    write(&args.out, &prover, &proven, &statement, &report)?;
    folder.keep();
    output::line(report)?;
    Ok(())
}

/// The named key is one by its header and length; in a folder of keys is at least one. Which of
/// them is for the batch is known when the circuit is made.
fn check_key(args: &ProveArgs) -> Result<(), Refusal> {
    if let Some(path) = &args.key {
        return ProvingKey::peek(path).map(|_| ()).map_err(|error| Refusal::key(path, error));
    }
    let is_key = |path: PathBuf| path.extension().is_some_and(|own| own == key::FILE_EXTENSION);
    let mut entries = std::fs::read_dir(&args.cache).into_iter().flatten().flatten();
    match entries.any(|entry| is_key(entry.path())) {
        true => Ok(()),
        false => Err(Refusal::NoKey { path: args.cache.clone() }),
    }
}

fn report(args: &ProveArgs, prover: &Prover, proven: &Proven, started: Instant) -> String {
    let stages: serde_json::Map<_, _> = proven
        .stages
        .iter()
        .map(|(stage, time)| (stage.name().to_owned(), json!(time.as_millis() as u64)))
        .collect();
    let header = &prover.key().header;
    let mut report = json!({
        "circuit": hex::encode(proven.circuit),
        "provenance": proven.provenance.name(),
        "constraints": header.constraints,
        "witnesses": header.witnesses,
        "domain": header.domain,
        "stages_ms": stages,
        "total_ms": started.elapsed().as_millis() as u64,
        "peak_rss_bytes": proven.peak_rss_bytes,
        "threads": rayon::current_num_threads(),
    });
    if args.census {
        let census = proven.census;
        report["scalars"] =
            json!({ "one": census.ones, "short": census.short, "wide": census.wide });
    }
    format!("{report:#}")
}

/// Writes the files of a proof, all or none.
fn write(
    out: &Path,
    prover: &Prover,
    proven: &Proven,
    statement: &Statement,
    report: &str,
) -> Result<(), Refusal> {
    let (circuit, provenance) = (proven.circuit, proven.provenance);
    let key = prover.key().verifying.clone();
    let proof = ProofFile { circuit, provenance, proof: proven.proof.clone() };
    let contents = [
        ("verification_key.json", snarkjs::key_json(&key, provenance).into_bytes()),
        ("public.json", snarkjs::public_json(&proven.public_inputs).into_bytes()),
        ("proof.json", snarkjs::proof_json(&proven.proof).into_bytes()),
        ("verifying_key.bin", KeyFile { circuit, provenance, key }.to_bytes()),
        ("statement.bin", StatementFile(statement.clone()).to_bytes()),
        ("proof.bin", proof.to_bytes()),
        ("report.json", report.as_bytes().to_vec()),
    ];
    file::write_together(&contents.map(|(name, content)| (out.join(name), content)))?;
    Ok(())
}
