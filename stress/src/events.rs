//! The recorded crashes, and how their data become a market. The only page that knows the recorded
//! files.

use std::path::Path;

use zkmargin_fixtures::FixtureError;
use zkmargin_fixtures::data::import::{Report, import_chains, seconds};
use zkmargin_fixtures::data::market::{btc, eth, surface_at};
use zkmargin_host::file;
use zkmargin_protocol::pricing::black76::Volatility;
use zkmargin_protocol::value::units::{Time, Underlying};

use crate::StressError;
use crate::feed::Scene;
use crate::path::{PricePath, bars};
use crate::replay::run;
use crate::settings::Settings;
use crate::smiles::{Modelled, Recorded, Smiles};
use crate::tally::Tally;

/// Greatest size of a recorded file, packed.
const BYTES_MAX: u64 = 1 << 27;

/// Where the volatilities of an event come from.
#[derive(Clone, Copy, Debug)]
pub enum Surfaces {
    /// Recorded chains, one file a day.
    Recorded(&'static [&'static str]),
    /// The model, with this volatility at the money of a quiet market, 10^-6.
    Modelled(u32),
}

/// A recorded crash in one underlying.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Name of files.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Whether of Ether instead of Bitcoin.
    pub is_ether: bool,
    /// Recorded bars, a file below the data folder.
    pub bars: &'static str,
    /// Seconds of a bar.
    pub bar_s: u64,
    /// Seconds from a table to the next.
    pub step_s: u64,
    /// First and last second, UTC.
    pub span: [&'static str; 2],
    /// Volatilities.
    pub surfaces: Surfaces,
}

const MARCH_2020: Event = Event {
    name: "2020-03-btc",
    title: "March 2020, BTC",
    is_ether: false,
    bars: "prices/binance_mark_1h_BTCUSDT_201912_202106.csv.gz",
    bar_s: 3_600,
    step_s: 600,
    span: ["2020-03-06T12:00:00Z", "2020-03-20T12:00:00Z"],
    surfaces: Surfaces::Modelled(600_000),
};

const MAY_2021: Event = Event {
    name: "2021-05-btc",
    title: "May 2021, BTC",
    span: ["2021-05-10T12:00:00Z", "2021-05-25T12:00:00Z"],
    surfaces: Surfaces::Modelled(900_000),
    ..MARCH_2020
};

const AUGUST_2024: Event = Event {
    name: "2024-08-btc",
    title: "August 2024, BTC",
    bars: "prices/binance_spot_15m_BTCUSDT_202407_202408.csv.gz",
    bar_s: 900,
    step_s: 300,
    span: ["2024-07-29T12:00:00Z", "2024-08-10T12:00:00Z"],
    surfaces: Surfaces::Modelled(500_000),
    ..MARCH_2020
};

const FEBRUARY_2026: Event = Event {
    name: "2026-02-btc",
    title: "February 2026, BTC",
    bars: "prices/binance_spot_15m_BTCUSDT_202601_202602.csv.gz",
    span: ["2026-01-28T04:30:00Z", "2026-02-09T21:30:00Z"],
    surfaces: Surfaces::Recorded(&[
        "market/deribit_chain_20260128.csv.gz",
        "market/deribit_chain_20260129.csv.gz",
        "market/deribit_chain_20260130.csv.gz",
        "market/deribit_chain_20260131.csv.gz",
        "market/deribit_chain_20260201.csv.gz",
        "market/deribit_chain_20260202.csv.gz",
        "market/deribit_chain_20260203.csv.gz",
        "market/deribit_chain_20260204.csv.gz",
        "market/deribit_chain_20260205.csv.gz",
        "market/deribit_chain_20260206.csv.gz",
        "market/deribit_chain_20260207.csv.gz",
        "market/deribit_chain_20260208.csv.gz",
        "market/deribit_chain_20260209.csv.gz",
    ]),
    ..AUGUST_2024
};

/// The same days in Ether, whose quiet volatility is higher.
const fn ether(event: Event, name: &'static str, title: &'static str, bars: &'static str) -> Event {
    let surfaces = match event.surfaces {
        Surfaces::Modelled(base) => Surfaces::Modelled(base / 5 * 6),
        recorded => recorded,
    };
    Event { name, title, is_ether: true, bars, surfaces, ..event }
}

const FEBRUARY_2026_ETHER: Event = ether(
    FEBRUARY_2026,
    "2026-02-eth",
    "February 2026, ETH",
    "prices/binance_spot_15m_ETHUSDT_202601_202602.csv.gz",
);

/// The crashes, by date.
pub const EVENTS: [Event; 8] = [
    MARCH_2020,
    ether(
        MARCH_2020,
        "2020-03-eth",
        "March 2020, ETH",
        "prices/binance_mark_1h_ETHUSDT_201912_202106.csv.gz",
    ),
    MAY_2021,
    ether(
        MAY_2021,
        "2021-05-eth",
        "May 2021, ETH",
        "prices/binance_mark_1h_ETHUSDT_201912_202106.csv.gz",
    ),
    AUGUST_2024,
    ether(
        AUGUST_2024,
        "2024-08-eth",
        "August 2024, ETH",
        "prices/binance_spot_15m_ETHUSDT_202407_202408.csv.gz",
    ),
    FEBRUARY_2026,
    FEBRUARY_2026_ETHER,
];

/// Crashes with recorded volatilities, replayed with the model's instead: what the model leaves
/// out.
pub const MODELLED: [Event; 2] = [
    Event {
        name: "2026-02-btc-modelled",
        title: "February 2026, BTC, modelled",
        surfaces: Surfaces::Modelled(400_000),
        ..FEBRUARY_2026
    },
    Event {
        name: "2026-02-eth-modelled",
        title: "February 2026, ETH, modelled",
        surfaces: Surfaces::Modelled(480_000),
        ..FEBRUARY_2026_ETHER
    },
];

impl Event {
    /// Replays the event with the reference settings, changed by `vary`.
    ///
    /// # Errors
    /// Those of data and rules, and of conservation.
    pub fn replay(&self, data: &Path, vary: fn(&mut Settings)) -> Result<Tally, StressError> {
        self.replay_of(self.scene(data)?, vary)
    }

    /// As [`Self::replay`], of the event's market.
    ///
    /// # Errors
    /// Those of rules and of conservation.
    pub fn replay_of(&self, scene: Scene, vary: fn(&mut Settings)) -> Result<Tally, StressError> {
        let mut settings = Settings::reference(self.step_s);
        vary(&mut settings);
        run(scene, self.span()?, settings)
    }

    /// Start and end.
    ///
    /// # Errors
    /// None for the events of this page.
    pub fn span(&self) -> Result<[Time; 2], StressError> {
        let [start, end] = self.span;
        let time = |text| seconds(text).ok_or_else(|| StressError::data("not a time", text));
        Ok([time(start)?, time(end)?])
    }

    fn underlying(&self) -> Underlying {
        if self.is_ether { eth() } else { btc() }
    }

    /// The market of the event from the recorded data.
    ///
    /// # Errors
    /// Those of [`Self::load`].
    pub fn scene(&self, data: &Path) -> Result<Scene, StressError> {
        Ok(self.load(data)?.scene)
    }

    /// The market of the event from the recorded data, and what the files held besides.
    ///
    /// # Errors
    /// [`StressError::Missing`] naming the file that is not there; those of reading it;
    /// [`StressError::Data`] for files that do not cover the event.
    pub fn load(&self, data: &Path) -> Result<Loaded, StressError> {
        let underlying = self.underlying();
        let bars = bars(read(data, self.bars)?.as_slice(), self.bars, self.bar_s)?;
        let path = PricePath::of_bars(&bars, self.bar_s).map_err(StressError::within(self.bars))?;
        self.check_cover(&path)?;
        let mut reports = Vec::new();
        let smiles = match self.surfaces {
            Surfaces::Modelled(base) => Smiles::Modelled(Modelled::reference(Volatility(base))),
            Surfaces::Recorded(files) => {
                let mut surfaces = Vec::new();
                for &file in files {
                    let (chains, report) = import_chains(read(data, file)?.as_slice(), file)?;
                    reports.push((file, report));
                    for (time, chain) in chains {
                        if !chain.keys().any(|index| index.underlying() == underlying) {
                            let none = StressError::data("no option is kept of second", time);
                            return Err(StressError::within(file)(none));
                        }
                        let surface = surface_at(&chain, underlying, time);
                        let within = |error: FixtureError| StressError::within(file)(error.into());
                        surfaces.push(surface.map_err(within)?);
                    }
                }
                Smiles::Recorded(Recorded::new(surfaces, &path)?)
            }
        };
        Ok(Loaded { scene: Scene { underlying, path, smiles }, reports })
    }

    /// Checks that the bars are of the event's time: a path goes on level beyond its ends.
    fn check_cover(&self, path: &PricePath) -> Result<(), StressError> {
        let [start, end] = self.span()?.map(Time::get);
        let [first, last] = path.span();
        if first <= start && end <= last {
            return Ok(());
        }
        let found = format!("found seconds {first} to {last}, needed are {start} to {end}");
        let error = StressError::data("the bars do not cover the event", found);
        Err(StressError::within(self.bars)(error))
    }
}

/// The market of an event, and what its files held.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The market.
    pub scene: Scene,
    /// What was read of each file of recorded chains, and what was skipped.
    pub reports: Vec<(&'static str, Report)>,
}

fn read(data: &Path, name: &str) -> Result<Vec<u8>, StressError> {
    let read = file::read(&data.join(name), BYTES_MAX);
    read.map_err(|error| StressError::Missing(error.path, error.error))
}
