//! The oracle of a replay: lists options, collects settlement samples, builds and signs one risk
//! table a step.

mod windows;

use std::collections::BTreeSet;

use ark_bn254::Fr;
use zkmargin_fixtures::keys::{attestation, signed_table};
use zkmargin_protocol::account::price_band;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::oracle::OracleMessage;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_table::{self, Registry};
use zkmargin_protocol::pricing::arbitrage;
use zkmargin_protocol::pricing::surface::{Expiry, SmilePoint, Surface, SurfaceData};
use zkmargin_protocol::value::units::{InstrumentIndex, Price, Time, Underlying};

use self::windows::Windows;
use crate::StressError;
use crate::path::PricePath;
use crate::smiles::{Smiles, at_moneyness};

/// Greatest age of the oracle's data at a batch, seconds.
const ORACLE_MAX_AGE_S: u32 = 600;
/// Greatest lead of the oracle's data, seconds.
const ORACLE_SKEW_S: u32 = 5;

/// The market of a replay: price and volatility at any time.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What is traded.
    pub underlying: Underlying,
    /// Its price.
    pub path: PricePath,
    /// Forwards and volatilities.
    pub smiles: Smiles,
}

/// The oracle of a replay.
pub struct Feed {
    scene: Scene,
    domain: Fr,
    parameters: RiskParameters,
    registry: Registry,
    next_slot: u16,
    windows: Windows,
    last: Option<Surface>,
    epoch: u64,
    /// Steps whose surface had the volatilities of the step before, for its own left arbitrage.
    pub repaired: usize,
}

impl Feed {
    /// An oracle that signs for `domain`.
    pub fn new(scene: Scene, domain: Fr, parameters: RiskParameters) -> Self {
        Self {
            windows: Windows::new(scene.underlying, domain, parameters.settlement.clone()),
            scene,
            domain,
            parameters,
            registry: Registry::new(),
            next_slot: 1,
            last: None,
            epoch: 0,
            repaired: 0,
        }
    }

    /// The parameters of batches under its tables, with the reference's auctions.
    pub fn batch_parameters(&self) -> BatchParameters {
        self.parameters.batch_parameters(ORACLE_MAX_AGE_S, ORACLE_SKEW_S)
    }

    /// What is traded.
    pub fn underlying(&self) -> Underlying {
        self.scene.underlying
    }

    /// The price at a time.
    ///
    /// # Errors
    /// None for prices of bars.
    pub fn price_at(&self, time: Time) -> Result<Price, StressError> {
        self.scene.path.price_at(time)
    }

    /// The expiries there are at a time.
    pub fn expiries(&self, time: Time) -> Vec<Time> {
        self.scene.smiles.expiries(time)
    }

    /// The index of an option, listed if it was not.
    ///
    /// # Errors
    /// [`zkmargin_protocol::Rule::Range`] when the underlying's slots are used up.
    pub fn list(&mut self, spec: InstrumentSpec) -> Result<InstrumentIndex, StressError> {
        if let Some((&index, _)) = self.registry.iter().find(|(_, listed)| **listed == spec) {
            return Ok(index);
        }
        let index = InstrumentIndex::of(self.scene.underlying, self.next_slot)?;
        self.next_slot += 1;
        self.registry.insert(index, spec);
        Ok(index)
    }

    /// Whether listed options expire at `time`.
    pub fn has_expiry(&self, time: Time) -> bool {
        self.registry.values().any(|spec| spec.expiry == time)
    }

    /// Whether an option expires no later than `time`; so has one that is not listed.
    pub fn expires_by(&self, index: InstrumentIndex, time: Time) -> bool {
        self.registry.get(&index).is_none_or(|spec| spec.expiry <= time)
    }

    /// Forgets the options that have expired at `time`, when nobody holds one any more.
    pub fn delist(&mut self, time: Time) {
        self.registry.retain(|_, spec| spec.expiry > time);
        self.windows.close(time);
    }

    /// The next table: settlement samples up to `time`, surface, band, rows, signatures.
    ///
    /// # Errors
    /// Those of the rules of each.
    pub fn publish(
        &mut self,
        time: Time,
        batch_parameters: &BatchParameters,
    ) -> Result<Market, StressError> {
        let price = self.price_at(time)?;
        self.scene.smiles.observe(time, price);
        let expiries = self.registry.values().map(|spec| spec.expiry).collect();
        self.windows.take(time, expiries, &self.scene.path)?;
        let surface = self.surface(time, price)?;
        let is_outside_band = self.last.as_ref().is_some_and(|last| {
            let [before, now] = [last, &surface].map(std::slice::from_ref);
            price_band::is_outside(before, now, self.parameters.band_ppm)
        });
        let surfaces = std::slice::from_ref(&surface);
        let rows =
            risk_table::build(surfaces, &self.registry, &self.windows.settled, &self.parameters)?;
        self.epoch += 1;
        let parameters = batch_parameters.clone();
        let mut table = signed_table(&rows, parameters, self.epoch, time, self.domain)?;
        if is_outside_band {
            let message = OracleMessage { is_outside_band, ..table.attestation.message };
            table.attestation = attestation(message, self.domain);
        }
        self.last = Some(surface);
        Ok(Market::new(table, self.domain)?)
    }

    /// The surface of a step: the strikes listed and one at the money. If it leaves arbitrage, the
    /// volatilities of the last one at the same shares of the forwards instead.
    fn surface(&mut self, time: Time, price: Price) -> Result<Surface, StressError> {
        let mut expiries = Vec::new();
        for expiry in self.expiries(time) {
            let listed = self.registry.values().filter(|spec| spec.expiry == expiry);
            let mut strikes: BTreeSet<Price> = listed.map(|spec| spec.strike).collect();
            strikes.insert(price);
            let mut data = self.scene.smiles.expiry(time, price, expiry, strikes.into_iter())?;
            data.fixing = self.windows.fixing(expiry, time)?;
            expiries.push(data);
        }
        let surface = self.surface_of(time, expiries)?;
        let (Err(_), Some(last)) =
            (arbitrage::check(&surface, &self.parameters.arbitrage), &self.last)
        else {
            return Ok(surface);
        };
        let kept = surface.expiries().iter().map(|expiry| kept_smile(last, expiry));
        let surface = self.surface_of(time, kept.collect::<Result<_, _>>()?)?;
        self.repaired += 1;
        Ok(surface)
    }

    fn surface_of(&self, time: Time, expiries: Vec<Expiry>) -> Result<Surface, StressError> {
        let underlying = self.scene.underlying;
        Ok(Surface::new(SurfaceData { underlying, time, expiries })?)
    }
}

/// The volatilities that `last` had, for the expiry as it is now; its own where the last surface
/// did not have it.
fn kept_smile(last: &Surface, now: &Expiry) -> Result<Expiry, StressError> {
    let Ok(old) = last.expiry(now.expiry) else { return Ok(now.clone()) };
    let point = |point: &SmilePoint| {
        let volatility = at_moneyness(old, point.strike, now.forward)?;
        Ok(SmilePoint { strike: point.strike, volatility })
    };
    let smile = now.smile.iter().map(point).collect::<Result<_, StressError>>()?;
    Ok(Expiry { smile, ..now.clone() })
}
