//! Isolated short margins against Derive's standard-margin cases and hand computations.

mod common;

use common::{fixed, reference_json, shifted, text_of};
use num_bigint::BigInt;
use serde_json::Value;
use zkmargin_protocol::Rule;
use zkmargin_protocol::black76::{deviation, price_nearest, root_years, value};
use zkmargin_protocol::fixed::{FRACTION_BITS, Fixed};
use zkmargin_protocol::instrument::{InstrumentSpec, OptionKind};
use zkmargin_protocol::risk_parameters::{IsolatedParameters, RiskParameters};
use zkmargin_protocol::settlement::Fixing;
use zkmargin_protocol::units::{Price, Time, Underlying};

/// The parameters of the cases; the reference set has the live ones.
const CASE_PARAMETERS: IsolatedParameters = IsolatedParameters {
    initial_ppm: 150_000,
    initial_minimum_ppm: 100_000,
    put_initial_ppm: 1_050_000,
    call_maintenance_ppm: 75_000,
    put_maintenance_ppm: 75_000,
    put_mark_ppm: 75_000,
};

fn spec(kind: OptionKind, strike: Price) -> InstrumentSpec {
    InstrumentSpec {
        underlying: Underlying::new(1).unwrap(),
        expiry: Time::new(2_000_000_000).unwrap(),
        strike,
        kind,
    }
}

/// A number of 18 decimals.
fn unit(value: &Value) -> Fixed {
    let bits = (shifted(&text_of(value), 0) << FRACTION_BITS) / BigInt::from(10).pow(18);
    Fixed::from_bits(bits.try_into().unwrap())
}

/// The settlement price to be expected of a case in the window, which states what share of it is fixed, and where.
fn expected(case: &Value, underlying: &str, forward: Fixed) -> Fixed {
    let share = shifted(&text_of(&case[format!("PercentFixed{underlying}")]), 3);
    let taken = u32::try_from(share).unwrap();
    let mean = price_nearest(unit(&case[format!("TWAP_{underlying}")])).unwrap();
    let fixing = Fixing { mean, taken, open: 1_000 - taken };
    let [fixed, variable] = fixing.split(price_nearest(forward).unwrap());
    fixed.add(variable)
}

#[test]
fn accepts_derive_isolated_margins() {
    let Some(json) = reference_json("margin/derive_standard_margin_full_cases.json.gz") else {
        return;
    };
    let (mut cases, mut settling) = (0, 0);
    for (name, case) in json["cases"].as_object().unwrap() {
        let (at, result) = (&case["Scenario"], &case["Result"]);
        let list = |name: &str| at[name].as_array().unwrap();
        // In the last half hour the forward is partly fixed by the settlement average.
        let is_settling = |seconds: &Value| seconds.as_u64().unwrap() < 1_800;
        settling += usize::from(list("OptionExpiries").iter().any(is_settling));
        for underlying in ["ETH", "BTC"] {
            let spot = price_nearest(unit(&at[format!("{underlying}SpotPrice")])).unwrap();
            let (mut sums, mut shorts) = ([Fixed::ZERO; 2], Fixed::ZERO);
            for k in 0..list("OptionStrikes").len() {
                let amount = unit(&list("OptionAmounts")[k]);
                if list("OptionUnderlying")[k] != underlying || amount >= Fixed::ZERO {
                    continue;
                }
                let is_call = list("OptionIsCall")[k] == 1;
                let kind = if is_call { OptionKind::Call } else { OptionKind::Put };
                let strike = unit(&list("OptionStrikes")[k]);
                let seconds = list("OptionExpiries")[k].as_u64().unwrap();
                let spread = deviation(unit(&list("OptionVols")[k]), root_years(seconds));
                let forward = unit(&list("Forwards")[k]);
                let is_settling = is_settling(&list("OptionExpiries")[k]);
                let forward = if is_settling { expected(at, underlying, forward) } else { forward };
                let mark = value(kind, forward, strike, spread);
                let mark = price_nearest(mark).unwrap();
                let spec = spec(kind, price_nearest(strike).unwrap());
                let margins = [
                    CASE_PARAMETERS.maintenance(&spec, spot, mark).unwrap(),
                    CASE_PARAMETERS.initial(&spec, spot, mark).unwrap(),
                ];
                for (sum, margin) in sums.iter_mut().zip(margins) {
                    let one = Fixed::ratio_nearest(i128::from(margin.get()), 1000);
                    *sum = sum.add(amount.mul_nearest(one));
                }
                shorts = shorts.sub(amount);
            }
            // Mark and what is fixed of it to the nearest, margin up to the next 1/1000.
            let bound = shorts.mul_ceil(fixed("0.0021")).add(fixed("1e-9"));
            for (sum, name) in sums.into_iter().zip(["MM", "IM"]) {
                let expected = unit(&result[format!("{underlying}OptionIsolated{name}")]);
                let error = sum.sub(expected);
                assert!(
                    error.max(error.neg()) <= bound,
                    "{underlying} {name}: {sum:?} {expected:?}"
                );
            }
        }
        assert!(!name.is_empty());
        cases += 1;
    }
    println!("standard margin: {cases} cases, {settling} of them in the settlement window");
    assert_eq!((cases, settling), (19, 2));
}

#[test]
fn isolated_margins_by_hand() {
    let unit = |usdc: u32| Price::new(usdc * 1000).unwrap();
    let margins = |kind, strike: u32, forward: u32, mark: u32| {
        let spec = spec(kind, unit(strike));
        let initial = CASE_PARAMETERS.initial(&spec, unit(forward), unit(mark)).unwrap();
        let maintenance = CASE_PARAMETERS.maintenance(&spec, unit(forward), unit(mark)).unwrap();
        (initial.get(), maintenance.get())
    };
    use OptionKind::{Call, Put};
    // At the money 15 %; 5 % less for 5 % out of the money; never below 10 %; in the money 15 %.
    assert_eq!(margins(Call, 1000, 1000, 40), (190_000, 115_000));
    assert_eq!(margins(Call, 1040, 1000, 30), (140_000, 105_000));
    assert_eq!(margins(Call, 1200, 1000, 5), (105_000, 80_000));
    assert_eq!(margins(Call, 800, 1000, 210), (360_000, 285_000));
    // A put worth more than the forward: 7.5 % of the mark, and 5 % on top of it all.
    assert_eq!(margins(Put, 3000, 1000, 2000), (2_257_500, 2_150_000));
    assert_eq!(margins(Put, 960, 1000, 20), (130_000, 95_000));
    // Each is rounded up once: 0.15·1.001 = 0.15015, 0.075·1.001 = 0.075075, 0.09·… in the reference set.
    let odd = Price::new(1_001).unwrap();
    let spec = spec(Call, odd);
    let mark = Price::new(3).unwrap();
    assert_eq!(CASE_PARAMETERS.initial(&spec, odd, mark).unwrap().get(), 3 + 151);
    assert_eq!(CASE_PARAMETERS.maintenance(&spec, odd, mark).unwrap().get(), 3 + 76);
    let reference = RiskParameters::reference().isolated;
    assert_eq!(reference.maintenance(&spec, odd, mark).unwrap().get(), 3 + 91);
    let wide = reference.initial(&spec, Price::MAX, Price::MAX).unwrap_err();
    assert_eq!(wide.rule, Rule::Range);
}

/// Initial is never below maintenance, with the reference parameters.
#[test]
fn initial_margin_covers_maintenance() {
    let reference = RiskParameters::reference().isolated;
    for kind in [OptionKind::Call, OptionKind::Put] {
        for strike in [1, 500, 999, 1_000, 1_001, 2_000, 90_000_000, 300_000_000] {
            for forward in [1, 1_000, 90_000_000] {
                for mark in [0, 1, 700, 5_000_000, 200_000_000] {
                    let price = |units| Price::new(units).unwrap();
                    let spec = spec(kind, price(strike));
                    let initial = reference.initial(&spec, price(forward), price(mark)).unwrap();
                    let maintenance =
                        reference.maintenance(&spec, price(forward), price(mark)).unwrap();
                    assert!(initial >= maintenance && maintenance.get() >= mark);
                }
            }
        }
    }
}
