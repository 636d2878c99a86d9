//! A verifier deployed with a key whose secrets the tests keep.
#![allow(dead_code)]

#[path = "../../../verifier/tests/simulator/mod.rs"]
pub mod simulator;

use simulator::Trapdoor;
use zkmargin_contracts::{Address, Artifact, Evm, Failure, Fork, Receipt};
use zkmargin_verifier::solidity::{self, Deployment};
use zkmargin_verifier::{Domain, KeyFile, Proof, Provenance, Statement};

pub const CHAIN_ID: u64 = 31_337;
pub const FORKS: [Fork; 2] = [Fork::Osaka, Fork::Amsterdam];

/// A chain with one verifier.
pub struct Chain {
    pub evm: Evm,
    pub address: Address,
    pub deploy_gas: u64,
    pub trapdoor: Trapdoor,
}

impl Chain {
    pub fn new(fork: Fork, seed: &str) -> Self {
        let artifact = Artifact::statement_verifier().unwrap();
        let code = artifact.runtime_code.clone();
        Chain::with_code(fork, seed, &artifact, &code)
    }

    /// A verifier with other code than the artefact's.
    pub fn with_code(fork: Fork, seed: &str, artifact: &Artifact, code: &[u8]) -> Self {
        let trapdoor = Trapdoor::new(seed, 3);
        let tail = solidity::code_tail(&key_file(&trapdoor), Deployment::Test).unwrap();
        let mut evm = Evm::new(fork, CHAIN_ID);
        evm.know_errors(artifact);
        let expected = evm.next_address();
        let creation = solidity::creation_code(code, &tail).unwrap();
        let (address, deploy_gas) = evm.deploy(creation).unwrap();
        assert_eq!(address, expected);
        assert_eq!(evm.code(address), [code, &tail[..]].concat());
        Chain { evm, address, deploy_gas, trapdoor }
    }

    pub fn domain(&self) -> Domain {
        Domain::new(CHAIN_ID, self.address.into_array())
    }

    /// A statement of `count` words and a proof of it.
    pub fn proven(&mut self, count: usize) -> (Statement, Proof) {
        let domain = self.domain();
        let statement = self.trapdoor.statement(domain, count);
        let proof = self.trapdoor.prove(statement.public_inputs().unwrap().as_slice());
        (statement, proof)
    }

    pub fn submit(&mut self, statement: &Statement, proof: &Proof) -> Result<Receipt, Failure> {
        self.evm.call(self.address, solidity::calldata(statement, proof))
    }

    /// The custom error's name, or `accepted`.
    pub fn verdict(&mut self, data: Vec<u8>) -> String {
        match self.evm.call(self.address, data) {
            Ok(_) => "accepted".into(),
            Err(Failure::Revert { name, .. }) => name,
            Err(other) => other.to_string(),
        }
    }
}

pub fn key_file(trapdoor: &Trapdoor) -> KeyFile {
    KeyFile { circuit: [0xc1; 32], provenance: Provenance::Development, key: trapdoor.key() }
}
