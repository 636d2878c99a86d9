//! Hashes, signatures, trees and the cipher of a leaf. Spec: `docs/spec/crypto/hashing.md`.

pub mod cipher;
pub mod eddsa;
pub mod poseidon;
pub mod tree;
