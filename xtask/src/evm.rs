//! `cargo xtask evm`: a proof's files in front of the contract, on a chain in this process.

use std::path::{Path, PathBuf};

use clap::Args;
use zkmargin_contracts::{DeployedVerifier, Fork};
use zkmargin_host::{file, output};
use zkmargin_verifier::address;
use zkmargin_verifier::solidity::{self, Deployment};
use zkmargin_verifier::{Domain, FormatError, KeyFile, ProofFile, Statement, StatementFile};

use crate::failure::Failure;

/// Greatest size of a file that is read: a statement of the largest batch has some megabytes.
const BYTES_MAX: u64 = 1 << 26;

#[derive(Args)]
pub struct Arguments {
    /// Folder with `verifying_key.bin`, `statement.bin` and `proof.bin`, as `prover prove --out`
    /// and the demonstration leave it.
    folder: PathBuf,
    /// Verifying key, if it is not the folder's.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Statement, if it is not the folder's.
    #[arg(long)]
    statement: Option<PathBuf>,
    /// Proof, if it is not the folder's.
    #[arg(long)]
    proof: Option<PathBuf>,
    /// Chain of the contract; the statement's own otherwise.
    #[arg(long)]
    chain_id: Option<u64>,
    /// Address of the contract, 0x and 40 hexadecimal digits; the statement's own otherwise.
    #[arg(long)]
    contract: Option<String>,
    /// Accept a development key, under which proofs prove nothing.
    #[arg(long)]
    dev: bool,
}

/// Deploys the contract of the key under the rules of each fork, submits the statement, prints the
/// gas.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { folder, key, statement, proof, .. } = arguments;
    let path = |file: &Option<PathBuf>, name: &str| file.clone().unwrap_or(folder.join(name));
    let key = read(&path(key, "verifying_key.bin"), KeyFile::from_bytes)?;
    let StatementFile(statement) =
        read(&path(statement, "statement.bin"), StatementFile::from_bytes)?;
    let proof = read(&path(proof, "proof.bin"), ProofFile::from_bytes)?;
    proof.check_matches(&key).map_err(|error| error.to_string())?;
    let domain = domain(arguments, &statement)?;
    let data = solidity::calldata(&statement, &proof.proof);
    output::line(format_args!(
        "{} words for chain {}, contract 0x{}: {} bytes of calldata",
        statement.words.len(),
        domain.chain_id,
        hex::encode(domain.contract),
        data.len()
    ))?;
    let deployment = if arguments.dev { Deployment::Test } else { Deployment::Production };
    for fork in [Fork::Osaka, Fork::Amsterdam] {
        let mut chain = DeployedVerifier::new(fork, &domain, &key, deployment)
            .map_err(|error| error.to_string())?;
        let receipt = chain
            .call(data.clone())
            .map_err(|failure| format!("{}: refused: {failure}", fork.name()))?;
        output::line(format_args!(
            "{}: deployed for {} gas; accepted for {} gas, {} without the floor of calldata",
            fork.name(),
            chain.creation_gas,
            receipt.gas,
            receipt.gas_without_floor
        ))?;
    }
    Ok(())
}

/// What the statement is for, or what the caller says instead.
fn domain(arguments: &Arguments, statement: &Statement) -> Result<Domain, String> {
    let contract = match &arguments.contract {
        None => statement.domain.contract,
        Some(text) => address::parse(text).map_err(|error| format!("--contract: {error}"))?,
    };
    let chain_id = arguments.chain_id.unwrap_or(statement.domain.chain_id);
    Ok(Domain { chain_id, contract, ..statement.domain })
}

fn read<T>(path: &Path, parse: impl Fn(&[u8]) -> Result<T, FormatError>) -> Result<T, Failure> {
    let bytes = file::read(path, BYTES_MAX)?;
    Ok(parse(&bytes).map_err(|error| format!("{}: {error}", path.display()))?)
}
