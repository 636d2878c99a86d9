//! The public statement: one vector `D` of words, bound to a proof by three public inputs.
//!
//! The rules are in `docs/spec/batch/statement.md`; the contract and this module follow the same
//! page.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, PrimeField};
use sha3::{Digest, Keccak256};

use crate::bytes;
use crate::error::VerifyError;

/// The word of `D` which holds the protocol version.
pub const WORD_VERSION: usize = 0;
/// The word of `D` which holds the domain.
pub const WORD_DOMAIN: usize = 1;
/// `D` has at least the words which bind it to a protocol and a contract.
pub const WORDS_MIN: usize = 2;
/// `D` has at most this many words: 2^20, a hundred times what a block can carry.
pub const WORDS_MAX: usize = 1 << 20;
/// The protocol version of this release.
pub const PROTOCOL_VERSION: u32 = 1;
/// Hashed into every domain, so that no other use of Keccak-256 yields the same value.
pub const DOMAIN_TAG: &str = "zkmargin.statement.domain";

/// What a statement is bound to: one contract on one chain under one protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Chain id of EIP-155.
    pub chain_id: u64,
    /// Address of the contract which verifies.
    pub contract: [u8; 20],
    /// Protocol version.
    pub version: u32,
}

impl Domain {
    /// The domain of `contract` on `chain_id` under [`PROTOCOL_VERSION`].
    pub fn new(chain_id: u64, contract: [u8; 20]) -> Self {
        Domain { chain_id, contract, version: PROTOCOL_VERSION }
    }

    /// `keccak256(keccak256(tag) ‖ version ‖ chain id ‖ address) mod p`, each a 32-byte big-endian
    /// word.
    pub fn field(&self) -> Fr {
        let mut preimage = [0u8; 128];
        preimage[..32].copy_from_slice(&Keccak256::digest(DOMAIN_TAG));
        preimage[60..64].copy_from_slice(&self.version.to_be_bytes());
        preimage[88..96].copy_from_slice(&self.chain_id.to_be_bytes());
        preimage[108..].copy_from_slice(&self.contract);
        Fr::from_be_bytes_mod_order(&Keccak256::digest(preimage))
    }
}

/// [`Domain::field`] as a function.
pub fn domain(chain_id: u64, contract: [u8; 20], version: u32) -> Fr {
    Domain { chain_id, contract, version }.field()
}

/// The three public inputs of every zkmargin proof, `(C, r, y)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicInputs(pub [Fr; 3]);

impl PublicInputs {
    /// The inputs in the circuit's order.
    pub fn as_slice(&self) -> &[Fr] {
        &self.0
    }
}

/// The public statement of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `D`, the header's words first: version, domain.
    pub words: Vec<Fr>,
    /// `C`, the circuit's Poseidon commitment to `D`.
    pub commitment: Fr,
    /// The contract which the statement is for.
    pub domain: Domain,
}

impl Statement {
    /// `(C, r, y)`, after checking that the header's version and domain words are those of
    /// `domain`.
    ///
    /// # Errors
    /// [`VerifyError::StatementLength`], [`VerifyError::StatementVersion`] or
    /// [`VerifyError::StatementDomain`].
    pub fn public_inputs(&self) -> Result<PublicInputs, VerifyError> {
        if !(WORDS_MIN..=WORDS_MAX).contains(&self.words.len()) {
            return Err(VerifyError::StatementLength {
                expected: "2 to 1048576",
                got: self.words.len(),
            });
        }
        if self.words[WORD_VERSION] != Fr::from(self.domain.version) {
            return Err(VerifyError::StatementVersion {
                expected: self.domain.version,
                got: bytes::hex_word(self.words[WORD_VERSION]),
            });
        }
        let domain = self.domain.field();
        if self.words[WORD_DOMAIN] != domain {
            return Err(VerifyError::StatementDomain {
                expected: bytes::hex_word(domain),
                got: bytes::hex_word(self.words[WORD_DOMAIN]),
            });
        }
        let r = challenge(domain, self.commitment, &self.words);
        Ok(PublicInputs([self.commitment, r, evaluate(&self.words, r)]))
    }
}

/// `r = keccak256(domain ‖ C ‖ number of words ‖ words…) mod p`, each a 32-byte big-endian word.
pub fn challenge(domain: Fr, commitment: Fr, words: &[Fr]) -> Fr {
    let mut hasher = Keccak256::new();
    hasher.update(bytes::word(domain));
    hasher.update(bytes::word(commitment));
    hasher.update(bytes::word(Fr::from(words.len() as u64)));
    for word in words {
        hasher.update(bytes::word(*word));
    }
    Fr::from_be_bytes_mod_order(&hasher.finalize())
}

/// `y = Σ D_k·r^k`, the first word with the power zero.
pub fn evaluate(words: &[Fr], r: Fr) -> Fr {
    words.iter().rev().fold(Fr::ZERO, |sum, word| sum * r + word)
}
