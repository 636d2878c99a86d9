//! What a file holds, as JSON.

use serde_json::{Value, json};
use zkmargin_verifier::format::{MAGIC_PROOF, MAGIC_STATEMENT};
use zkmargin_verifier::{
    FormatError, KeyFile, KeyPolicy, ProofFile, StatementFile, VerifyError, snarkjs,
};

/// Describes a key, proof or statement file by its first bytes; any other file is refused as a
/// foreign key.
pub fn describe(file: &[u8]) -> Result<Value, FormatError> {
    match file.first_chunk::<8>() {
        Some(magic) if *magic == MAGIC_PROOF => describe_proof(file),
        Some(magic) if *magic == MAGIC_STATEMENT => describe_statement(file),
        _ => describe_key(file),
    }
}

/// The verdict of a check: `good`, or the reason.
fn verdict(result: Result<(), VerifyError>) -> Value {
    match result {
        Ok(()) => json!("good"),
        Err(error) => json!({ "reason": error.name(), "message": error.to_string() }),
    }
}

fn describe_key(file: &[u8]) -> Result<Value, FormatError> {
    let KeyFile { circuit, provenance, key } = KeyFile::from_bytes(file)?;
    Ok(json!({
        "kind": "verifying key",
        "circuit": hex::encode(circuit),
        "provenance": provenance.name(),
        "digest": hex::encode(key.digest()),
        "public_inputs": key.input_count(),
        "hygiene": verdict(key.check(KeyPolicy::Strict)),
        "key": parsed(&snarkjs::key_json(&key, provenance)),
    }))
}

fn describe_proof(file: &[u8]) -> Result<Value, FormatError> {
    let ProofFile { circuit, provenance, proof } = ProofFile::from_bytes(file)?;
    Ok(json!({
        "kind": "proof",
        "circuit": hex::encode(circuit),
        "provenance": provenance.name(),
        "proof": parsed(&snarkjs::proof_json(&proof)),
    }))
}

fn describe_statement(file: &[u8]) -> Result<Value, FormatError> {
    let StatementFile(statement) = StatementFile::from_bytes(file)?;
    let inputs = statement.public_inputs();
    Ok(json!({
        "kind": "statement",
        "chain_id": statement.domain.chain_id,
        "contract": format!("0x{}", hex::encode(statement.domain.contract)),
        "version": statement.domain.version,
        "header": verdict(inputs.clone().map(|_| ())),
        "public_inputs": inputs.ok().map(|inputs| parsed(&snarkjs::public_json(inputs.as_slice()))),
        "commitment": parsed(&snarkjs::public_json(&[statement.commitment]))[0],
        "words": parsed(&snarkjs::public_json(&statement.words)),
    }))
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("what was just written is JSON")
}
