//! The auditor is shown every operation and batch.

use std::collections::BTreeSet;

use zkmargin_protocol::Reject;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{AccountIndex, Time};

use super::{Broken, Witness, World};
use crate::audit::observation::{Accounts, Ends, Seal, Step};
use crate::audit::parties::{auctioned, parties};
use crate::invariants::{Breach, Invariant};

/// What a batch is applied to.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    /// State before it.
    pub state: &'a State,
    /// Its market data.
    pub market: &'a Market,
    /// Its time.
    pub time: Time,
}

impl World {
    pub(super) fn broken(
        &self,
        what: impl FnOnce() -> String,
        breaches: Vec<Breach>,
    ) -> Result<(), Broken> {
        let Some(breach) = breaches.into_iter().next() else { return Ok(()) };
        Err(Broken { seed: self.seed, batch: self.state.batches(), what: what(), breach })
    }

    pub(super) fn refused(&self, what: &str, reject: Reject) -> Broken {
        let breach = Breach { invariant: Invariant::BatchReplays, found: reject.to_string() };
        Broken { seed: self.seed, batch: self.state.batches(), what: what.to_owned(), breach }
    }

    /// One operation; returns the accounts after it.
    pub(super) fn operation(
        &mut self,
        Scene { state, market, time }: Scene<'_>,
        batch: &mut Batch<'_>,
        before: &Accounts,
        operation: &Operation,
        witness: &mut dyn Witness,
    ) -> Result<Accounts, Broken> {
        let known: BTreeSet<AccountIndex> = batch.ledger().touched().keys().copied().collect();
        let count = batch.operations().len();
        let verdict = batch.push(std::slice::from_ref(operation));
        let again = match &verdict {
            Ok(()) => Ok(()),
            Err(_) => batch.clone().push(std::slice::from_ref(operation)),
        };
        let mut after = state.accounts().clone();
        after.extend(batch.ledger().touched().clone());
        let fresh = parties(operation).into_iter().filter(|index| !known.contains(index));
        let settled = fresh.filter_map(|index| {
            let opening = batch.ledger().opening(index)?;
            (verdict.is_ok() && !opening.settlement.is_empty())
                .then(|| (index, opening.settlement.clone()))
        });
        let step = Step {
            domain: state.domain(),
            market,
            time,
            custody: state.custody(),
            opening: state.accounts(),
            before,
            after: &after,
            counts: [count, batch.operations().len()],
            operation,
            verdict: &verdict,
            again: &again,
            settled: &settled.collect(),
            auction: auctioned(operation).and_then(|account| batch.ledger().step(account)),
        };
        witness.step(&self.auditor.memory, &step);
        let breaches = self.auditor.step(&step);
        self.tally.count(operation, &verdict);
        self.broken(|| format!("{verdict:?} {operation:?}"), breaches)?;
        if verdict.is_ok() {
            self.desk.remember(operation);
        }
        Ok(after)
    }

    pub(super) fn seal(
        &mut self,
        Scene { state, market, time }: Scene<'_>,
        batch: Batch<'_>,
        standing: &Accounts,
        witness: &mut dyn Witness,
    ) -> Result<(State, BatchTrace), Broken> {
        let operations = batch.operations().to_vec();
        let sealed = batch.seal().map_err(|reject| self.refused("sealing", reject));
        let (next, trace) = sealed?;
        let again = Batch::new(state, market, self.scale.shape, time).and_then(|mut batch| {
            batch.push(&operations)?;
            let (next, other) = batch.seal()?;
            Ok((next.root(), other == trace))
        });
        let seal = Seal {
            market,
            before: &Ends::of(state),
            standing,
            after: &Ends::of(&next),
            operations: &operations,
            trace: &trace,
            words: &trace.words(),
            again: &again,
        };
        witness.seal(&self.auditor.memory, &seal);
        let breaches = self.auditor.seal(&seal);
        self.broken(|| "sealing".to_owned(), breaches)?;
        Ok((next, trace))
    }
}
