//! The verifier with a key in it on a chain of its own, at the address which a statement is for.

use revm::primitives::Address;
use sha3::{Digest, Keccak256};
use thiserror::Error;
use zkmargin_verifier::solidity::{self, Deployment};
use zkmargin_verifier::{Domain, KeyFile, Proof, Statement, VerifyError};

use crate::artifact::{Artifact, ArtifactError};
use crate::evm::{Evm, Failure, Fork, Receipt};

/// Why there is no deployed verifier.
#[derive(Debug, Error)]
pub enum DeployError {
    /// The checked-in artefact cannot be read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The key must not be deployed.
    #[error(transparent)]
    Key(#[from] VerifyError),
    /// The creation failed.
    #[error("creation {0}")]
    Creation(#[from] Failure),
    /// Something else answers at this address, such as a precompile.
    #[error("no contract can be at {0}")]
    Address(Address),
}

/// A verifier for one key.
pub struct DeployedVerifier {
    evm: Evm,
    /// Where it is.
    pub address: Address,
    /// Gas of the transaction which creates it.
    pub creation_gas: u64,
}

impl DeployedVerifier {
    /// Creates the verifier for `key` on the chain of `domain`. Where a transaction would not
    /// create it at the address of `domain`, its code is put there as a genesis state would.
    ///
    /// # Errors
    /// [`DeployError`].
    pub fn new(
        fork: Fork,
        domain: &Domain,
        key: &KeyFile,
        deployment: Deployment,
    ) -> Result<Self, DeployError> {
        let artifact = Artifact::statement_verifier()?;
        let tail = solidity::code_tail(key, deployment)?;
        let mut evm = Evm::new(fork, domain.chain_id);
        evm.know_errors(&artifact);
        let (created, creation_gas) =
            evm.deploy(solidity::creation_code(&artifact.runtime_code, &tail)?)?;
        let code = evm.code(created);
        solidity::check_deployed(&code, &artifact.runtime_code, key)?;
        let address = Address::from(domain.contract);
        if address != created {
            evm.install(address, code);
        }
        // An address of a precompile would answer in the contract's place.
        let named = evm.call(address, Keccak256::digest("keyDigest()")[..4].to_vec());
        match named {
            Ok(receipt) if receipt.output == solidity::key_digest(&tail) => {
                Ok(DeployedVerifier { evm, address, creation_gas })
            }
            _ => Err(DeployError::Address(address)),
        }
    }

    /// Submits a statement with a proof.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn submit(&mut self, statement: &Statement, proof: &Proof) -> Result<Receipt, Failure> {
        self.call(solidity::calldata(statement, proof))
    }

    /// Sends any calldata.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn call(&mut self, data: Vec<u8>) -> Result<Receipt, Failure> {
        self.evm.call(self.address, data)
    }
}
