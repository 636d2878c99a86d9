//! Hashing, curve, signatures, trees, and the cipher of a leaf. Spec:
//! `docs/spec/crypto/hashing.md`.

pub mod babyjubjub;
pub mod cipher;
pub mod domain;
pub mod eddsa;
pub mod poseidon;
pub mod tree;
