//! Keys, quotient and Groth16 proofs over BN254.
//!
//! Invariants: a proof leaves [`prove::Prover`] only after the constraints were checked and the
//! verifier accepted it; a key is used only with the circuit whose digest it carries; the origin of
//! a key's secrets travels with the key and with every proof.
#![forbid(unsafe_code)]

pub mod batch;
pub mod fixed_base;
#[cfg(target_arch = "x86_64")]
pub mod ifma;
pub mod kernel;
pub mod key;
pub mod msm;
pub mod progress;
pub mod prove;
pub mod quotient;
pub mod setup;
#[cfg(target_arch = "x86_64")]
mod transform;
