//! Settlement windows: from samples of the price, one every few seconds, to the price an expiry is
//! settled at.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use zkmargin_fixtures::keys::{oracle_keys, oracle_set};
use zkmargin_protocol::market::settlement_price::{
    IndexSample, SettlementParameters, SettlementWindow, Settlements, SignedSample,
};
use zkmargin_protocol::pricing::black76::PRICE_UNITS;
use zkmargin_protocol::pricing::surface::Fixing;

use zkmargin_protocol::value::units::{Time, Underlying};

use crate::StressError;
use crate::path::PricePath;

/// A settlement window and where its next sample is due.
struct OpenWindow {
    window: SettlementWindow,
    next_s: u64,
}

/// The windows that have begun, and the settlement prices of those that are over.
pub(super) struct Windows {
    underlying: Underlying,
    domain: Fr,
    parameters: SettlementParameters,
    open: BTreeMap<Time, OpenWindow>,
    pub(super) settled: Settlements,
}

impl Windows {
    pub(super) fn new(
        underlying: Underlying,
        domain: Fr,
        parameters: SettlementParameters,
    ) -> Self {
        let (open, settled) = (BTreeMap::new(), Settlements::new());
        Self { underlying, domain, parameters, open, settled }
    }

    /// Signs and takes the samples of every window of `expiries` up to `time`; at its end comes the
    /// settlement price.
    pub(super) fn take(
        &mut self,
        time: Time,
        expiries: BTreeSet<Time>,
        path: &PricePath,
    ) -> Result<(), StressError> {
        let spacing_s = u64::from(self.parameters.spacing_s);
        for expiry in expiries {
            let start = expiry.get() - u64::from(self.parameters.window_s);
            if time.get() <= start || self.settled.contains_key(&(self.underlying, expiry)) {
                continue;
            }
            let mut open = match self.open.remove(&expiry) {
                Some(open) => open,
                None => self.begin(expiry, start + spacing_s)?,
            };
            while open.next_s <= time.min(expiry).get() {
                let sample = self.sample(Time::new(open.next_s)?, path)?;
                open.window.take(&sample, self.domain, &oracle_set())?;
                open.next_s += spacing_s;
            }
            if time >= expiry {
                self.settled.insert((self.underlying, expiry), open.window.price()?);
            }
            self.open.insert(expiry, open);
        }
        Ok(())
    }

    fn begin(&self, expiry: Time, next_s: u64) -> Result<OpenWindow, StressError> {
        let parameters = self.parameters.clone();
        let window = SettlementWindow::new(self.underlying, expiry, parameters)?;
        Ok(OpenWindow { window, next_s })
    }

    /// The price of a second, signed by all members but one.
    fn sample(&self, time: Time, path: &PricePath) -> Result<SignedSample, StressError> {
        let sample = IndexSample {
            underlying: self.underlying,
            time,
            price: path.price_at(time)?,
            units_per_usdc: PRICE_UNITS,
        };
        let hash = sample.hash(self.domain);
        let mut signatures = oracle_keys().map(|key| Some(key.sign(hash)));
        signatures[1] = None;
        Ok(SignedSample { sample, signatures })
    }

    /// What the window of an expiry has fixed of its forward at `time`, if it has begun.
    pub(super) fn fixing(&self, expiry: Time, time: Time) -> Result<Option<Fixing>, StressError> {
        let open = self.open.get(&expiry).map(|open| open.window.fixing(time));
        Ok(open.transpose()?.flatten())
    }

    /// Forgets the windows of what has expired at `time`.
    pub(super) fn close(&mut self, time: Time) {
        self.open.retain(|&expiry, _| expiry > time);
    }
}
