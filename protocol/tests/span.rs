//! Risk arrays of a real SPAN file: recomputed option by option, and summed into portfolios' scan
//! risk.

mod common;

use std::collections::BTreeMap;

use common::{fixed, fixed_of, reference_json, shifted, text_of};
use num_bigint::BigInt;
use serde_json::Value;
use zkmargin_protocol::account::margin::{self, Margin, MarginMethod};
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_row::{RiskRow, RiskRows};
use zkmargin_protocol::pricing::black76::{self, OptionKind, deviation};
use zkmargin_protocol::pricing::fixed::Fixed;
use zkmargin_protocol::pricing::scenario::SCENARIOS;
use zkmargin_protocol::value::units::{
    Cash, InstrumentIndex, Loss, Price, Quantity, Time, Underlying,
};

const SPAN_SCENARIOS: usize = 16;

/// One option of the file.
struct SpanOption<'a>(&'a Value);

impl SpanOption<'_> {
    fn get(&self, name: &str) -> Fixed {
        fixed_of(&self.0[name])
    }

    /// European Black-Scholes on the stock as Black-76 on S·e^(rT), discounted by e^(−rT).
    fn value(&self, spot: Fixed, years: Fixed, volatility: Fixed) -> Fixed {
        let years = years.max(Fixed::ZERO);
        let kind = if self.0["type"] == "call" { OptionKind::Call } else { OptionKind::Put };
        let growth = self.get("r").mul_nearest(years).exp();
        let spread = deviation(volatility, years.sqrt_floor());
        let forward = spot.mul_nearest(growth);
        black76::value(kind, forward, self.get("K"), spread).div_nearest(growth)
    }

    /// Value now less value after the look-ahead in a scenario, for one contract.
    fn loss(&self, scenario: &Value, lookahead: Fixed) -> Fixed {
        let shift = self.get("price_scan").div_nearest(self.get("cvf"));
        let spot = self.get("S").add(shift.mul_nearest(fixed_of(&scenario["price_fraction"])));
        let bend = self.get("vol_scan_pct").mul_nearest(fixed_of(&scenario["vol_direction"]));
        let volatility = self.get("vol").mul_nearest(Fixed::ONE.add(bend));
        let years = self.get("t_years");
        self.value(self.get("S"), years, self.get("vol"))
            .sub(self.value(spot, years.sub(lookahead), volatility))
            .mul_nearest(fixed_of(&scenario["weight"]))
            .mul_nearest(self.get("cvf"))
    }
}

#[test]
fn accepts_span_risk_arrays() {
    let Some(json) = reference_json("margin/span_takasbank_20160517.json.gz") else { return };
    let lookahead = fixed_of(&json["lookahead_years"]);
    let scenarios = json["scenarios"].as_array().unwrap();
    let (mut count, mut worst) = (0, Fixed::ZERO);
    for (name, commodity) in json["commodities"].as_object().unwrap() {
        for option in commodity["options"].as_array().unwrap() {
            let array = option["ra"].as_array().unwrap();
            assert_eq!((array.len(), scenarios.len()), (SPAN_SCENARIOS, SPAN_SCENARIOS));
            // The file's own normal distribution is good to seven digits; the largest difference of
            // each array from exact arithmetic is recorded beside it, to six.
            let bound = fixed_of(&option["recheck_max_abs_err"]).add(fixed("1e-6"));
            for (scenario, listed) in scenarios.iter().zip(array) {
                let loss = SpanOption(option).loss(scenario, lookahead);
                let error = loss.sub(fixed_of(listed));
                let error = error.max(error.neg());
                assert!(error <= bound, "{name} {option} {scenario}");
                worst = worst.max(error);
            }
            count += 1;
        }
    }
    let worst = worst.units_nearest(1_000_000);
    println!("SPAN: {count} options of 16 scenarios, largest difference {worst}e-6 TRY a contract");
    assert_eq!(count, 1670);
}

fn parameters() -> BatchParameters {
    BatchParameters { maintenance_factor_ppm: 750_000, ..BatchParameters::reference() }
}

/// A row with these losses in units of 1/1000, zero in the scenarios beyond them.
fn row(slot: u16, losses: &[i64], short_minimum: u32) -> (InstrumentIndex, RiskRow) {
    let underlying = Underlying::new(1).unwrap();
    let instrument = InstrumentIndex::of(underlying, slot).unwrap();
    let mut losses: Vec<_> = losses.iter().map(|&loss| Loss::new(loss).unwrap()).collect();
    losses.resize(SCENARIOS, Loss::default());
    let spec = InstrumentSpec {
        underlying,
        expiry: Time::new(2_000_000_000).unwrap(),
        strike: Price::new(1).unwrap(),
        kind: OptionKind::Call,
    };
    let row = RiskRow {
        instrument,
        spec,
        is_settled: false,
        mark: Price::MIN,
        forward: Price::MIN,
        losses,
        short_minimum: Price::new(short_minimum).unwrap(),
        isolated_initial: Price::MIN,
        isolated_maintenance: Price::MIN,
    };
    (instrument, row)
}

fn scan(rows: &RiskRows, contracts: &[(InstrumentIndex, i64)]) -> Margin {
    let slots =
        contracts.iter().map(|&(index, count)| (index, Quantity::new(count * 1000).unwrap()));
    margin::evaluate(Cash::new(0).unwrap(), slots, rows, &parameters(), MarginMethod::Portfolio)
        .unwrap()
}

/// Portfolios over a file's arrays: our requirement is the largest sum of the published losses, up
/// to the rounding of each loss to 1/1000, or the short option minimum.
#[test]
fn accepts_span_scan_risk_of_portfolios() {
    let Some(json) = reference_json("margin/span_takasbank_20160517.json.gz") else { return };
    let mut portfolios = 0;
    for commodity in json["commodities"].as_object().unwrap().values() {
        let minimum = shifted(&text_of(&commodity["commodity"]["short_option_minimum"][0]), 3);
        let minimum = u32::try_from(minimum).unwrap();
        let options = commodity["options"].as_array().unwrap();
        let exact: Vec<Vec<i128>> = options
            .iter()
            .map(|option| {
                let array = option["ra"].as_array().unwrap();
                array.iter().map(|loss| shifted(&text_of(loss), 6).try_into().unwrap()).collect()
            })
            .collect();
        let rows: RiskRows = exact
            .iter()
            .enumerate()
            .map(|(k, array)| {
                let units: Vec<_> =
                    array.iter().map(|loss| ((loss + 500).div_euclid(1000)) as i64).collect();
                row(k as u16 + 1, &units, minimum)
            })
            .collect();
        let listed: Vec<_> = rows.keys().copied().collect();
        for start in 0..listed.len() {
            // Up to seven legs with sizes from −9 to 9, spread over strikes and expiries.
            let legs: BTreeMap<usize, i64> = (0..1 + start % 7)
                .map(|leg| {
                    ((start + leg * leg * 5) % listed.len(), (start * 7 + leg * 11) as i64 % 19 - 9)
                })
                .filter(|&(_, size)| size != 0)
                .collect();
            let contracts: Vec<_> = legs.iter().map(|(&k, &size)| (listed[k], size)).collect();
            let margin = scan(&rows, &contracts);
            let sums = (0..SPAN_SCENARIOS).map(|s| {
                legs.iter().map(|(&k, &size)| exact[k][s] * i128::from(size)).sum::<i128>()
            });
            let worst = sums.max().unwrap().max(0);
            let shorts: i128 = legs.values().map(|&size| i128::from((-size).max(0))).sum();
            let floor = shorts * i128::from(minimum) * 1000;
            let rounding: i128 = legs.values().map(|&size| i128::from(size.abs()) * 500).sum();
            assert!((margin.requirement - worst.max(floor)).abs() <= rounding, "{start}");
            assert_eq!(margin.short_floor, floor);
            portfolios += 1;
        }
    }
    println!("SPAN: {portfolios} portfolios");
    assert_eq!(portfolios, 1670);
}

/// McMillan, Options as a Strategic Investment, pp. 668-670: gains by scenario and the requirement.
#[test]
fn accepts_published_span_example() {
    let Some(json) = reference_json("margin/published_worked_examples.json") else { return };
    let case = &json["cases"][0];
    assert_eq!(case["id"], "mcmillan_span_single");
    let losses = |name: &str| -> Vec<i64> {
        let gains = case["arrays"][name].as_array().unwrap();
        gains.iter().map(|gain| -gain.as_i64().unwrap() * 1000).collect()
    };
    let rows = RiskRows::from([
        row(1, &losses("long_1_future"), 0),
        row(2, &losses("long_1_dec410_call"), 0),
    ]);
    let [future, call] = [1, 2].map(|slot| *rows.keys().nth(slot - 1).unwrap());
    for (name, contracts) in [
        ("long_1_future", (future, 1)),
        ("short_1_future", (future, -1)),
        ("long_1_dec410_call", (call, 1)),
    ] {
        let requirement = scan(&rows, &[contracts]).requirement;
        assert_eq!(
            BigInt::from(requirement),
            shifted(&text_of(&case["expected"][name]), 6),
            "{name}"
        );
    }
}
