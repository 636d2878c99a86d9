//! Time passes, and the market moves.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use rand::Rng;
use rand::seq::SliceRandom;
use zkmargin_fixtures::keys::signed_table;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{InstrumentIndex, Price, Time};
use zkmargin_protocol::{Reject, Rule};

use super::{Broken, Witness, World};
use crate::feed::MAX_AGE_S;
use crate::invariants::{Breach, Invariant};

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
        let [before, now] = [&self.epoch, &epoch].map(|epoch| epoch.market.parameters());
        self.tally.changes += u64::from(before != now);
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

    /// Under a table that calls another option by an index that is held, no holder is touched.
    pub(super) fn try_misnamed(&mut self, state: &State, time: Time) -> Result<(), Broken> {
        if !self.desk.one_in(20) {
            return Ok(());
        }
        let rows = self.epoch.market.rows();
        let slots = state.accounts().iter().flat_map(|(&holder, account)| {
            account.positions.iter().map(move |(index, _)| (holder, index))
        });
        let held: Vec<_> = slots.filter(|(_, index)| rows.contains_key(index)).collect();
        let Some(&(holder, index)) = held.choose(&mut self.desk.rng) else { return Ok(()) };
        let market = misnamed(&self.epoch.market, index, state.domain());
        let market = market.map_err(|reject| self.refused("a table", reject))?;
        let batch = Batch::new(state, &market, self.scale.shape, time);
        match batch.and_then(|mut batch| batch.push(&[Operation::StartAuction(holder)])) {
            Err(reject) if reject.rule == Rule::IndexReuse => {
                self.tally.misnamed += 1;
                Ok(())
            }
            Err(reject) => Err(self.refused("a misnamed option", reject)),
            Ok(()) => {
                let found = format!("account {holder} was touched under another {index}");
                let breach = Breach { invariant: Invariant::SpecFixed, found };
                self.broken(|| "a misnamed option".to_owned(), vec![breach])
            }
        }
    }
}

/// The market with another strike for one index, signed as the oracle signs.
fn misnamed(market: &Market, index: InstrumentIndex, domain: Fr) -> Result<Market, Reject> {
    let mut rows = market.rows().clone();
    let row = rows.get_mut(&index).expect("a row of the table");
    row.spec.strike = Price::new(row.spec.strike.get() ^ 1)?;
    let message = &market.attestation().message;
    let (parameters, epoch) = (market.parameters().clone(), message.epoch);
    Market::new(signed_table(&rows, parameters, epoch, message.time, domain)?, domain)
}
