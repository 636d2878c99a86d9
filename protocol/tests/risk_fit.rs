//! Gates of the reference scenarios: what books that used to net across time must ask for, and what
//! no long option may take away. `docs/risk-fit.md`.

mod common;

use common::shipped_json;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_row::{RiskRow, RiskRows};
use zkmargin_protocol::market::risk_table::{Registry, build};
use zkmargin_protocol::market::settlement_price::Settlements;
use zkmargin_protocol::pricing::black76::{OptionKind, Volatility};
use zkmargin_protocol::pricing::surface::{Expiry, SmilePoint, Surface, SurfaceData};
use zkmargin_protocol::pricing::tenor::{
    Knot, RankShock, Share, TenorCurve, TenorShock, TimeValueShock,
};
use zkmargin_protocol::value::units::{InstrumentIndex, Price, Time, Underlying};

const NOW_S: u64 = 1_787_154_240;

/// A listed option: seconds to expiry, forward, strike, volatility, kind; prices in 1/1000 USDC.
type Listed = (u64, u32, u32, u32, OptionKind);

fn underlying() -> Underlying {
    Underlying::new(2).unwrap()
}

fn price(units: u32) -> Price {
    Price::new(units).unwrap()
}

/// The rows of these options in order, on surfaces with one strike an expiry.
fn rows(listed: &[Listed]) -> Vec<RiskRow> {
    let mut expiries: Vec<Expiry> = Vec::new();
    let mut registry = Registry::new();
    for (place, &(seconds, forward, strike, volatility, kind)) in listed.iter().enumerate() {
        let expiry = Time::new(NOW_S + seconds).unwrap();
        if !expiries.iter().any(|other| other.expiry == expiry) {
            let point = SmilePoint { strike: price(strike), volatility: Volatility(volatility) };
            let forward = price(forward);
            expiries.push(Expiry { expiry, forward, fixing: None, smile: vec![point] });
        }
        let index = InstrumentIndex::of(underlying(), place as u16 + 1).unwrap();
        let strike = price(strike);
        registry.insert(index, InstrumentSpec { underlying: underlying(), expiry, strike, kind });
    }
    let data = SurfaceData { underlying: underlying(), time: Time::new(NOW_S).unwrap(), expiries };
    let parameters = RiskParameters::reference();
    let surfaces = [Surface::new(data).unwrap()];
    let rows = build(&surfaces, &registry, &Settlements::new(), &parameters).unwrap();
    rows.into_values().collect()
}

/// What one thousandth of each contract held asks for, in micro-USDC: in 1/1000 USDC a contract.
fn requirement(legs: &[(&RiskRow, i64)]) -> i64 {
    let scenarios = legs[0].0.losses.len();
    let loss = |s: usize| legs.iter().map(|(row, q)| q * row.losses[s].get()).sum::<i64>();
    let scan = (0..scenarios).map(loss).max().unwrap().max(0);
    let charges = legs.iter().map(|(row, q)| (-q).max(0) * i64::from(row.short_charge.get()));
    scan + charges.sum::<i64>()
}

/// ETH, 2026-08-19T15:44: long the call of the next day, short one eight days later. The forward
/// rose to 2,285 and the book lost 15.86 USDC.
#[test]
fn a_call_calendar_asks_for_more_than_it_lost() {
    let rows = rows(&[
        (58_560, 2_082_000, 2_250_000, 1_117_094, OptionKind::Call),
        (749_760, 2_082_000, 2_300_000, 560_152, OptionKind::Call),
    ]);
    let marks = [&rows[0], &rows[1]].map(|row| row.mark.get());
    assert_eq!(marks, [2_353, 11_661]);
    let asked = requirement(&[(&rows[0], 1), (&rows[1], -1)]);
    println!("ETH call calendar: {asked} in 1/1000 USDC");
    assert!(asked >= 16_000);
}

fn forwards(near_s: u64, forward: u32) -> i64 {
    let far_s = near_s + 18 * 86_400;
    let one = |seconds, kind| (seconds, forward, forward, 550_000, kind);
    let far = [OptionKind::Call, OptionKind::Put].map(|kind| one(far_s, kind));
    if near_s == 0 {
        let rows = rows(&far);
        return requirement(&[(&rows[0], -1), (&rows[1], 1)]);
    }
    let near = [OptionKind::Call, OptionKind::Put].map(|kind| one(near_s, kind));
    let rows = rows(&[near[0], near[1], far[0], far[1]]);
    requirement(&[(&rows[0], 1), (&rows[1], -1), (&rows[2], -1), (&rows[3], 1)])
}

/// Long a near forward, short one 18 days later: before the near expiry within a factor of two of
/// what it asks after it, down to two hours before, and without a step in the last eight hours.
#[test]
fn a_forward_calendar_nears_what_it_asks_after_its_expiry() {
    let forward = 70_000_000;
    let after = forwards(0, forward);
    let mut last = forwards(8 * 3_600, forward);
    for near_s in (1_800..8 * 3_600).rev().step_by(300) {
        let asked = forwards(near_s, forward);
        // In five minutes a 96th of the fade: at most 18 % of the forward and a whole volatility
        // move of an at-the-money pair, which parity leaves no part in.
        assert!((asked - last).abs() <= after / 40, "{near_s}: {last} then {asked}");
        if near_s <= 2 * 3_600 {
            assert!(2 * asked >= after && asked <= 2 * after, "{near_s}: {asked}, after {after}");
        }
        last = asked;
    }
    println!("forward calendar after its near expiry: {after}, before: {last}");
}

fn shipped(parameters: &RiskParameters) -> RiskRows {
    let data = shipped_json("pricing/surface.json")["data"].clone();
    let surface: Surface = serde_json::from_value(data).unwrap();
    let expected = shipped_json("pricing/risk_rows.json")["rows"].clone();
    let expected: Vec<RiskRow> = serde_json::from_value(expected).unwrap();
    let mut registry: Registry = expected.iter().map(|row| (row.instrument, row.spec)).collect();
    // Strikes far beyond the smile: three times and a third of the forward.
    for expiry in surface.expiries() {
        for (kind, strike) in [
            (OptionKind::Call, expiry.forward.get() * 3),
            (OptionKind::Put, expiry.forward.get() / 3),
        ] {
            let slot = 2_000 + registry.len() as u16;
            let index = InstrumentIndex::of(surface.underlying(), slot).unwrap();
            let (underlying, strike) = (surface.underlying(), price(strike));
            let spec = InstrumentSpec { underlying, expiry: expiry.expiry, strike, kind };
            registry.insert(index, spec);
        }
    }
    build(&[surface], &registry, &Settlements::new(), parameters).unwrap()
}

/// The reference without add-ons.
fn unadjusted() -> RiskParameters {
    let mut parameters = RiskParameters::reference();
    let plain = |curve: &TenorCurve| {
        let knots = curve.knots().map(|knot| Knot { add_on_ppm: Share::clamped(0), ..knot });
        TenorCurve::new(knots.to_vec()).unwrap()
    };
    let tenor = parameters.tenor;
    let (term, twist) = (plain(&tenor.term), plain(&tenor.twist));
    parameters.tenor = TenorShock { term, twist, ..tenor };
    parameters.time_value = TimeValueShock::none();
    parameters.rank = RankShock { wing_ppm: Share::clamped(0), ..parameters.rank };
    parameters
}

/// Short calls, puts and straddles next to the forward of each expiry.
fn short_books(table: &RiskRows) -> Vec<Vec<(&RiskRow, i64)>> {
    let mut books = Vec::new();
    let mut expiries: Vec<Time> = table.values().map(|row| row.spec.expiry).collect();
    expiries.dedup();
    expiries.sort();
    expiries.dedup();
    for expiry in expiries {
        let own = table.values().filter(|row| row.spec.expiry == expiry);
        let off = |row: &&RiskRow| row.spec.strike.get().abs_diff(row.forward.get());
        let nearest = |kind| own.clone().filter(|row| row.spec.kind == kind).min_by_key(off);
        let [call, put] = [OptionKind::Call, OptionKind::Put].map(nearest).map(Option::unwrap);
        books.extend([vec![(call, -1)], vec![(put, -1)], vec![(call, -1), (put, -1)]]);
    }
    books
}

/// Buying up to 60 of any option lowers what a short book asks for by no more than the premium and
/// what the longs gain in the scenario without add-ons, but for the rounding of losses and marks.
#[test]
fn a_worthless_long_lowers_no_requirement() {
    let (table, plain) = (shipped(&RiskParameters::reference()), shipped(&unadjusted()));
    let (mut cases, mut largest) = (0, i64::MIN);
    for book in short_books(&table) {
        let before = requirement(&book);
        let loss = |s: &usize| book.iter().map(|(row, q)| q * row.losses[*s].get()).sum::<i64>();
        let worst = (0..book[0].0.losses.len()).max_by_key(loss).unwrap();
        for (index, long) in &table {
            if book.iter().any(|(row, _)| row.instrument == *index) {
                continue;
            }
            for count in [1, 10, 30, 60] {
                let held: Vec<_> = book.iter().copied().chain([(long, count)]).collect();
                let fall = before - requirement(&held);
                let gain = (-count * plain[index].losses[worst].get()).max(0);
                let excess = fall - count * i64::from(long.mark.get()) - gain;
                assert!(excess <= 2 * count, "{:?}: {count} for {excess}", long.spec);
                (cases, largest) = (cases + 1, largest.max(excess));
            }
        }
    }
    println!("{cases} purchases, largest fall beyond premium and gain: {largest}");
    assert!(cases > 5_000);
}

/// A box asks for the charge on its two shorts and nothing else.
#[test]
fn a_box_asks_at_most_two_short_charges() {
    let table = shipped(&RiskParameters::reference());
    let (mut boxes, mut largest) = (0, 0);
    let find = |spec: InstrumentSpec| table.values().find(|row| row.spec == spec);
    for low in table.values().filter(|row| row.spec.kind == OptionKind::Call) {
        let put_of = |row: &RiskRow| find(InstrumentSpec { kind: OptionKind::Put, ..row.spec });
        let Some(low_put) = put_of(low) else { continue };
        for high in table
            .values()
            .filter(|row| row.spec.kind == OptionKind::Call && row.spec.expiry == low.spec.expiry)
        {
            let Some(high_put) = put_of(high) else { continue };
            if high.spec.strike == low.spec.strike {
                continue;
            }
            let asked = requirement(&[(low, 1), (high, -1), (high_put, 1), (low_put, -1)]);
            let bound = 2 * i64::from(low.short_charge.get()) + 2;
            assert!(asked <= bound, "{:?} {:?}: {asked}", low.spec, high.spec);
            (boxes, largest) = (boxes + 1, largest.max(asked));
        }
    }
    println!("{boxes} boxes ask {largest} at most");
    assert!(boxes > 500);
}
