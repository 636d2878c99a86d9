//! Worked examples of books, exchanges and protocols, as far as our rules have what they show.

mod common;

use std::collections::BTreeSet;

use common::{fixed, fixed_of, reference_json, shifted, text_of};
use serde_json::Value;
use zkmargin_protocol::account::margin::{self, Margin, MarginMethod};
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_parameters::{IsolatedParameters, RiskParameters};
use zkmargin_protocol::market::risk_row::{RiskRow, RiskRows};
use zkmargin_protocol::pricing::black76::{OptionKind, price_nearest, price_value};
use zkmargin_protocol::pricing::fixed::Fixed;
use zkmargin_protocol::pricing::scenario::SCENARIOS;
use zkmargin_protocol::pricing::shock::VolatilityShock;
use zkmargin_protocol::value::units::{
    Cash, InstrumentIndex, Loss, Price, Quantity, Time, Underlying,
};

const EXAMPLES: &str = "margin/published_worked_examples.json";
/// Examples with a test: the first in `span.rs`, the others here.
const TESTED: [&str; 5] = [
    "mcmillan_span_single",
    "deribit_legacy_pm_vol_range",
    "deribit_standard_margin_formulas",
    "gate_option_margin",
    "nse_span_scan_and_calendar",
];
/// Examples of rules we do not have.
const LEFT_OUT: [(&str, &str); 2] = [
    ("deribit_legacy_pm_contingencies", "charges on longs, on futures and net of the other kind"),
    ("aevo_pm_scenarios", "volatility moves by points, not by a share"),
];

/// The example of this name.
fn example(name: &str) -> Option<Value> {
    let json = reference_json(EXAMPLES)?;
    let mut cases = json["cases"].as_array().unwrap().iter();
    Some(cases.find(|case| case["id"] == name).unwrap().clone())
}

#[test]
fn every_example_is_tested_or_named() {
    let Some(json) = reference_json(EXAMPLES) else { return };
    let listed: BTreeSet<_> =
        json["cases"].as_array().unwrap().iter().map(|case| case["id"].as_str().unwrap()).collect();
    let named = TESTED.into_iter().chain(LEFT_OUT.map(|(name, _)| name));
    assert_eq!(listed, named.collect());
}

/// Deribit's earlier portfolio margin: the move grows as time to expiry falls.
#[test]
fn accepts_published_volatility_range() {
    let Some(case) = example("deribit_legacy_pm_vol_range") else { return };
    let shock = VolatilityShock {
        short_power_ppm: shifted(&text_of(&case["inputs"]["power"]), 6).try_into().unwrap(),
        ..RiskParameters::reference().volatility
    };
    let largest = fixed_of(&case["inputs"]["max_iv_change_30d"]);
    for expected in case["expected"].as_array().unwrap() {
        let scale = shock.scale(expected["dte"].as_u64().unwrap() * 86_400);
        let error = largest.mul_nearest(scale).sub(fixed_of(&expected["max_iv_change"]));
        assert!(error.max(error.neg()) < fixed("1e-15"), "{expected}");
    }
}

fn price(usdc: u32) -> Price {
    Price::new(usdc * 1_000).unwrap()
}

fn spec(kind: OptionKind, strike: Price) -> InstrumentSpec {
    InstrumentSpec {
        underlying: Underlying::new(1).unwrap(),
        expiry: Time::new(2_000_000_000).unwrap(),
        strike,
        kind,
    }
}

/// Deribit, Aevo and Bit.com state margins in coins; times the spot price they are ours, up to our
/// rounding up.
#[test]
fn accepts_published_isolated_formulas() {
    let Some(case) = example("deribit_standard_margin_formulas") else { return };
    let sets = case["parameters"].as_object().unwrap();
    assert_eq!(sets.len(), 3);
    for (venue, set) in sets {
        let [a, b, c] = ["a", "b", "c"].map(|name| fixed_of(&set[name]));
        let [a_ppm, b_ppm, c_ppm] =
            ["a", "b", "c"].map(|name| shifted(&text_of(&set[name]), 6).try_into().unwrap());
        let ours = IsolatedParameters {
            initial_ppm: a_ppm,
            initial_minimum_ppm: b_ppm,
            put_initial_ppm: 1_000_000,
            call_maintenance_ppm: c_ppm,
            put_maintenance_ppm: c_ppm,
            put_mark_ppm: c_ppm,
        };
        let spot = price(1_777);
        let coins = |price: Price| price_value(price).div_nearest(price_value(spot));
        let in_usdc = |coins: Fixed| coins.mul_nearest(price_value(spot));
        for (strike, mark) in [100, 1_500, 1_777, 1_900, 2_500, 9_000]
            .into_iter()
            .flat_map(|strike| [0, 3, 250, 8_000].map(|mark| (price(strike), price(mark))))
        {
            let [k, m, one] = [coins(strike), coins(mark), Fixed::ONE];
            let call = a.sub(k.sub(one).max(Fixed::ZERO)).max(b).add(m);
            let put_maintenance = c.max(c.mul_nearest(m)).add(m);
            let put = a.sub(one.sub(k).max(Fixed::ZERO)).max(b).add(m).max(put_maintenance);
            for (kind, initial, maintenance) in
                [(OptionKind::Call, call, c.add(m)), (OptionKind::Put, put, put_maintenance)]
            {
                let spec = spec(kind, strike);
                for (margin, expected) in [
                    (ours.initial(&spec, spot, mark).unwrap(), initial),
                    (ours.maintenance(&spec, spot, mark).unwrap(), maintenance),
                ] {
                    let above = price_value(margin).sub(in_usdc(expected));
                    let slack = fixed("1e-12");
                    assert!(above > slack.neg() && above < fixed("0.001").add(slack), "{venue}");
                }
            }
        }
    }
}

/// A book of one instrument with this mark and these losses.
fn one_instrument(mark: Price, loss: Loss, quantity: Quantity) -> Margin {
    let instrument = InstrumentIndex::new(4_097).unwrap();
    let row = RiskRow {
        instrument,
        spec: spec(OptionKind::Call, price(1)),
        mark,
        forward: mark,
        losses: vec![loss; SCENARIOS],
        short_minimum: Price::MIN,
        isolated_initial: Price::MIN,
        isolated_maintenance: Price::MIN,
        is_settled: false,
    };
    let parameters =
        BatchParameters { maintenance_factor_ppm: 1_000_000, ..BatchParameters::reference() };
    let (rows, slots) = (RiskRows::from([(instrument, row)]), [(instrument, quantity)]);
    let cash = Cash::new(0).unwrap();
    margin::evaluate(cash, slots.into_iter(), &rows, &parameters, MarginMethod::Portfolio).unwrap()
}

/// Gate: the premium of a hundredth of a contract, and amounts out of the money.
#[test]
fn accepts_published_premium_and_amounts_out_of_the_money() {
    let Some(case) = example("gate_option_margin") else { return };
    // The whole spot price less the amount out of the money is charged, and no least share.
    let whole = IsolatedParameters {
        initial_ppm: 1_000_000,
        initial_minimum_ppm: 0,
        put_initial_ppm: 0,
        ..RiskParameters::reference().isolated
    };
    let of = |value: &Value| price_nearest(fixed_of(value)).unwrap();
    let mut compared = 0;
    for expected in case["expected"].as_array().unwrap() {
        let (premium, otm) = (&expected["buy_premium"], &expected["otm"]);
        if premium.is_object() {
            let contracts =
                fixed_of(&premium["amount"]).mul_nearest(fixed_of(&premium["multiplier"]));
            let quantity = Quantity::try_from(contracts.units_nearest(1_000)).unwrap();
            let book = one_instrument(of(&premium["order_price"]), Loss::default(), quantity);
            assert_eq!(book.mark_value, fixed_of(&premium["premium"]).units_nearest(1_000_000));
        } else {
            let kind = if otm["type"] == "call" { OptionKind::Call } else { OptionKind::Put };
            let (spot, spec) = (of(&otm["S"]), spec(kind, of(&otm["K"])));
            let charge = whole.initial(&spec, spot, Price::MIN).unwrap();
            assert_eq!(spot.get() - charge.get(), of(&otm["otm"]).get());
        }
        compared += 1;
    }
    assert_eq!(compared, 3);
}

/// NSE: scan risk of a lot, in whole rupees. Its charge on calendar spreads is not ours.
#[test]
fn accepts_published_scan_risk_of_a_lot() {
    let Some(case) = example("nse_span_scan_and_calendar") else { return };
    let inputs = &case["inputs"];
    let loss = shifted(&text_of(&inputs["nifty_scan_risk_per_unit"]), 3);
    let loss = Loss::new(loss.try_into().unwrap()).unwrap();
    let lot = inputs["lot"].as_i64().unwrap() * 1_000;
    let book = one_instrument(Price::MIN, loss, Quantity::new(lot).unwrap());
    let expected = i128::from(case["expected"]["one_lot_scan_risk"].as_i64().unwrap());
    assert_eq!((book.requirement + 500_000).div_euclid(1_000_000), expected);
}
