//! An index that jumps for one reading and comes back, as recorded in 2019: who loses what.

use serde_json::Value;
use zkmargin_fixtures::data::market::btc;
use zkmargin_protocol::pricing::black76::Volatility;
use zkmargin_protocol::value::units::Time;
use zkmargin_stress::feed::Scene;
use zkmargin_stress::path::{Bar, PricePath};
use zkmargin_stress::replay::run;
use zkmargin_stress::settings::Settings;
use zkmargin_stress::smiles::{Modelled, Smiles};
use zkmargin_stress::tally::Tally;

const CASES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/margin/adversarial_cases.json");
/// 2019-10-31 20:00 UTC, an hour before the recorded start.
const START_S: u64 = 1_572_552_000;
const STEP_S: u64 = 300;
const BAR_S: u64 = 3 * STEP_S;

/// The prices of the case, USDC.
fn path() -> Option<[u32; 3]> {
    let Ok(text) = std::fs::read_to_string(CASES) else {
        println!("skipped: margin/adversarial_cases.json (../shared/data absent)");
        return None;
    };
    let json: Value = serde_json::from_str(&text).unwrap();
    let cases = json["cases"].as_array().unwrap();
    let case = cases.iter().find(|case| case["id"] == "index_outlier").unwrap();
    let prices = case["inputs"]["path"].as_array().unwrap().iter();
    let prices = prices.map(|price| u32::try_from(price.as_u64().unwrap()).unwrap());
    Some(prices.collect::<Vec<_>>().try_into().unwrap())
}

/// A replay over the prices, `steps` tables after the first; the second price is that of one table
/// alone, the fifth after the first.
fn replay([before, spike, after]: [u32; 3], steps: u64) -> Tally {
    let bar = |place: u64, [open, low, close]: [u32; 3]| {
        let [open_e3, low_e3, close_e3] = [open, low, close].map(|price| price * 1_000);
        let high_e3 = open_e3.max(close_e3);
        Bar { start_s: START_S + place * BAR_S, open_e3, high_e3, low_e3, close_e3 }
    };
    let bars = [
        bar(0, [before, before, before]),
        bar(1, [before, spike, after]),
        bar(2, [after, after, after]),
        bar(3, [after, after, after]),
    ];
    let path = PricePath::of_bars(&bars, BAR_S).unwrap();
    let smiles = Smiles::Modelled(Modelled::reference(Volatility(500_000)));
    let scene = Scene { underlying: btc(), path, smiles };
    let span = [START_S, START_S + steps * STEP_S].map(|second| Time::new(second).unwrap());
    run(scene, span, Settings::reference(STEP_S)).unwrap()
}

/// The tables of the outlier and of its end are outside of the band, so that nothing is sold at the
/// wrong price. What is lost is the fee of starting auctions (the case asks for a bounded or
/// averaged price, which is not our rule), and what those pay who are not back above buffered
/// margin when it is over.
#[test]
fn nothing_is_sold_in_a_spike_that_the_next_reading_takes_back() {
    let Some(prices) = path() else { return };
    let spike = replay(prices, 6);
    assert_eq!(spike.outside_band, 2);
    assert!(spike.started > 0);
    assert_eq!((spike.prices.count, spike.payouts.count, spike.drawn_e6), (0, 0, 0));
    let after = replay(prices, 12);
    println!("{} started, {} bids, fees {}", after.started, after.prices.count, after.fees_e6);
    assert_eq!((after.started, after.fees_e6), (spike.started, spike.fees_e6));
    assert_eq!((after.ended, after.last().unwrap().auctions), (after.started, 0));
    assert!(after.prices.count * 3 < after.started as u64, "{} bids", after.prices.count);
    assert!(after.fees_e6 < after.writers_e6 / 100);
    assert_eq!((after.drawn_e6, after.last().unwrap().debt_e6), (0, 0));
    // Without the outlier, from the first price to the last, nobody is put up for auction.
    let [before, _, end] = prices;
    let straight = replay([before, end, end], 12);
    assert_eq!((straight.outside_band, straight.started), (0, 0));
}
