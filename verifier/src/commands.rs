//! What the commands do. Each returns the line to print.

use std::path::Path;

use ark_bn254::Fr;
use zkmargin_host::{file, output};
use zkmargin_verifier::format::{MAGIC_KEY, MAGIC_PROOF, MAGIC_STATEMENT};
use zkmargin_verifier::read;
use zkmargin_verifier::snarkjs::SnarkjsError;
use zkmargin_verifier::solidity::{self, Deployment};
use zkmargin_verifier::{
    Domain, KeyFile, KeyPolicy, PreparedKey, ProofFile, Provenance, Statement, StatementFile,
    VerifyError, snarkjs,
};

use crate::failure::Failure;
use crate::inspect as describe;
use crate::{CalldataArgs, ExportArgs, SnarkjsArgs, SolidityArgs, VerifyArgs};

fn read_key(path: &Path) -> Result<KeyFile, Failure> {
    Ok(read::container(path, &[MAGIC_KEY], KeyFile::from_bytes)?)
}

fn read_proof(path: &Path) -> Result<ProofFile, Failure> {
    Ok(read::container(path, &[MAGIC_PROOF], ProofFile::from_bytes)?)
}

fn read_statement(path: &Path) -> Result<Statement, Failure> {
    let StatementFile(statement) =
        read::container(path, &[MAGIC_STATEMENT], StatementFile::from_bytes)?;
    Ok(statement)
}

fn read_json<T>(
    path: &Path,
    parse: impl Fn(&str) -> Result<T, SnarkjsError>,
) -> Result<T, Failure> {
    /// That of a key for 65,536 public inputs.
    const BYTES_MAX: u64 = 16 << 20;
    let json = read::json(path, BYTES_MAX, "{[")?;
    parse(&json).map_err(|error| Failure::Json { path: path.to_owned(), error })
}

/// Announces a development key, or refuses it where it was not asked for.
fn check_provenance(provenance: Option<Provenance>, dev: bool) -> Result<(), Failure> {
    if provenance == Some(Provenance::Development) {
        output::note("DEVELOPMENT KEY: whoever made this key can prove anything with it.");
        if !dev {
            return Err(VerifyError::DevelopmentKey.into());
        }
    }
    Ok(())
}

/// The proof is one of the statement under the key.
fn check_proof(key: &KeyFile, statement: &Statement, proof: &ProofFile) -> Result<(), VerifyError> {
    let prepared = PreparedKey::new(&key.key, KeyPolicy::Strict)?;
    let inputs = statement.public_inputs()?;
    proof.check_matches(key)?;
    zkmargin_verifier::verify(&prepared, inputs.as_slice(), &proof.proof)
}

pub fn verify(args: &VerifyArgs) -> Result<String, Failure> {
    let key = read_key(&args.triple.key)?;
    check_provenance(Some(key.provenance), args.dev)?;
    let prepared = PreparedKey::new(&key.key, KeyPolicy::Strict)?;
    let statement = read_statement(&args.triple.statement)?;
    // The caller's expectation stands in for the file's own claim, so that a mismatch is found in
    // the words.
    let domain = Domain {
        chain_id: args.chain_id.unwrap_or(statement.domain.chain_id),
        contract: args.contract.unwrap_or(statement.domain.contract),
        ..statement.domain
    };
    let statement = Statement { domain, ..statement };
    let inputs = statement.public_inputs()?;
    let proof = read_proof(&args.triple.proof)?;
    proof.check_matches(&key)?;
    zkmargin_verifier::verify(&prepared, inputs.as_slice(), &proof.proof)?;
    Ok(format!(
        "good: {} words for contract 0x{} on chain {}, key {}, circuit {}",
        statement.words.len(),
        hex::encode(domain.contract),
        domain.chain_id,
        hex::encode(prepared.digest()),
        hex::encode(key.circuit),
    ))
}

pub fn snarkjs(args: &SnarkjsArgs) -> Result<String, Failure> {
    let policy = match args.allow_unfinalised_key {
        true => KeyPolicy::AllowUnfinalised,
        false => KeyPolicy::Strict,
    };
    let key = read_json(&args.key, snarkjs::parse_key)?;
    check_provenance(key.provenance, args.dev)?;
    let key = PreparedKey::new(&key.key, policy)?;
    let inputs: Vec<Fr> = read_json(&args.public, snarkjs::parse_public)?;
    let proof = read_json(&args.proof, |json| {
        let proof = snarkjs::parse_proof(json)?;
        proof.check_inputs(&inputs)?;
        Ok(proof.proof)
    })?;
    zkmargin_verifier::verify(&key, &inputs, &proof)?;
    Ok(format!("good: {} public inputs, key {}", inputs.len(), hex::encode(key.digest())))
}

pub fn export(args: &ExportArgs) -> Result<String, Failure> {
    let key = read_key(&args.triple.key)?;
    check_provenance(Some(key.provenance), args.dev)?;
    let out = &args.out;
    file::ensure_writable_folder(out)?;
    let statement = read_statement(&args.triple.statement)?;
    let proof = read_proof(&args.triple.proof)?;
    let inputs = statement.public_inputs()?;
    file::write_together(&[
        (out.join("verification_key.json"), snarkjs::key_json(&key.key, key.provenance)),
        (out.join("public.json"), snarkjs::public_json(inputs.as_slice())),
        (out.join("proof.json"), snarkjs::proof_json(&proof.proof)),
    ])?;
    Ok(format!("written: verification_key.json, public.json, proof.json in {}", out.display()))
}

pub fn inspect(path: &Path) -> Result<String, Failure> {
    let kinds = [MAGIC_KEY, MAGIC_PROOF, MAGIC_STATEMENT];
    let content = read::container(path, &kinds, describe::describe)?;
    Ok(serde_json::to_string_pretty(&content).expect("a JSON value always serialises"))
}

pub fn solidity(args: &SolidityArgs) -> Result<String, Failure> {
    let key = read_key(&args.key)?;
    check_provenance(Some(key.provenance), args.dev)?;
    let deployment = if args.dev { Deployment::Test } else { Deployment::Production };
    let tail = solidity::code_tail(&key, deployment)?;
    file::write(&args.out, solidity::source(&key, deployment)?.as_bytes())?;
    let digest = hex::encode(solidity::key_digest(&tail));
    Ok(format!("written: {}, keyDigest 0x{digest}", args.out.display()))
}

pub fn calldata(args: &CalldataArgs) -> Result<String, Failure> {
    let proof = read_proof(&args.proof)?;
    check_provenance(Some(proof.provenance), args.dev)?;
    let statement = read_statement(&args.statement)?;
    statement.public_inputs()?;
    if let Some(key) = &args.key {
        check_proof(&read_key(key)?, &statement, &proof)?;
    }
    Ok(hex::encode(solidity::calldata(&statement, &proof.proof)))
}
