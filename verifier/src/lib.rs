//! Verification of zkmargin's Groth16 proofs over BN254: one proof, many proofs, on chain, and the
//! files they travel in.
//!
//! Invariants: nothing here depends on the circuits, reads a clock, starts a thread or draws a
//! random number, so that the same library runs in a browser; a [`PreparedKey`] exists only for a
//! key which passed [`VerifyingKey::check`]; every verdict is a `Result<(), VerifyError>` and never
//! a bool.
#![forbid(unsafe_code)]

pub mod address;
pub mod batch;
mod bytes;
mod error;
pub mod format;
mod groth16;
mod key;
mod proof;
#[cfg(feature = "cli")]
pub mod read;
pub mod snarkjs;
pub mod solidity;
pub mod statement;
pub mod text;

pub use batch::verify_batch;
pub use error::{Point, VerifyError};
pub use format::{FormatError, KeyFile, ProofFile, Provenance, StatementFile};
pub use groth16::verify;
pub use key::{KeyPolicy, PreparedKey, VerifyingKey};
pub use proof::Proof;
pub use statement::{Domain, PublicInputs, Statement};
