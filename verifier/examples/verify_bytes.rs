//! Verifies a proof from the bytes of three files: key, statement, proof.
//!
//! `cargo run --release -p zkmargin-verifier --example verify_bytes -- DIR` reads them from DIR;
//! without a folder those in `verifier/examples/tiny` are taken, which the prover's example
//! `prove_batch` has written.

use std::error::Error;
use std::path::Path;

use zkmargin_host::{file, output};
use zkmargin_verifier::{
    KeyFile, KeyPolicy, PreparedKey, ProofFile, Provenance, StatementFile, verify,
};

/// A statement of 2^20 words is the longest file.
const BYTES_MAX: u64 = 40 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/tiny");
    let folder = std::env::args().nth(1).unwrap_or_else(|| shipped.to_owned());
    let read = |name: &str| file::read(&Path::new(&folder).join(name), BYTES_MAX);
    let verdict = judge(&read("verifying_key.bin")?, &read("statement.bin")?, &read("proof.bin")?)?;
    output::line(verdict)?;
    Ok(())
}

/// Says what was proven, or fails with the reason for which it was not.
fn judge(key: &[u8], statement: &[u8], proof: &[u8]) -> Result<String, Box<dyn Error>> {
    let key = KeyFile::from_bytes(key)?;
    let StatementFile(statement) = StatementFile::from_bytes(statement)?;
    let proof = ProofFile::from_bytes(proof)?;
    proof.check_matches(&key)?;
    // A caller with money at stake refuses development keys and compares key, chain and contract
    // with its own.
    let origin = match key.provenance {
        Provenance::Ceremony => "a ceremony's key",
        Provenance::Development => "a development key, under which its maker can prove anything",
    };
    let prepared = PreparedKey::new(&key.key, KeyPolicy::Strict)?;
    verify(&prepared, statement.public_inputs()?.as_slice(), &proof.proof)?;
    Ok(format!("good: {} words under {origin}", statement.words.len()))
}

#[test]
fn judges_bytes() {
    let key = include_bytes!("tiny/verifying_key.bin");
    let statement = include_bytes!("tiny/statement.bin");
    let proof = include_bytes!("tiny/proof.bin");
    assert!(judge(key, statement, proof).unwrap().starts_with("good"));
    let mut flipped = statement.to_vec();
    flipped[100] ^= 1;
    assert!(judge(key, &flipped, proof).unwrap_err().to_string().contains("damaged"));
}
