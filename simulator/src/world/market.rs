//! Time passes, and the market moves.

use std::collections::BTreeSet;

use rand::Rng;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::state::State;
use zkmargin_protocol::units::{InstrumentIndex, Time};

use super::{Broken, Witness, World};
use crate::feed::MAX_AGE_S;

impl World {
    /// Time passes; market data come when they are due.
    pub(super) fn pass(&mut self, witness: &mut dyn Witness) -> Result<(), Broken> {
        let step_s = match self.desk.rng.gen_range(0..40) {
            0 => self.desk.rng.gen_range(1_000..5_000),
            1..10 => self.desk.rng.gen_range(1..20),
            _ => self.desk.rng.gen_range(20..180),
        };
        self.time_s += step_s;
        let age_s = self.time_s - self.epoch.market.attestation().message.time.get();
        if age_s <= u64::from(MAX_AGE_S) && self.desk.one_in(2) {
            return Ok(());
        }
        let held: BTreeSet<InstrumentIndex> = self
            .state
            .accounts()
            .values()
            .flat_map(|account| account.positions.iter().map(|slot| slot.0))
            .collect();
        let known = self.auditor.memory.prices.len();
        let epoch = self.feed.epoch(self.time_s, &held);
        let epoch = epoch.map_err(|reject| self.refused("market data", reject))?;
        witness.epoch(&self.auditor.memory, &epoch, self.state.accounts());
        let breaches = self.auditor.epoch(&epoch, self.state.accounts());
        self.broken(|| "market data".to_owned(), breaches)?;
        self.tally.epochs[0] += 1;
        self.tally.epochs[1] += u64::from(epoch.market.attestation().message.is_outside_band);
        self.tally.expiries += epoch.settlements.len().saturating_sub(known) as u64;
        self.before = Some(std::mem::replace(&mut self.epoch, epoch).market);
        Ok(())
    }

    /// A batch under data that are too old is refused.
    pub(super) fn try_stale(&mut self, state: &State, time: Time) -> Result<(), Broken> {
        let Some(market) = self.before.clone().filter(|_| self.desk.one_in(10)) else {
            return Ok(());
        };
        match Batch::new(state, &market, self.scale.shape, time) {
            Err(reject) if [Rule::OracleAge, Rule::OracleOrder].contains(&reject.rule) => {
                self.tally.stale += 1;
                Ok(())
            }
            Err(reject) => Err(self.refused("old market data", reject)),
            // The data are old, not too old; nothing is done with the batch.
            Ok(_) => Ok(()),
        }
    }
}
