//! Proves one tiny batch, a deposit, a trade and a withdrawal, and verifies the proof.
//!
//! `cargo run --release -p zkmargin-prover --example prove_batch -- DIR` writes key, statement and
//! proof to DIR, for `verifier verify`, `cargo xtask evm DIR --dev` and the verifier's example
//! `verify_bytes`.

use std::error::Error;
use std::path::Path;
use std::{env, fs, process};

use zkmargin_fixtures::build::tiny_batch;
use zkmargin_fixtures::data::trades;
use zkmargin_host::{file, output};
use zkmargin_prover::batch;
use zkmargin_prover::key::ProvingKey;
use zkmargin_prover::progress::Silent;
use zkmargin_prover::prove::Prover;
use zkmargin_prover::setup::setup;
use zkmargin_verifier::{
    Domain, KeyFile, KeyPolicy, PreparedKey, ProofFile, Provenance, StatementFile, verify,
};

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::args().nth(1);
    prove(out.as_deref().map(Path::new))
}

fn prove(out: Option<&Path>) -> Result<(), Box<dyn Error>> {
    // The batch, and what it says in public to one contract on one chain.
    let trace = tiny_batch(true);
    let manifest = trades::manifest()?;
    let statement = batch::statement(&trace, Domain::new(manifest.chain_id, manifest.contract.0))?;
    let inputs = statement.public_inputs()?;

    // A circuit and a development key for every batch of this shape.
    let r1cs = batch::circuit(trace.shape);
    let path = env::temp_dir().join(format!("zkmargin-example-{}.key", process::id()));
    setup(&r1cs, &path, &Silent)?;
    let key = ProvingKey::load(&path)?;
    fs::remove_file(&path)?;

    // The witness is judged here: a batch that breaks a rule gets no proof.
    let assignment = batch::assignment(&trace, &inputs)?;
    let prover = Prover::new(key, r1cs)?;
    let proven = prover.prove(&assignment, &Silent)?;

    let key = prover.key().verifying.clone();
    verify(&PreparedKey::new(&key, KeyPolicy::Strict)?, inputs.as_slice(), &proven.proof)?;
    let (trades, accounts) = (trace.trades.len(), trace.accounts.len());
    let words = statement.words.len();
    output::line(format_args!("{trades} trade, {accounts} accounts, {words} words: verified"))?;

    if let Some(out) = out {
        let (circuit, provenance) = (proven.circuit, Provenance::Development);
        let proof = ProofFile { circuit, provenance, proof: proven.proof };
        file::ensure_writable_folder(out)?;
        file::write_together(&[
            (out.join("verifying_key.bin"), KeyFile { circuit, provenance, key }.to_bytes()),
            (out.join("statement.bin"), StatementFile(statement).to_bytes()),
            (out.join("proof.bin"), proof.to_bytes()),
        ])?;
    }
    Ok(())
}

#[test]
fn proves_and_verifies() {
    prove(None).unwrap();
}
