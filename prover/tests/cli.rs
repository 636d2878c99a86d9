//! The binary end to end on the tiny shape: key, proof, refusals with their exit status.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ark_bn254::Fr;
use tempfile::TempDir;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::{Mode, R1cs};
use zkmargin_fixtures::build;
use zkmargin_fixtures::data::trades::{
    batch_time, demo_accounts, demo_operations, manifest, market,
};
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_prover::batch;
use zkmargin_prover::progress::Silent;
use zkmargin_prover::setup::setup;
use zkmargin_verifier::{
    Domain, KeyFile, KeyPolicy, PreparedKey, ProofFile, Provenance, StatementFile, VerifyError,
    snarkjs, verify,
};

/// As many of the recorded flow's first operations as the tiny shape holds.
fn tiny_trace() -> BatchTrace {
    let domain = manifest().expect("manifest").domain;
    let accounts = demo_accounts().expect("accounts");
    let market = market(domain).expect("market");
    let opening = Snapshot::opening(domain, accounts, market.specs()).expect("cash");
    let state = State::new(opening).expect("a state");
    let time = batch_time(0).expect("time");
    let mut batch = Batch::new(&state, &market, Shape::TINY, time).expect("fresh data");
    for operation in &demo_operations().expect("operations")[0] {
        // What does not fit is left out.
        let _ = batch.push(std::slice::from_ref(operation));
    }
    assert!(batch.used().trades + batch.used().deposits > 0);
    batch.seal().expect("a valid batch").1
}

fn domain() -> Domain {
    let manifest = manifest().expect("manifest");
    Domain::new(manifest.chain_id, manifest.contract.0)
}

fn prover(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prover"));
    command.current_dir(folder).args(arguments).output().expect("the binary runs")
}

fn refused(folder: &Path, arguments: &[&str], code: i32, word: &str) {
    let output = prover(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.contains(word), "{arguments:?}: {said}");
    assert!(!folder.join("refused").exists(), "{arguments:?} wrote something");
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = prover(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn proves_a_batch_and_refuses_what_does_not_fit() {
    let folder = TempDir::new().expect("temporary folder");
    let folder = folder.path();
    let trace = tiny_trace();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("file");
    write("batch-0.json", &serde_json::to_vec(&trace).expect("JSON"));
    let statement = batch::statement(&trace, domain()).expect("same domain");
    write("statement-0.bin", &StatementFile(statement.clone()).to_bytes());

    refused(folder, &["setup", "--shape", "tiny"], 50, "no ceremony");
    refused(folder, &["setup", "--shape", "huge", "--dev"], 2, "tiny, small, large");
    refused(folder, &["prove", "--batch", "batch-0.json", "--out", "refused"], 51, "prover setup");
    let key = done(folder, &["setup", "--shape", "tiny", "--dev"]).trim().to_owned();
    done(folder, &["setup", "--shape", "tiny", "--dev"]);
    let inspected = done(folder, &["keys", "inspect", &key]);
    assert!(inspected.contains("\"provenance\": \"development\""), "{inspected}");
    done(folder, &["prove", "--batch", "batch-0.json", "--out", "proof"]);

    // The files verify, by our verifier, and carry their origin.
    let read = |name: &str| fs::read(folder.join("proof").join(name)).expect(name);
    let text = |name: &str| String::from_utf8(read(name)).expect("text");
    let key_file = KeyFile::from_bytes(&read("verifying_key.bin")).expect("key");
    let proof = ProofFile::from_bytes(&read("proof.bin")).expect("proof");
    assert_eq!(proof.provenance, Provenance::Development);
    proof.check_matches(&key_file).expect("one circuit, one origin");
    let StatementFile(stated) = StatementFile::from_bytes(&read("statement.bin")).expect("words");
    assert_eq!(stated, statement);
    let inputs = stated.public_inputs().expect("well formed");
    let prepared = PreparedKey::new(&key_file.key, KeyPolicy::Strict).expect("a fit key");
    assert_eq!(verify(&prepared, inputs.as_slice(), &proof.proof), Ok(()));
    let mut other = inputs;
    other.0[2] += Fr::from(1);
    let verdict = verify(&prepared, other.as_slice(), &proof.proof);
    assert_eq!(verdict, Err(VerifyError::PairingFailed));
    assert_eq!(snarkjs::parse_proof(&text("proof.json")).expect("JSON").proof, proof.proof);
    let marked = snarkjs::parse_key(&text("verification_key.json")).expect("JSON");
    assert_eq!((marked.key, marked.provenance), (key_file.key, Some(Provenance::Development)));
    assert_eq!(snarkjs::parse_public(&text("public.json")).expect("JSON"), inputs.as_slice());
    assert!(text("report.json").contains("\"provenance\": \"development\""));
    // How many values are short tells something of the private part.
    assert!(!text("report.json").contains("scalars"));
    let asked = done(folder, &["prove", "--batch", "batch-0.json", "--out", "asked", "--census"]);
    assert!(asked.contains("scalars") && asked.contains("\"short\""), "{asked}");

    refusals(folder, &trace, &key);
}

fn refusals(folder: &Path, trace: &BatchTrace, key: &str) {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("file");
    let json = |trace: &BatchTrace| serde_json::to_vec(trace).expect("JSON");
    let prove = |batch: &str, more: &[&str], code: i32, word: &str| {
        let fixed = ["prove", "--batch", batch, "--out", "refused"];
        refused(folder, &[&fixed[..], more].concat(), code, word);
    };
    // A batch altered after its statement was made; and one that is stated as it is.
    let mut forged = trace.clone();
    forged.accounts[0].margin.mark_value += 1;
    write("wrong-margin.json", &json(&forged));
    let Domain { chain_id, contract, .. } = domain();
    let (chain_id, contract) = (chain_id.to_string(), hex::encode(contract));
    let stated = ["--chain-id", &chain_id, "--contract", &contract];
    prove("wrong-margin.json", &stated, 53, "rule");
    let mut moved = trace.clone();
    moved.new_root += Fr::from(1);
    write("wrong-root.json", &json(&moved));
    prove("wrong-root.json", &["--statement", "statement-0.bin"], 54, "word 3");
    prove("wrong-root.json", &stated, 53, "AccountTree");
    prove("batch-0.json", &["--chain-id", "5", "--contract", &contract], 54, "domain");
    prove("batch-0.json", &["--statement", "batch-0.json"], 54, "not a statement");
    prove("statement-0.bin", &[], 56, "not a batch");
    prove("nothing.json", &[], 3, "nothing.json");
    // Keys: damaged, truncated, foreign.
    let bytes = fs::read(folder.join(key)).expect("the key");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    write("flipped.key", &flipped);
    prove("batch-0.json", &["--key", "flipped.key"], 51, "damaged");
    write("short.key", &bytes[..bytes.len() - 1]);
    prove("batch-0.json", &["--key", "short.key"], 51, "truncated");
    prove("batch-0.json", &["--key", "batch-0.json"], 51, "not a zkmargin proving key");
    refused(folder, &["keys", "verify", "flipped.key"], 51, "damaged");
    prove("batch-0.json", &["--key", "nothing.key"], 51, "there is no key nothing.key");
    setup(&other_circuit(), &folder.join("other.key"), &Silent).expect("setup");
    prove("batch-0.json", &["--key", "other.key"], 52, "wanted");
    refused(folder, &["keys", "verify", "other.key", "--shape", "tiny"], 52, "wanted");
    refused(folder, &["keys", "verify", "other.key"], 52, "tiny, small, large");
    let verified = done(folder, &["keys", "verify", key]);
    assert!(verified.contains("one set of secrets"), "{verified}");
    assert!(verified.contains("development"), "{verified}");
}

fn other_circuit() -> R1cs<Fr> {
    let mut cs = Cs::new(Mode::Shape);
    let input = cs.public_input(Fr::from(3));
    cs.product("square", &input, &input);
    cs.finish().1.expect("matrices were recorded")
}

#[test]
fn the_blank_batch_has_the_circuit_of_every_batch() {
    let (trace, synthetic) = (tiny_trace(), build::tiny_batch(true));
    let r1cs = batch::circuit(Shape::TINY);
    for trace in [trace, synthetic] {
        let mut cs = Cs::new(Mode::Shape);
        let public = BatchPublic::at(&trace, Fr::from(7));
        synthesize(&mut cs, &public, &trace);
        let (assignment, own) = cs.finish();
        assert_eq!(own.expect("matrices").digest(), r1cs.digest());
        assert_eq!(r1cs.first_unsatisfied(&assignment.full()), None);
    }
}
