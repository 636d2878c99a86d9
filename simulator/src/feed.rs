//! The market: forwards that walk and jump, options listed and expiring, samples that come in time
//! or late; each epoch becomes a risk table by the rules' own pricing, signed by the development
//! oracle.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::keys::{attestation, signed_table};
use zkmargin_protocol::Reject;
use zkmargin_protocol::account::price_band;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::oracle::OracleMessage;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_table::{Registry, build};
use zkmargin_protocol::market::settlement_price::Settlements;
use zkmargin_protocol::pricing::black76::{OptionKind, Volatility};
use zkmargin_protocol::pricing::surface::{Expiry, SmilePoint, Surface, SurfaceData};
use zkmargin_protocol::value::units::{InstrumentIndex, Price, Time, Underlying};

use crate::coin::{Coin, Window, price, time};

/// Greatest age of the oracle's data at a batch, seconds.
pub const MAX_AGE_S: u32 = 600;
/// When the simulation begins.
pub const START_S: u64 = 1_780_000_000;

/// How large the market is.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// Underlyings.
    pub underlyings: u8,
    /// Expiries to come of each.
    pub expiries: usize,
    /// Strikes of each expiry, with a call and a put each.
    pub strikes: u32,
    /// Seconds from an expiry to the next.
    pub interval_s: u64,
    /// Epochs from a jump to the next, on average.
    pub calm: u32,
}

/// An epoch of market data with what the auditor wants to know of it.
#[derive(Clone)]
pub struct Epoch {
    /// The signed table.
    pub market: Market,
    /// Forwards by underlying.
    pub forwards: BTreeMap<Underlying, Price>,
    /// The listed options.
    pub registry: Registry,
    /// Settlement prices so far of listed options.
    pub settlements: Settlements,
    /// The samples delivered for them.
    pub samples: BTreeMap<(Underlying, Time), BTreeMap<Time, Price>>,
}

/// The market as it goes on.
pub struct Feed {
    rng: ChaCha8Rng,
    listing: Listing,
    parameters: RiskParameters,
    in_force: BatchParameters,
    domain: Fr,
    time_s: u64,
    number: u64,
    coins: BTreeMap<Underlying, Coin>,
    registry: Registry,
    settlements: Settlements,
    before: Vec<Surface>,
}

impl Feed {
    /// A market for `domain` before its first epoch.
    pub fn new(listing: Listing, domain: Fr, rng: ChaCha8Rng) -> Self {
        let coin = |k: u8| {
            let home_e3 = if k == 1 { 2_500_000 } else { 80_000_000 };
            let windows = BTreeMap::new();
            let underlying = Underlying::new(k).expect("few underlyings");
            (underlying, Coin { forward_e3: home_e3, home_e3, volatility_e6: 700_000, windows })
        };
        let parameters = RiskParameters::reference();
        Self {
            rng,
            listing,
            in_force: parameters.batch_parameters(MAX_AGE_S, 5),
            parameters,
            domain,
            time_s: START_S,
            number: 0,
            coins: (1..=listing.underlyings).map(coin).collect(),
            registry: Registry::new(),
            settlements: Settlements::new(),
            before: Vec::new(),
        }
    }

    /// The next epoch, at `now_s`. Expired options that `held` does not name leave the registry.
    ///
    /// # Errors
    /// Those of the rules that build and sign a table: none for this market.
    pub fn epoch(&mut self, now_s: u64, held: &BTreeSet<InstrumentIndex>) -> Result<Epoch, Reject> {
        let from_s = self.time_s;
        self.time_s = now_s;
        self.number += 1;
        for coin in self.coins.values_mut() {
            coin.walk(self.listing.calm, &mut self.rng);
        }
        self.delist(held);
        self.list()?;
        self.sample(from_s)?;
        let surfaces = self.surfaces()?;
        let rows = build(&surfaces, &self.registry, &self.settlements, &self.parameters)?;
        if self.rng.gen_ratio(1, 30) {
            self.change_parameters();
        }
        let parameters = self.in_force.clone();
        let mut table = signed_table(&rows, parameters, self.number, time(now_s), self.domain)?;
        let is_outside_band =
            price_band::is_outside(&self.before, &surfaces, self.parameters.band_ppm);
        let message = OracleMessage { is_outside_band, ..table.attestation.message.clone() };
        table.attestation = attestation(message, self.domain);
        self.before = surfaces;
        Ok(Epoch {
            market: Market::new(table, self.domain)?,
            forwards: self.coins.iter().map(|(&k, coin)| (k, price(coin.forward_e3))).collect(),
            registry: self.registry.clone(),
            settlements: self.settlements.clone(),
            samples: self.samples(),
        })
    }

    /// Other margin factors and another penalty are in force from now on.
    fn change_parameters(&mut self) {
        let mut draw = |choices: [u32; 3]| *choices.choose(&mut self.rng).expect("three");
        self.in_force = BatchParameters {
            initial_factor_ppm: draw([1_000_000, 1_100_000, 1_250_000]),
            maintenance_factor_ppm: draw([700_000, 800_000, 950_000]),
            forced_penalty_ppm: draw([0, 2_000, 10_000]),
            effective: time(self.time_s),
            ..self.in_force.clone()
        };
    }

    fn samples(&self) -> BTreeMap<(Underlying, Time), BTreeMap<Time, Price>> {
        let windows = self.coins.iter().flat_map(|(&underlying, coin)| {
            coin.windows.iter().map(move |(&expiry, window)| ((underlying, expiry), window))
        });
        windows.map(|(key, window)| (key, window.samples.clone())).collect()
    }

    fn delist(&mut self, held: &BTreeSet<InstrumentIndex>) {
        let now = time(self.time_s);
        self.registry.retain(|index, spec| spec.expiry > now || held.contains(index));
        let specs: BTreeSet<_> =
            self.registry.values().map(|spec| (spec.underlying, spec.expiry)).collect();
        self.settlements.retain(|key, _| specs.contains(key));
        for (&underlying, coin) in &mut self.coins {
            coin.windows.retain(|&expiry, _| specs.contains(&(underlying, expiry)));
        }
    }

    /// Lists expiries until there are as many to come as there should be.
    fn list(&mut self) -> Result<(), Reject> {
        let Listing { expiries, interval_s, .. } = self.listing;
        let next_s = (self.time_s / interval_s + 1) * interval_s;
        // The next expiry is far enough that its window has not begun.
        let first_s = if next_s - self.time_s < 2_400 { next_s + interval_s } else { next_s };
        for (&underlying, coin) in &mut self.coins {
            let live: BTreeSet<Time> =
                coin.windows.keys().copied().filter(|expiry| expiry.get() > self.time_s).collect();
            let candidates = (0..).map(|k| time(first_s + k * interval_s));
            let fresh = candidates.filter(|expiry| !live.contains(expiry));
            for expiry in fresh.take(expiries.saturating_sub(live.len())) {
                let late = self.rng.gen_ratio(1, 4);
                let late_s = if late { self.rng.gen_range(0..6_000) } else { 0 };
                let settlement = self.parameters.settlement.clone();
                coin.windows.insert(expiry, Window::new(underlying, expiry, settlement, late_s)?);
                let forward_e3 = coin.forward_e3;
                let strikes = self.listing.strikes;
                list_options(&mut self.registry, underlying, expiry, forward_e3, strikes)?;
            }
        }
        Ok(())
    }

    /// Takes the samples of all places passed since `from_s`; some come late, all come in the end.
    fn sample(&mut self, from_s: u64) -> Result<(), Reject> {
        for (&underlying, coin) in &mut self.coins {
            for (&expiry, window) in &mut coin.windows {
                let now = [from_s, self.time_s];
                window.pass(expiry, coin.forward_e3, now, &mut self.rng);
                let is_settled = self.settlements.contains_key(&(underlying, expiry));
                if self.time_s < window.late_until_s || is_settled {
                    continue;
                }
                let is_over = self.time_s >= expiry.get() + 300;
                window.deliver(underlying, is_over, self.domain, &mut self.rng)?;
                if self.time_s >= expiry.get()
                    && let Ok(settlement) = window.taken.price()
                {
                    self.settlements.insert((underlying, expiry), settlement);
                }
            }
        }
        Ok(())
    }

    fn surfaces(&self) -> Result<Vec<Surface>, Reject> {
        let now = time(self.time_s);
        let surface = |(&underlying, coin): (&Underlying, &Coin)| {
            let live = coin.windows.iter().filter(|(expiry, _)| **expiry > now);
            let expiries = live.map(|(&expiry, window)| {
                let of_expiry = self
                    .registry
                    .values()
                    .filter(|spec| spec.underlying == underlying && spec.expiry == expiry);
                let strikes: BTreeSet<Price> = of_expiry.map(|spec| spec.strike).collect();
                let volatility = Volatility(u32::try_from(coin.volatility_e6).expect("32 bits"));
                let smile = strikes.into_iter().map(|strike| SmilePoint { strike, volatility });
                Ok(Expiry {
                    expiry,
                    forward: price(coin.forward_e3),
                    fixing: window.taken.fixing(now)?,
                    smile: smile.collect(),
                })
            });
            let expiries = expiries.collect::<Result<_, Reject>>()?;
            Surface::new(SurfaceData { underlying, time: now, expiries })
        };
        self.coins.iter().map(surface).collect()
    }
}

/// Lists a call and a put at each of `strikes` strikes around the forward, in free slots.
fn list_options(
    registry: &mut Registry,
    underlying: Underlying,
    expiry: Time,
    forward_e3: u64,
    strikes: u32,
) -> Result<(), Reject> {
    for k in 0..strikes {
        let permille = 1_000 + 40 * (2 * u64::from(k) + 1) - 40 * u64::from(strikes);
        let strike = price(forward_e3 * permille / 1_000);
        for kind in [OptionKind::Call, OptionKind::Put] {
            let is_free = |slot: &u16| {
                let index = InstrumentIndex::of(underlying, *slot);
                index.is_ok_and(|index| !registry.contains_key(&index))
            };
            let slot = (1..).find(is_free).expect("4,095 slots");
            let spec = InstrumentSpec { underlying, expiry, strike, kind };
            registry.insert(InstrumentIndex::of(underlying, slot)?, spec);
        }
    }
    Ok(())
}
