//! The verifying contract: its code for a key, its source for a key, and the call which submits a
//! proof.
//!
//! `solidity/StatementVerifier.sol` is compiled once. A key is the last bytes of the deployed code,
//! written by [`code_tail`]; so any key can be deployed without a compiler, and the generated
//! source of [`source`] deploys byte for byte the same code with one.

use ark_bn254::{G1Affine, G2Affine};
use sha3::{Digest, Keccak256};

use crate::bytes;
use crate::error::VerifyError;
use crate::format::{KeyFile, Provenance};
use crate::key::KeyPolicy;
use crate::proof::Proof;
use crate::statement::Statement;

/// The contract's source, without a key.
pub const TEMPLATE: &str = include_str!("../solidity/StatementVerifier.sol");

/// Bytes of the key's points at the end of the code.
pub const KEY_BYTES: usize = 22 * 32;
/// Bytes behind the compiled code: the key, the circuit's digest, the provenance.
pub const TAIL_BYTES: usize = KEY_BYTES + 64;

/// The function which verifies.
pub const SIGNATURE: &str = "verifyStatement(uint256[8],uint256,uint256[])";

/// Public inputs of the contract's circuits: `(C, r, y)`.
const INPUTS: usize = 3;

/// Which keys may be written into a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// Only keys of a ceremony.
    Production,
    /// Also development keys, for tests: whoever made the key can take everything.
    Test,
}

/// The last bytes of the contract's code: `−δ ‖ −α ‖ β ‖ ic₀ ‖ −γ ‖ ic₁ ‖ ic₂ ‖ ic₃`, the circuit's
/// digest and the provenance as a word.
///
/// # Errors
/// When the key fails [`crate::VerifyingKey::check`], is not for three public inputs, or is a
/// development key where `deployment` forbids it.
pub fn code_tail(file: &KeyFile, deployment: Deployment) -> Result<[u8; TAIL_BYTES], VerifyError> {
    let key = &file.key;
    key.check(KeyPolicy::Strict)?;
    if key.input_count() != INPUTS {
        return Err(VerifyError::InputCount { expected: key.input_count(), got: INPUTS });
    }
    if file.provenance == Provenance::Development && deployment == Deployment::Production {
        return Err(VerifyError::DevelopmentKey);
    }
    let mut points = Vec::with_capacity(TAIL_BYTES);
    let g1 = |points: &mut Vec<u8>, point: G1Affine| points.extend(bytes::g1_bytes(&point));
    let g2 = |points: &mut Vec<u8>, point: G2Affine| points.extend(bytes::g2_bytes(&point));
    g2(&mut points, -key.delta_g2);
    g1(&mut points, -key.alpha_g1);
    g2(&mut points, key.beta_g2);
    g1(&mut points, key.ic[0]);
    g2(&mut points, -key.gamma_g2);
    key.ic[1..].iter().for_each(|point| g1(&mut points, *point));
    let mut tail = [0u8; TAIL_BYTES];
    tail[..KEY_BYTES].copy_from_slice(&points);
    tail[KEY_BYTES..KEY_BYTES + 32].copy_from_slice(&file.circuit);
    tail[TAIL_BYTES - 1] = file.provenance.byte();
    Ok(tail)
}

/// What the contract's `keyDigest()` returns for this tail.
pub fn key_digest(tail: &[u8; TAIL_BYTES]) -> [u8; 32] {
    Keccak256::digest(&tail[..KEY_BYTES]).into()
}

/// The code of a transaction which creates a contract with the code `runtime ‖ tail`.
///
/// # Errors
/// [`VerifyError::KeyLength`] when both together are longer than 65,535 bytes, which no chain
/// accepts.
pub fn creation_code(runtime: &[u8], tail: &[u8]) -> Result<Vec<u8>, VerifyError> {
    let total = runtime.len() + tail.len();
    let [high, low] = u16::try_from(total)
        .map_err(|_| VerifyError::KeyLength { expected: usize::from(u16::MAX), got: total })?
        .to_be_bytes();
    // PUSH2 total, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN
    let mut code = vec![0x61, high, low, 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3];
    code.extend_from_slice(runtime);
    code.extend_from_slice(tail);
    Ok(code)
}

/// The code found on a chain is `runtime` with exactly this key, circuit and provenance behind it:
/// the last step of a deployment, and what a cautious user repeats.
///
/// # Errors
/// [`VerifyError::ContractMismatch`], or those of [`code_tail`].
pub fn check_deployed(code: &[u8], runtime: &[u8], file: &KeyFile) -> Result<(), VerifyError> {
    let tail = code_tail(file, Deployment::Test)?;
    let expected = [runtime, &tail[..]].concat();
    if code == expected {
        return Ok(());
    }
    let digest = |code: &[u8]| hex::encode(Keccak256::digest(code));
    Err(VerifyError::ContractMismatch { expected: digest(&expected), got: digest(code) })
}

/// The whole Solidity source for a key: the verifier, and `StatementVerifierDeployment`, whose
/// creation leaves the verifier's code with the key behind it.
///
/// # Errors
/// Those of [`code_tail`].
pub fn source(file: &KeyFile, deployment: Deployment) -> Result<String, VerifyError> {
    let tail = code_tail(file, deployment)?;
    let mut words = String::new();
    for word in tail.chunks_exact(32) {
        words.push_str(&format!("            hex\"{}\"\n", hex::encode(word)));
    }
    let warning = match file.provenance {
        Provenance::Ceremony => "",
        Provenance::Development => {
            "/// DEVELOPMENT KEY: whoever made it can prove anything. Never deploy this where \
             money is.\n"
        }
    };
    Ok(format!(
        "{TEMPLATE}
{warning}/// @notice Deploys the verifier with one key: creation leaves `StatementVerifier`'s code \
and the key behind it.
/// @dev Written by `verifier solidity`. keccak256 of the key: 0x{key}. Circuit: 0x{circuit}.
contract StatementVerifierDeployment {{
    constructor() {{
        bytes memory code = bytes.concat(
            type(StatementVerifier).runtimeCode,
{words}        );
        assembly {{
            return(add(code, 0x20), mload(code))
        }}
    }}
}}
",
        key = hex::encode(key_digest(&tail)),
        circuit = hex::encode(file.circuit),
    ))
}

/// The calldata which submits `statement` with `proof`.
pub fn calldata(statement: &Statement, proof: &Proof) -> Vec<u8> {
    let mut data = Keccak256::digest(SIGNATURE)[..4].to_vec();
    data.extend_from_slice(&proof.to_bytes());
    data.extend_from_slice(&bytes::word(statement.commitment));
    // The words begin after ten words of arguments: eight of the proof, the commitment, this
    // offset.
    let mut word = |value: usize| {
        data.extend_from_slice(&[0; 24]);
        data.extend_from_slice(&(value as u64).to_be_bytes());
    };
    word(10 * 32);
    word(statement.words.len());
    for value in &statement.words {
        data.extend_from_slice(&bytes::word(*value));
    }
    data
}
