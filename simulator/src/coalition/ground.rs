//! The market under the attacks: the recorded Bitcoin chain under the reference parameters, moved
//! by a factor, at any time.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use zkmargin_fixtures::build::domain;
use zkmargin_fixtures::data::market::{
    ORACLE_MAX_AGE_S, ORACLE_SKEW_S, SNAPSHOT_TIME_S, btc, chain, surface_at,
};
use zkmargin_fixtures::{FixtureError, keys};
use zkmargin_protocol::account::price_band;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::oracle::OracleMessage;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_table::{Registry, build};
use zkmargin_protocol::market::settlement_price::Settlements;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::pricing::surface::{Expiry, Surface, SurfaceData};
use zkmargin_protocol::value::units::{InstrumentIndex, PPM, Price, Time};
use zkmargin_protocol::{Reject, Rule};

/// When every attack begins, unix seconds: when the chain was recorded.
pub const START_S: u64 = SNAPSHOT_TIME_S;

/// Distance of strikes beyond those recorded, 1/1000 USDC.
const STRIKE_E3: i128 = 1_000_000;

/// The recorded chain and the parameters, read once.
pub struct Ground {
    expiries: Vec<Expiry>,
    risk: RiskParameters,
    domain: Fr,
}

/// An option of the chain, by its place.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Place of the expiry, the nearest first.
    pub expiry: usize,
    /// Strike as a share of the forward, parts per thousand: [`Ground::spec`].
    pub strike_permille: i64,
    /// Call or put.
    pub kind: OptionKind,
}

/// What a table is made of.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Time of the data and of the next batch, unix seconds.
    pub time_s: u64,
    /// Forwards as a share of the recorded ones, parts per million. Each strike keeps its
    /// volatility.
    pub forward_ppm: i64,
}

impl Weather {
    /// The market as it was recorded.
    pub const RECORDED: Self = Self { time_s: START_S, forward_ppm: PPM as i64 };
}

fn scaled(price: Price, ppm: i64) -> Result<Price, Reject> {
    Price::try_from(i128::from(price) * i128::from(ppm) / i128::from(PPM))
}

impl Ground {
    /// Reads the shipped chain.
    ///
    /// # Errors
    /// Those of the shipped files: none.
    pub fn new() -> Result<Self, FixtureError> {
        let surface = surface_at(&chain()?, btc(), Time::new(START_S)?)?;
        let expiries = surface.expiries().to_vec();
        Ok(Self { expiries, risk: RiskParameters::reference(), domain: domain() })
    }

    /// Domain of signatures.
    pub fn domain(&self) -> Fr {
        self.domain
    }

    /// The reference parameters of a batch.
    pub fn parameters(&self) -> BatchParameters {
        self.risk.batch_parameters(ORACLE_MAX_AGE_S, ORACLE_SKEW_S)
    }

    /// The specification of a contract: its strike is the recorded one nearest to that asked for,
    /// or a round one beyond those recorded.
    ///
    /// # Errors
    /// [`Rule::InstrumentLive`] for an expiry that was not recorded; [`Rule::Range`] for a strike
    /// that leaves its width.
    pub fn spec(&self, contract: Contract) -> Result<InstrumentSpec, Reject> {
        let expiry = self.expiries.get(contract.expiry).ok_or_else(|| {
            let reject = Reject::new(Rule::InstrumentLive, "place of an expiry", contract.expiry);
            reject.at_most(self.expiries.len().saturating_sub(1))
        })?;
        let wanted = i128::from(expiry.forward) * i128::from(contract.strike_permille) / 1_000;
        let strikes = expiry.smile.iter().map(|point| point.strike);
        let nearest = strikes.clone().min_by_key(|&strike| i128::from(strike).abs_diff(wanted));
        let ends = [strikes.clone().min(), strikes.max()].map(|end| end.map_or(wanted, i128::from));
        let is_recorded = (ends[0]..=ends[1]).contains(&wanted);
        // Beyond the ends of the smile a strike is a multiple of 1,000 USDC.
        let rounded = (wanted + STRIKE_E3 / 2) / STRIKE_E3 * STRIKE_E3;
        let strike = match nearest {
            Some(nearest) if is_recorded => nearest,
            _ => Price::try_from(rounded)?,
        };
        Ok(InstrumentSpec { underlying: btc(), expiry: expiry.expiry, strike, kind: contract.kind })
    }

    /// The surface of the expiries which `registry` has, as `weather` moves it.
    ///
    /// # Errors
    /// [`Rule::Range`] for a price that leaves its width, or no expiry to come.
    pub fn surface(&self, registry: &Registry, weather: Weather) -> Result<Surface, Reject> {
        let time = Time::new(weather.time_s)?;
        let used: BTreeSet<Time> = registry.values().map(|spec| spec.expiry).collect();
        let is_live = |expiry: &&Expiry| used.contains(&expiry.expiry) && expiry.expiry > time;
        let moved = |expiry: &Expiry| {
            let forward = scaled(expiry.forward, weather.forward_ppm)?;
            Ok(Expiry { forward, ..expiry.clone() })
        };
        let expiries = self.expiries.iter().filter(is_live).map(moved);
        let expiries = expiries.collect::<Result<_, Reject>>()?;
        Surface::new(SurfaceData { underlying: btc(), time, expiries })
    }

    /// The forward of an expiry, moved by `forward_ppm`.
    ///
    /// # Errors
    /// [`Rule::Range`]; [`Rule::InstrumentLive`] for an expiry that was not recorded.
    pub fn forward(&self, expiry: Time, forward_ppm: i64) -> Result<Price, Reject> {
        let found = self.expiries.iter().find(|data| data.expiry == expiry);
        let missing = || Reject::new(Rule::InstrumentLive, "expiry", expiry).only("a recorded one");
        scaled(found.ok_or_else(missing)?.forward, forward_ppm)
    }

    /// Table `epoch` of `surface`, signed by the development oracle. `before` is the surface of the
    /// epoch before.
    ///
    /// # Errors
    /// Those of the rules that build and sign a table.
    pub fn market(
        &self,
        epoch: u64,
        [before, surface]: [Option<&Surface>; 2],
        registry: &Registry,
        settlements: &Settlements,
        parameters: &BatchParameters,
    ) -> Result<Market, Reject> {
        let surfaces: Vec<Surface> = surface.into_iter().cloned().collect();
        let time = surfaces.first().map_or(Time::MIN, Surface::time);
        let rows = build(&surfaces, registry, settlements, &self.risk)?;
        let parameters = parameters.clone();
        let mut table = keys::signed_table(&rows, parameters, epoch, time, self.domain)?;
        let before: Vec<Surface> = before.into_iter().cloned().collect();
        let is_outside_band = price_band::is_outside(&before, &surfaces, self.risk.band_ppm);
        let message = OracleMessage { is_outside_band, ..table.attestation.message.clone() };
        table.attestation = keys::attestation(message, self.domain);
        Market::new(table, self.domain)
    }
}

/// The index under which an attack lists its `place`-th contract.
///
/// # Errors
/// [`Rule::Range`] beyond the slots of an underlying.
pub fn instrument(place: usize) -> Result<InstrumentIndex, Reject> {
    let slot = u16::try_from(place + 1).unwrap_or(u16::MAX);
    InstrumentIndex::of(btc(), slot)
}
