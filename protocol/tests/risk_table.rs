//! The risk table against independently computed rows, a real option chain and its own invariants.

mod common;

use std::collections::BTreeMap;

use common::{reference_text, shifted, shipped_json};
use num_bigint::BigInt;
use serde_json::{Value, json};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_row::{RiskRow, RiskRows};
use zkmargin_protocol::market::risk_table::{Registry, build};
use zkmargin_protocol::market::risk_tree;
use zkmargin_protocol::market::settlement_price::Settlements;
use zkmargin_protocol::pricing::black76::{OptionKind, Volatility};
use zkmargin_protocol::pricing::scenario::{SCENARIOS, Scenario, ScenarioGrid};
use zkmargin_protocol::pricing::surface::{Expiry, SmilePoint, Surface, SurfaceData};
use zkmargin_protocol::value::units::{InstrumentIndex, Price, Time, Underlying};

fn shipped_surface() -> Surface {
    serde_json::from_value(shipped_json("pricing/surface.json")["data"].clone()).unwrap()
}

fn shipped_rows() -> RiskRows {
    let rows = shipped_json("pricing/risk_rows.json")["rows"].clone();
    let rows: Vec<RiskRow> = serde_json::from_value(rows).unwrap();
    rows.into_iter().map(|row| (row.instrument, row)).collect()
}

fn registry_of(rows: &RiskRows) -> Registry {
    rows.iter().map(|(&index, row)| (index, row.spec)).collect()
}

#[test]
fn rows_equal_their_independent_computation() {
    let expected = shipped_rows();
    let registry = registry_of(&expected);
    let rows =
        build(&[shipped_surface()], &registry, &Settlements::new(), &RiskParameters::reference())
            .unwrap();
    assert_eq!(rows.len(), expected.len());
    for (index, row) in &rows {
        assert_eq!(row, &expected[index]);
    }
    println!("{} rows of {SCENARIOS} losses equal to the unit", rows.len());
    assert!(rows.len() > 90);
}

#[test]
fn the_table_does_not_depend_on_threads() {
    let registry = registry_of(&shipped_rows());
    let root_with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let rows = pool.install(|| {
            build(
                &[shipped_surface()],
                &registry,
                &Settlements::new(),
                &RiskParameters::reference(),
            )
            .unwrap()
        });
        risk_tree(&rows).unwrap().root()
    };
    assert_eq!(root_with(1), root_with(5));
}

#[test]
fn losses_of_calls_and_puts_keep_parity() {
    let rows = shipped_rows();
    let table: BTreeMap<_, _> =
        rows.values().map(|row| ((row.spec.expiry, row.spec.strike, row.spec.kind), row)).collect();
    let surface = shipped_surface();
    for (&(expiry, strike, kind), call) in &table {
        let (OptionKind::Call, Some(put)) = (kind, table.get(&(expiry, strike, OptionKind::Put)))
        else {
            continue;
        };
        let forward = i64::from(surface.expiry(expiry).unwrap().forward.get());
        for (s, scenario) in RiskParameters::reference().grid.scenarios().iter().enumerate() {
            let synthetic = call.losses[s].get() - put.losses[s].get();
            let (forward_ppm, damping_ppm) = match *scenario {
                Scenario::Move { forward_ppm, damping_ppm, .. } => (forward_ppm, damping_ppm),
                Scenario::Skew { .. } => (1_000_000, 1_000_000),
            };
            // A long synthetic forward loses exactly what the forward does; two roundings of half a
            // unit.
            let moved = i128::from(1_000_000 - i64::from(forward_ppm)) * i128::from(forward);
            let exact = moved * i128::from(damping_ppm);
            let error = (i128::from(synthetic) * 1_000_000_000_000 - exact).abs();
            assert!(error <= 1_000_000_000_000, "{expiry} {strike} scenario {s}");
        }
    }
}

/// Every mark of a calm snapshot of a real chain against the mark the exchange published.
#[test]
fn accepts_a_real_chain() {
    let Some(text) = reference_text("market/deribit_chain_20260110.csv.gz") else { return };
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let column = |name: &str| names.iter().position(|&other| other == name).unwrap();
    let [time, expiry, strike, kind, forward, volatility, mark, currency] = [
        "timestamp",
        "expiry_datetime",
        "strike",
        "option_type",
        "underlying",
        "implied_volatility",
        "mark_price",
        "currency",
    ]
    .map(column);
    let rows: Vec<_> = lines.filter(|row| row[currency] == "BTC").collect();
    let first = rows.iter().map(|row| row[time]).min().unwrap();
    let rows: Vec<_> = rows.iter().filter(|row| row[time] == first).collect();
    let units = |text: &str, digits| u32::try_from(shifted(text, digits)).unwrap();

    let mut smiles: BTreeMap<Time, (Price, BTreeMap<Price, Volatility>)> = BTreeMap::new();
    let (mut registry, mut marks) = (Registry::new(), BTreeMap::new());
    let underlying = Underlying::new(1).unwrap();
    for (slot, row) in rows.iter().enumerate() {
        let (strike, at) = (Price::new(units(row[strike], 3)).unwrap(), unix(row[expiry]));
        let smile = smiles
            .entry(at)
            .or_insert_with(|| (Price::new(units(row[forward], 3)).unwrap(), BTreeMap::new()));
        smile.1.insert(strike, Volatility(units(row[volatility], 6)));
        let kind = if row[kind] == "call" { OptionKind::Call } else { OptionKind::Put };
        let index = InstrumentIndex::of(underlying, slot as u16 + 1).unwrap();
        registry.insert(index, InstrumentSpec { underlying, expiry: at, strike, kind });
        marks.insert(index, (shifted(row[mark], 12), shifted(row[forward], 3)));
    }
    let expiries = smiles.into_iter().map(|(expiry, (forward, smile))| Expiry {
        expiry,
        forward,
        fixing: None,
        smile: smile
            .into_iter()
            .map(|(strike, volatility)| SmilePoint { strike, volatility })
            .collect(),
    });
    let data = SurfaceData { underlying, time: unix(first), expiries: expiries.collect() };
    let surface = Surface::new(data).unwrap();
    let table =
        build(&[surface], &registry, &Settlements::new(), &RiskParameters::reference()).unwrap();
    let mut errors: Vec<BigInt> = marks
        .iter()
        .map(|(index, (coin, forward))| {
            let ours = BigInt::from(table[index].mark.get()) * BigInt::from(10).pow(12) / forward;
            (ours - coin).magnitude().clone().into()
        })
        .collect();
    errors.sort();
    let (median, worst) = (&errors[errors.len() / 2], errors.last().unwrap());
    println!("{} marks: median error {median}e-12 coin, worst {worst}e-12 coin", errors.len());
    // One forward an expiry is used, where the exchange's own moved by up to 0.05 % during the
    // snapshot.
    assert!(errors.len() > 300 && *median < BigInt::from(50_000_000));
    assert!(*worst < BigInt::from(1_000_000_000));
}

/// Unix time of `2026-01-10T03:50:15…` in UTC.
fn unix(text: &str) -> Time {
    let part = |range: std::ops::Range<usize>| text[range].parse::<u64>().unwrap();
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    assert!((2024..2100).contains(&year));
    let leap = |year: u64| u64::from(year.is_multiple_of(4));
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month as usize - 1];
    let days = (2024..year).map(|year| 365 + leap(year)).sum::<u64>() + before + day - 1;
    let days = days + if month > 2 { leap(year) } else { 0 };
    // 2024-01-01 is day 19,723.
    let seconds = part(11..13) * 3600 + part(14..16) * 60 + part(17..19);
    Time::new((19_723 + days) * 86_400 + seconds).unwrap()
}

fn rejected(change: impl FnOnce(&mut Value)) -> Rule {
    let mut data = shipped_json("pricing/surface.json")["data"].clone();
    change(&mut data);
    let data: SurfaceData = serde_json::from_value(data).unwrap();
    Surface::new(data).unwrap_err().rule
}

#[test]
fn rejects_range_of_surfaces() {
    let changes: [fn(&mut Value); 10] = [
        |data| data["expiries"] = json!([]),
        |data| data["expiries"][0]["forward"] = json!("0"),
        |data| data["expiries"][0]["smile"] = json!([]),
        |data| data["expiries"][1]["expiry"] = data["expiries"][0]["expiry"].clone(),
        |data| data["time"] = data["expiries"][0]["expiry"].clone(),
        |data| data["expiries"][0]["smile"][0]["strike"] = json!("0"),
        |data| data["expiries"][0]["smile"][1]["strike"] = json!("86000000"),
        |data| data["expiries"][0]["smile"][0]["volatility"] = json!(0),
        |data| data["expiries"][0]["smile"][0]["volatility"] = json!(30_000_001),
        |data| data["expiries"] = Value::Array(vec![data["expiries"][0].clone(); 65]),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert_eq!(rejected(change), Rule::Range, "change {number}");
    }
    // Reading a surface checks it too, and unknown fields and numbers that are not canonical are
    // refused.
    let mut data = shipped_json("pricing/surface.json")["data"].clone();
    data["expiries"][0]["forward"] = json!("0");
    assert!(serde_json::from_value::<Surface>(data.clone()).is_err());
    data["expiries"][0]["forward"] = json!("090485707");
    assert!(serde_json::from_value::<SurfaceData>(data).is_err());
}

#[test]
fn volatility_is_interpolated_and_flat_beyond_the_ends() {
    let point = |strike, volatility| SmilePoint {
        strike: Price::new(strike).unwrap(),
        volatility: Volatility(volatility),
    };
    let smile = vec![point(100, 500_000), point(200, 300_000), point(203, 300_001)];
    let expiry = Expiry {
        expiry: Time::new(1).unwrap(),
        forward: Price::new(150).unwrap(),
        fixing: None,
        smile,
    };
    for (strike, volatility) in [
        (0, 500_000),
        (100, 500_000),
        (101, 498_000),
        (150, 400_000),
        (200, 300_000),
        (201, 300_000),
        (202, 300_001),
        (203, 300_001),
        (u32::MAX, 300_001),
    ] {
        assert_eq!(expiry.volatility(Price::new(strike).unwrap()).0, volatility, "{strike}");
    }
}

#[test]
fn rejects_instruments_the_surface_cannot_price() {
    let surface = shipped_surface();
    let parameters = RiskParameters::reference();
    let listed = surface.expiries()[1].expiry;
    let build_one = |index: u16, underlying: u8, expiry: Time, strike: u32| {
        let spec = InstrumentSpec {
            underlying: Underlying::new(underlying).unwrap(),
            expiry,
            strike: Price::new(strike).unwrap(),
            kind: OptionKind::Call,
        };
        let registry = Registry::from([(InstrumentIndex::new(index).unwrap(), spec)]);
        build(std::slice::from_ref(&surface), &registry, &Settlements::new(), &parameters)
            .map(|rows| rows.len())
    };
    assert_eq!(build_one(0x1001, 1, listed, 90_000_000), Ok(1));
    // An expired instrument has no row until there is a settlement price; one whose expiry is
    // unknown is refused.
    let expired = Time::new(surface.time().get()).unwrap();
    let unknown = Time::new(listed.get() + 1).unwrap();
    let rule = |result: Result<usize, zkmargin_protocol::Reject>| result.unwrap_err().rule;
    assert_eq!(build_one(0x1001, 1, expired, 90_000_000), Ok(0));
    assert_eq!(rule(build_one(0x1001, 1, unknown, 90_000_000)), Rule::InstrumentLive);
    assert_eq!(rule(build_one(0x2001, 2, listed, 90_000_000)), Rule::InstrumentLive);
    assert_eq!(rule(build_one(0x2001, 1, listed, 90_000_000)), Rule::InstrumentSpec);
    assert_eq!(rule(build_one(0, 1, listed, 90_000_000)), Rule::InstrumentSpec);
    let twice = [surface.clone(), surface.clone()];
    assert_eq!(
        build(&twice, &Registry::new(), &Settlements::new(), &parameters).unwrap_err().rule,
        Rule::Range
    );
}

#[test]
fn rejects_range_of_losses_beyond_their_width() {
    // A forward of 4 million USDC times six is worth more than a loss can hold undamped.
    let mut data = shipped_json("pricing/surface.json")["data"].clone();
    data["expiries"][0]["forward"] = json!("4000000000");
    let surface: Surface = serde_json::from_value(data).unwrap();
    let mut parameters = RiskParameters::reference();
    let mut scenarios: Vec<Scenario> = parameters.grid.clone().into();
    for scenario in &mut scenarios {
        if let Scenario::Move { damping_ppm, .. } = scenario {
            *damping_ppm = 1_000_000;
        }
    }
    parameters.grid = ScenarioGrid::new(scenarios).unwrap();
    let spec = InstrumentSpec {
        underlying: surface.underlying(),
        expiry: surface.expiries()[0].expiry,
        strike: Price::new(1_000).unwrap(),
        kind: OptionKind::Call,
    };
    let registry = Registry::from([(InstrumentIndex::new(0x1001).unwrap(), spec)]);
    let reject = build(&[surface], &registry, &Settlements::new(), &parameters).unwrap_err();
    assert_eq!((reject.rule, reject.what), (Rule::Range, "loss"));
}

#[test]
fn parameters_survive_serde_and_each_number_moves_their_hash() {
    let reference = RiskParameters::reference();
    let value = serde_json::to_value(&reference).unwrap();
    assert_eq!(serde_json::from_value::<RiskParameters>(value.clone()).unwrap(), reference);
    let mut hashes = vec![reference.hash()];
    let mut count = 0;
    let mut paths = Vec::new();
    number_paths(&value, String::new(), &mut paths);
    for path in paths {
        let mut changed = value.clone();
        let number = changed.pointer_mut(&path).unwrap();
        // Below every bound, and never the unmoved scenario's factor, which must stay.
        let old = number.as_i64().unwrap();
        *number = json!(if old > 0 { old - 1 } else { old + 1 });
        let Ok(parameters) = serde_json::from_value::<RiskParameters>(changed) else { continue };
        hashes.push(parameters.hash());
        count += 1;
    }
    assert!(count >= 80, "{count} numbers");
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count + 1);
}

fn number_paths(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Number(_) => paths.push(path),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(k, item)| number_paths(item, format!("{path}/{k}"), paths)),
        Value::Object(map) => {
            map.iter().for_each(|(name, item)| number_paths(item, format!("{path}/{name}"), paths))
        }
        _ => {}
    }
}

#[test]
fn rejects_range_of_grids() {
    let grid: Vec<Scenario> = ScenarioGrid::reference().into();
    assert_eq!(grid.len(), SCENARIOS);
    let changed = |change: &dyn Fn(&mut Vec<Scenario>)| {
        let mut grid = grid.clone();
        change(&mut grid);
        ScenarioGrid::new(grid).unwrap_err().rule
    };
    let set = |place: usize, forward: u32, damping: u32| {
        move |grid: &mut Vec<Scenario>| {
            if let Scenario::Move { forward_ppm, damping_ppm, .. } = &mut grid[place] {
                (*forward_ppm, *damping_ppm) = (forward, damping);
            }
        }
    };
    assert_eq!(changed(&|grid| grid.truncate(32)), Rule::Range);
    assert_eq!(changed(&|grid| grid.push(grid[0])), Rule::Range);
    assert_eq!(changed(&set(0, 0, 1_000_000)), Rule::Range);
    assert_eq!(changed(&set(0, 10_000_001, 1_000_000)), Rule::Range);
    assert_eq!(changed(&set(0, 1_180_000, 0)), Rule::Range);
    assert_eq!(changed(&set(0, 1_180_000, 1_000_001)), Rule::Range);
    let unmoved = grid.iter().position(Scenario::is_unmoved).unwrap();
    assert_eq!(changed(&|grid| grid[unmoved] = grid[0]), Rule::Range);
}
