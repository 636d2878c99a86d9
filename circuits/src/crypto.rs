//! Trees, and the cipher of a leaf. Spec: `docs/spec/hashing.md`.

pub mod cipher;
pub mod tree;
