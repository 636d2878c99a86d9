//! Builds the risk table of 800 options and prints how long it took.
//!
//! `cargo run --release -p zkmargin-protocol --example risk_table`

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use zkmargin_host::{OutputError, output};
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_table::{Registry, build};
use zkmargin_protocol::market::risk_tree;
use zkmargin_protocol::market::settlement_price::Settlements;
use zkmargin_protocol::pricing::black76::{OptionKind, Volatility};
use zkmargin_protocol::pricing::scenario::SCENARIOS;
use zkmargin_protocol::pricing::surface::{Expiry, SmilePoint, Surface, SurfaceData};
use zkmargin_protocol::value::units::{InstrumentIndex, Price, Time, Underlying};

const DAYS: [u64; 10] = [1, 2, 3, 7, 14, 28, 56, 91, 182, 273];
const STRIKES: u32 = 40;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let status = if error.is::<OutputError>() { 3 } else { 1 };
            output::note(error);
            ExitCode::from(status)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let (underlying, now) = (Underlying::new(1)?, 1_770_000_000);
    let mut expiries = Vec::new();
    let mut registry = Registry::new();
    for days in DAYS {
        let expiry = Time::new(now + days * 86_400)?;
        let mut smile = Vec::new();
        for step in 0..STRIKES {
            let strike = Price::new(30_000_000 + step * 2_000_000)?;
            smile.push(SmilePoint { strike, volatility: Volatility(700_000 - 5_000 * step) });
            for kind in [OptionKind::Call, OptionKind::Put] {
                let index = InstrumentIndex::of(underlying, registry.len() as u16 + 1)?;
                registry.insert(index, InstrumentSpec { underlying, expiry, strike, kind });
            }
        }
        expiries.push(Expiry { expiry, forward: Price::new(68_500_000)?, fixing: None, smile });
    }
    let time = Time::new(now)?;
    let surface = Surface::new(SurfaceData { underlying, time, expiries })?;
    let start = Instant::now();
    let rows = build(&[surface], &registry, &Settlements::new(), &RiskParameters::reference())?;
    let priced = start.elapsed();
    let root = risk_tree(&rows)?.root();
    let count = rows.len();
    output::line(format_args!(
        "{count} instruments, {SCENARIOS} scenarios: priced in {priced:.1?}"
    ))?;
    Ok(output::line(format_args!("root {root} after {:.1?}", start.elapsed()))?)
}
