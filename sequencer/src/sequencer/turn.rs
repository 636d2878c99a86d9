//! Going on after other writers.

use super::{Sequencer, export_batches};
use crate::error::Error;
use crate::replay::Standing;

impl Sequencer {
    /// Takes the store's lock, if it was let go, and follows what other writers have done
    /// meanwhile: their entries are run through the rules and their batches compared.
    ///
    /// # Errors
    /// [`Error::Held`] when another writer holds the store for longer than [`Sequencer::wait`];
    /// [`Error::Damaged`]; those of the disk.
    pub(super) fn take_turn(&mut self) -> Result<(), Error> {
        self.store.acquire(self.wait)?;
        if !self.store.is_behind()? {
            return Ok(());
        }
        let first = self.state.batches();
        let mut standing = Standing {
            genesis: self.genesis.clone(),
            pins: self.pins.clone(),
            state: self.state.clone(),
            market: self.market.take(),
            pending: std::mem::take(&mut self.pending),
            operations: 0,
        };
        self.store.catch_up(|store, entry| match standing.visit(entry, entry.event()?)? {
            Some(made) => made.check_stored(store, entry),
            None => Ok(()),
        })?;
        let Standing { pins, state, market, pending, .. } = standing;
        (self.pins, self.state, self.market, self.pending) = (pins, state, market, pending);
        // A process that closed a batch and was killed has not written its files.
        let closed: Vec<u64> = (first..self.state.batches()).collect();
        export_batches(&self.store, &self.batches_directory(), &closed).map(drop)
    }
}
