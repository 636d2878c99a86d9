//! Who looks on, and what is said when an invariant does not hold.

use thiserror::Error;

use crate::audit::memory::Memory;
use crate::audit::observation::{Accounts, Seal, Step};
use crate::feed::Epoch;
use crate::invariants::Breach;

/// An operation or batch after which an invariant does not hold.
#[derive(Debug, Error)]
#[error("seed {seed}, batch {batch}, {what}: {breach}")]
pub struct Broken {
    /// Seed of the world.
    pub seed: u64,
    /// Number of the batch.
    pub batch: u64,
    /// The operation, or what was judged.
    pub what: String,
    /// The invariant.
    pub breach: Breach,
}

/// Somebody who looks at what the auditor is shown, before it is.
pub trait Witness {
    /// An operation.
    fn step(&mut self, _: &Memory, _: &Step) {}
    /// A batch.
    fn seal(&mut self, _: &Memory, _: &Seal) {}
    /// An epoch of market data.
    fn epoch(&mut self, _: &Memory, _: &Epoch, _: &Accounts) {}
}

/// Nobody.
pub struct Nobody;

impl Witness for Nobody {}
