//! Recorded chains, with a line between snapshots.

use std::collections::BTreeMap;

use zkmargin_protocol::pricing::black76::Volatility;
use zkmargin_protocol::pricing::surface::{Expiry, Surface};
use zkmargin_protocol::value::units::{Price, Time};

use super::at_moneyness;
use crate::StressError;
use crate::path::PricePath;

/// Recorded surfaces of one underlying, and the price when they were recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    snapshots: BTreeMap<Time, (Surface, Price)>,
}

impl Recorded {
    /// Surfaces, with the path that runs between them.
    ///
    /// # Errors
    /// [`StressError::Data`] for two surfaces of one second.
    pub fn new(surfaces: Vec<Surface>, path: &PricePath) -> Result<Self, StressError> {
        let mut snapshots = BTreeMap::new();
        for surface in surfaces {
            let time = surface.time();
            let price = path.price_at(time)?;
            if snapshots.insert(time, (surface, price)).is_some() {
                return Err(StressError::data("two snapshots of second", time));
            }
        }
        Ok(Self { snapshots })
    }

    fn before(&self, time: Time) -> Option<(Time, &(Surface, Price))> {
        self.snapshots.range(..=time).next_back().map(|(&at, snapshot)| (at, snapshot))
    }

    pub(super) fn expiries(&self, time: Time) -> Vec<Time> {
        let surface = self.before(time).map(|(_, (surface, _))| surface.expiries());
        let expiries = surface.unwrap_or_default().iter().map(|expiry| expiry.expiry);
        expiries.filter(|&expiry| expiry > time).collect()
    }

    /// A number of the snapshots around `time`, with the line between them; that of the earlier one
    /// if the later one does not have the expiry any more.
    fn between(
        &self,
        time: Time,
        expiry: Time,
        number: impl Fn(&Expiry, Price) -> Result<i128, StressError>,
    ) -> Result<i128, StressError> {
        let missing = || StressError::data("no snapshot with the expiry before", time);
        let (from, (surface, price)) = self.before(time).ok_or_else(missing)?;
        let first = number(surface.expiry(expiry)?, *price)?;
        let Some((&to, (surface, price))) = self.snapshots.range(time..).next() else {
            return Ok(first);
        };
        let (Ok(later), true) = (surface.expiry(expiry), to > from) else { return Ok(first) };
        let second = number(later, *price)?;
        let (passed, whole) = (time.get() - from.get(), to.get() - from.get());
        Ok(first + (second - first) * i128::from(passed) / i128::from(whole))
    }

    /// The price times the recorded ratio of forward and price.
    pub(super) fn forward(
        &self,
        time: Time,
        price: Price,
        expiry: Time,
    ) -> Result<Price, StressError> {
        const E12: i128 = 1_000_000_000_000;
        let basis_e12 = self.between(time, expiry, |recorded, price| {
            Ok(i128::from(recorded.forward) * E12 / i128::from(price))
        })?;
        Ok(Price::try_from(i128::from(price) * basis_e12 / E12)?)
    }

    pub(super) fn volatility(
        &self,
        time: Time,
        expiry: Time,
        strike: Price,
        forward: Price,
    ) -> Result<Volatility, StressError> {
        let volatility = self.between(time, expiry, |recorded, _| {
            Ok(i128::from(at_moneyness(recorded, strike, forward)?.0))
        })?;
        u32::try_from(volatility)
            .map(Volatility)
            .map_err(|_| StressError::data("volatility", volatility))
    }
}
