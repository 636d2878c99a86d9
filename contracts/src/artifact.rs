//! Checked-in output of the Solidity compiler.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha3::{Digest, Keccak256};
use thiserror::Error;

/// A compiled contract.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Name of the contract.
    pub contract: String,
    /// The code which the compiler produced, before a key is appended.
    pub runtime_code: Vec<u8>,
    /// keccak256 of each source file, by name.
    pub sources: BTreeMap<String, [u8; 32]>,
    /// The contract's custom errors by selector.
    pub errors: BTreeMap<[u8; 4], String>,
}

/// Why an artefact cannot be read.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// Not JSON, or not the expected fields.
    #[error("not an artefact: {0}")]
    Json(#[from] serde_json::Error),
    /// A field is not hexadecimal digits of the right length.
    #[error("artefact field {field} is not the expected hexadecimal digits")]
    Hex {
        /// The field.
        field: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactJson {
    contract: String,
    runtime_code: String,
    sources: BTreeMap<String, SourceJson>,
    abi: Vec<ItemJson>,
}

#[derive(Deserialize)]
struct SourceJson {
    keccak256: String,
}

#[derive(Deserialize)]
struct ItemJson {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    inputs: Vec<InputJson>,
}

#[derive(Deserialize)]
struct InputJson {
    #[serde(rename = "type")]
    kind: String,
}

impl Artifact {
    /// The statement verifier (`verifier/solidity/StatementVerifier.sol`).
    ///
    /// # Errors
    /// When the checked-in file is not an artefact.
    pub fn statement_verifier() -> Result<Self, ArtifactError> {
        Artifact::from_json(include_str!("../artifacts/StatementVerifier.json"))
    }

    /// A contract of the tests, which inherits the verifier.
    ///
    /// # Errors
    /// When the checked-in file is not an artefact.
    pub fn inheriting_verifier() -> Result<Self, ArtifactError> {
        Artifact::from_json(include_str!("../artifacts/InheritingVerifier.json"))
    }

    /// Reads an artefact as `contracts/build.mjs` writes it.
    ///
    /// # Errors
    /// When it is not JSON of the expected fields, or a field is not hexadecimal digits.
    pub fn from_json(json: &str) -> Result<Self, ArtifactError> {
        let artifact: ArtifactJson = serde_json::from_str(json)?;
        let hex = |field| move |_| ArtifactError::Hex { field };
        let digest = |source: &SourceJson| -> Result<[u8; 32], ArtifactError> {
            let digits = source.keccak256.strip_prefix("0x").unwrap_or(&source.keccak256);
            let bytes = hex::decode(digits).map_err(hex("keccak256"))?;
            bytes.try_into().map_err(|_| ArtifactError::Hex { field: "keccak256" })
        };
        let errors = artifact.abi.iter().filter(|item| item.kind == "error").map(|item| {
            let inputs: Vec<_> = item.inputs.iter().map(|input| input.kind.as_str()).collect();
            let hash = Keccak256::digest(format!("{}({})", item.name, inputs.join(",")));
            ([hash[0], hash[1], hash[2], hash[3]], item.name.clone())
        });
        Ok(Artifact {
            errors: errors.collect(),
            contract: artifact.contract,
            runtime_code: hex::decode(&artifact.runtime_code).map_err(hex("runtimeCode"))?,
            sources: (artifact.sources.iter())
                .map(|(name, source)| Ok((name.clone(), digest(source)?)))
                .collect::<Result<_, ArtifactError>>()?,
        })
    }
}
