//! A crash that never was, through the same engine as the recorded ones.

use std::path::Path;

use zkmargin_fixtures::data::market::btc;
use zkmargin_protocol::pricing::black76::Volatility;
use zkmargin_protocol::value::units::Time;
use zkmargin_stress::events::EVENTS;
use zkmargin_stress::feed::Scene;
use zkmargin_stress::path::{Bar, PricePath};
use zkmargin_stress::replay::run;
use zkmargin_stress::settings::Settings;
use zkmargin_stress::smiles::{Modelled, Smiles};
use zkmargin_stress::standing::Standing;
use zkmargin_stress::tally::Tally;
use zkmargin_stress::{StressError, plot, report};

/// 2026-01-10 08:00 UTC, a Saturday: the first options expire six days later.
const START_S: u64 = 1_768_032_000;
const HOUR_S: u64 = 3_600;

fn time(hours: u64) -> Time {
    Time::new(START_S + hours * HOUR_S).unwrap()
}

/// A path through these prices, an hour apart, USDC.
fn scene(prices: &[u32]) -> Scene {
    let bars = prices.windows(2).enumerate().map(|(hour, ends)| {
        let [open_e3, close_e3] = [ends[0], ends[1]].map(|price| price * 1_000);
        let (high_e3, low_e3) = (open_e3.max(close_e3), open_e3.min(close_e3));
        Bar { start_s: time(hour as u64).get(), open_e3, high_e3, low_e3, close_e3 }
    });
    let path = PricePath::of_bars(&bars.collect::<Vec<_>>(), HOUR_S).unwrap();
    let smiles = Smiles::Modelled(Modelled::reference(Volatility(500_000)));
    Scene { underlying: btc(), path, smiles }
}

/// Quiet for four hours, down by more than half in seven of which one loses 31 %, half way back,
/// and quiet until after the expiry.
fn crash() -> Vec<u32> {
    let mut prices = vec![90_000; 5];
    prices.extend([85_000, 80_000, 76_000, 72_000, 50_000, 46_000, 42_000]);
    prices.extend((1..=6).map(|hour| 42_000 + hour * 4_000));
    prices.resize(6 * 24 + 4, 66_000);
    prices
}

fn settings() -> Settings {
    Settings { pairs: 63, ..Settings::reference(1_800) }
}

fn replay(hours: u64, fund_ppm: u32) -> Tally {
    run(scene(&crash()), [time(0), time(hours)], Settings { fund_ppm, ..settings() }).unwrap()
}

/// Conservation is checked at every step, or there would be no tally.
#[test]
fn accepts_a_crash_with_every_unit_accounted_for() {
    let tally = replay(6 * 24 + 3, 10_000);
    assert!(tally.opened > 63, "books after the expiry: {}", tally.opened);
    assert!(tally.started > 20 && tally.prices.count > 20, "{}", tally.started);
    assert!(tally.payouts.count > 0, "{:?}", tally.falls);
    assert!(tally.worst().unwrap().debt_e6 > 0 && tally.fees_e6 > 0 && tally.drawn_e6 > 0);
    let last = tally.last().unwrap();
    assert_eq!(tally.ended, tally.started - last.auctions);
    let paid = tally.drawn_e6 + tally.covered_e6;
    assert_eq!(last.fund_e6, tally.fund_e6 + tally.fees_e6 - paid);
    assert!(tally.moments.iter().all(|moment| moment.fund_e6 >= 0));
    assert_eq!(tally.avoidable, 0);
    // Whoever fell below zero could not have been sold before: nothing was left undone.
    for standing in [Standing::NotStarted, Standing::Unserved] {
        assert_eq!(tally.falls.get(&standing), None, "{:?}", tally.falls);
    }
    let drawing = plot::svg("A crash", &tally);
    assert_eq!(drawing.matches("<polyline").count(), 4);
    assert!(report::table(&[("A crash", &tally)]).contains("| fund: paid to bidders |"));
}

/// The assertion above can fail: without rounds nobody is put up, and with few there is no time to
/// sell.
#[test]
fn falls_that_could_have_been_avoided_are_counted() {
    for rounds in [0, 1] {
        let changed = Settings { rounds, ..settings() };
        let tally = run(scene(&crash()), [time(0), time(12)], changed).unwrap();
        assert!(tally.avoidable > 0);
        assert_eq!(tally.started > 0, rounds > 0);
    }
}

#[test]
fn fund_pays_only_what_it_has() {
    let tally = replay(20, 0);
    assert_eq!(tally.fund_e6, 1);
    // What it cannot pay is counted, and only while it is empty.
    let counted = tally.moments.iter().filter(|moment| moment.deficit_e6 > 0);
    assert!(counted.count() > 0);
    assert!(tally.drawn_e6 + tally.covered_e6 <= tally.fund_e6 + tally.fees_e6);
    assert!(tally.moments.iter().all(|moment| moment.fund_e6 >= 0));
}

#[test]
fn replays_are_the_same_every_time_and_a_quiet_market_has_no_auction() {
    let prices = vec![90_000; 8];
    let quiet = || run(scene(&prices), [time(0), time(7)], settings()).unwrap();
    let tally = quiet();
    assert_eq!(tally, quiet());
    assert_eq!((tally.started, tally.drawn_e6, tally.outside_band), (0, 0, 0));
    assert_eq!(tally.opened, 63);
}

#[test]
fn missing_data_are_named() {
    for event in EVENTS {
        let missing = event.scene(Path::new("/nowhere")).unwrap_err();
        assert!(matches!(missing, StressError::Missing(..)), "{missing}");
        assert!(missing.to_string().starts_with("/nowhere/prices/"), "{missing}");
        let [start, end] = event.span().unwrap();
        assert!(start < end);
    }
}
