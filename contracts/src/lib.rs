//! The compiled contracts, and an EVM in this process to run them on.
//!
//! Invariant: nothing here needs a Solidity compiler or a network; the artefacts are checked in and
//! a test compiles them again where the compiler is installed.
#![forbid(unsafe_code)]

mod artifact;
mod deployed;
mod evm;

pub use artifact::{Artifact, ArtifactError};
pub use deployed::{DeployError, DeployedVerifier};
pub use evm::{Call, Evm, Failure, Fork, Receipt, TX_GAS_MAX};
pub use revm::primitives::{Address, U256};
