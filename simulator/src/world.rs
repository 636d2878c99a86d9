//! The world: batch after batch, the market moves, agents send, the auditor judges.

mod judge;
mod market;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zkmargin_protocol::Reject;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::value::units::Time;

use crate::agents::Agent;
use crate::audit::Auditor;
use crate::desk::Desk;
use crate::feed::{Epoch, Feed, START_S};
use crate::scale::Scale;
use crate::tally::Tally;
use crate::view::View;
use judge::Scene;
pub use witness::{Broken, Nobody, Witness};

/// A world.
pub struct World {
    seed: u64,
    scale: Scale,
    /// State after the last batch.
    pub state: State,
    feed: Feed,
    desk: Desk,
    /// Judges everything.
    pub auditor: Auditor,
    /// Counts of what happened.
    pub tally: Tally,
    time_s: u64,
    epoch: Epoch,
    before: Option<Market>,
}

impl World {
    /// A world without accounts for `domain`.
    ///
    /// # Errors
    /// Those of the rules on an empty market: none.
    pub fn new(seed: u64, scale: Scale, domain: Fr) -> Result<Self, Reject> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let state = State::new(Snapshot::opening(domain, BTreeMap::new(), BTreeMap::new())?)?;
        let mut feed = Feed::new(
            scale.listing,
            domain,
            ChaCha8Rng::from_rng(&mut rng).expect("an endless source"),
        );
        let epoch = feed.epoch(START_S, &BTreeSet::new())?;
        let desk = Desk::new(rng, domain, scale.traders, scale.listing.underlyings);
        let mut auditor = Auditor::default();
        auditor.memory.take_epoch(&epoch);
        let (tally, time_s, before) = (Tally::default(), START_S, None);
        Ok(Self { seed, scale, state, feed, desk, auditor, tally, time_s, epoch, before })
    }

    /// One batch: tried, judged, sealed, judged. At most `most` operations are tried.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn batch(&mut self, most: u64, witness: &mut dyn Witness) -> Result<BatchTrace, Broken> {
        self.pass(witness)?;
        let (state, market) = (self.state.clone(), self.epoch.market.clone());
        let time = Time::new(self.time_s).expect("a time of this age");
        self.try_stale(&state, time)?;
        self.try_misnamed(&state, time)?;
        let scene = Scene { state: &state, market: &market, time };
        let batch = Batch::new(&state, &market, self.scale.shape, time);
        let mut batch = batch.map_err(|reject| self.refused("a batch", reject))?;
        let mut standing = state.accounts().clone();
        let attempts = self.desk.rng.gen_range(1..=self.scale.attempts) as u64;
        for _ in 0..attempts.min(most) {
            let view = View { market: &market, time, accounts: &standing };
            let agent = Agent::draw(&mut self.desk, &view);
            let Some(operation) = agent.draft(&mut self.desk, &view) else { continue };
            self.auditor.memory.signed.extend(self.desk.signed.drain(..));
            standing = self.operation(scene, &mut batch, &standing, &operation, witness)?;
        }
        let (next, trace) = self.seal(scene, batch, &standing, witness)?;
        self.desk.take_keys(next.accounts());
        self.state = next;
        self.tally.count_batch(&trace);
        self.tally.checks = self.auditor.checks;
        Ok(trace)
    }
}
