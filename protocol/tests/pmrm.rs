//! The valuation with a second set of parameters: Derive's first portfolio margin, against its
//! cases.

mod common;

use common::{fixed, reference_json, shifted, text_of};
use num_bigint::BigInt;
use serde_json::Value;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::valuation::{
    ExpiryBook, ValuationParameters, ValuedPosition, basis_contingency, profit,
};
use zkmargin_protocol::pricing::black76::{OptionKind, Volatility};
use zkmargin_protocol::pricing::fixed::{FRACTION_BITS, Fixed};
use zkmargin_protocol::pricing::scenario::{Scenario, VolatilityMove};
use zkmargin_protocol::pricing::shock::VolatilityShock;

/// Initial margin is scaled by this.
const INITIAL_FACTOR: &str = "1.3";
/// Charge on a short option without a long one of its strike, as a share of spot.
const SHORT_CHARGE: &str = "0.01";

fn risk_parameters() -> RiskParameters {
    let volatility = VolatilityShock {
        up_ppm: 450_000,
        down_ppm: 300_000,
        up_minimum: Volatility(0),
        reference_s: 30 * 86_400,
        shortest_s: 86_400,
        short_power_ppm: 300_000,
        long_power_ppm: 130_000,
    };
    RiskParameters { volatility, ..RiskParameters::reference() }
}

/// Marks are not discounted, so the rate of a book is 0; its own, four times, discounts positive
/// values.
fn valuation_parameters(rate_ppm: u32) -> ValuationParameters {
    ValuationParameters {
        long_static_ppm: 950_000,
        long_rate_ppm: 0,
        long_extra_ppm: 4 * rate_ppm + 50_000,
        short_static_ppm: 1_000_000,
        short_rate_ppm: 0,
        short_extra_ppm: 0,
        basis_forward_ppm: [1_050_000, 950_000],
        basis_static_ppm: 250_000,
        basis_slope_ppm: 10_000,
        settlement_window_s: 1_800,
    }
}

fn scenarios() -> impl Iterator<Item = Scenario> {
    use VolatilityMove::{Down, Flat, Up};
    let factors = [1_150_000, 1_100_000, 1_050_000, 1_000_000, 950_000, 900_000, 850_000];
    factors.into_iter().flat_map(|forward_ppm| {
        [Up, Flat, Down].map(|volatility| Scenario::Move {
            forward_ppm,
            volatility,
            damping_ppm: 1_000_000,
        })
    })
}

/// The options of one expiry and its rate.
struct RatedBook {
    book: ExpiryBook,
    rate_ppm: u32,
}

#[derive(Debug)]
struct Outcome {
    mark_value: Fixed,
    /// Worst profit over the scenarios.
    span: Fixed,
    basis: Fixed,
    shorts: Fixed,
}

impl Outcome {
    /// Of options, and `linear` USDC of collateral that moves with the underlying.
    fn of(books: &[RatedBook], spot: Fixed, linear: Fixed) -> Self {
        let risk = risk_parameters();
        let sum = |one: &dyn Fn(&RatedBook) -> Fixed| {
            books.iter().fold(Fixed::ZERO, |sum, rated| sum.add(one(rated)))
        };
        let in_scenario = |scenario: Scenario| {
            let Scenario::Move { forward_ppm, .. } = scenario else { unreachable!("only moves") };
            let shift = Fixed::ratio_nearest(i128::from(forward_ppm) - 1_000_000, 1_000_000);
            let options = sum(&|rated| {
                let parameters = valuation_parameters(rated.rate_ppm);
                profit(std::slice::from_ref(&rated.book), &scenario, &risk, &parameters)
            });
            options.add(linear.mul_nearest(shift))
        };
        let shorts = sum(&|rated| naked_shorts(&rated.book));
        Self {
            mark_value: sum(&|rated| rated.book.mark_value()),
            span: scenarios().map(in_scenario).reduce(Fixed::min).unwrap(),
            basis: sum(&|rated| {
                let parameters = valuation_parameters(rated.rate_ppm);
                basis_contingency(std::slice::from_ref(&rated.book), &parameters)
            }),
            shorts: shorts.mul_nearest(spot).mul_nearest(fixed(SHORT_CHARGE)),
        }
    }

    /// Maintenance and initial margin of options and cash.
    fn margins(&self, cash: Fixed) -> [Fixed; 2] {
        let risk = self.span.min(self.basis).sub(self.shorts);
        [Fixed::ONE, fixed(INITIAL_FACTOR)]
            .map(|factor| risk.mul_nearest(factor).add(self.mark_value).add(cash))
    }
}

/// Calls and puts short, less those of the other kind long at their strike.
fn naked_shorts(book: &ExpiryBook) -> Fixed {
    let mut strikes: Vec<Fixed> = book.positions.iter().map(|held| held.strike).collect();
    strikes.sort();
    strikes.dedup();
    let net = |strike: Fixed, kind: OptionKind| {
        let held = book.positions.iter().filter(|held| held.strike == strike && held.kind == kind);
        held.fold(Fixed::ZERO, |sum, held| sum.add(held.amount))
    };
    let naked = |short: Fixed, other: Fixed| {
        if short >= Fixed::ZERO {
            return Fixed::ZERO;
        }
        short.neg().sub(other.max(Fixed::ZERO)).max(Fixed::ZERO)
    };
    strikes.into_iter().fold(Fixed::ZERO, |sum, strike| {
        let (calls, puts) = (net(strike, OptionKind::Call), net(strike, OptionKind::Put));
        sum.add(naked(calls, puts)).add(naked(puts, calls))
    })
}

/// A decimal times 10^-`places`.
fn unit(value: &Value, places: u32) -> Fixed {
    let bits = (shifted(&text_of(value), 0) << FRACTION_BITS) / BigInt::from(10).pow(places);
    Fixed::from_bits(bits.try_into().unwrap())
}

fn kind(is_call: bool) -> OptionKind {
    if is_call { OptionKind::Call } else { OptionKind::Put }
}

/// The books of a case with full inputs.
fn case_books(at: &Value) -> Vec<RatedBook> {
    let list = |name: &str| at[name].as_array().unwrap();
    let mut seconds: Vec<u64> =
        list("FeedExpiries").iter().map(|expiry| expiry.as_u64().unwrap()).collect();
    seconds.dedup();
    let book = |&seconds: &u64| {
        let place = list("FeedExpiries").iter().position(|expiry| *expiry == seconds).unwrap();
        let held =
            (0..list("OptionStrikes").len()).filter(|&k| list("OptionExpiries")[k] == seconds);
        let positions = held.map(|k| ValuedPosition {
            kind: kind(list("OptionIsCall")[k] == 1),
            strike: unit(&list("OptionStrikes")[k], 18),
            volatility: unit(&list("OptionVols")[k], 18),
            amount: unit(&list("OptionAmounts")[k], 18),
        });
        let rate = unit(&list("Rates")[place], 18).units_nearest(1_000_000);
        RatedBook {
            rate_ppm: rate.try_into().unwrap(),
            book: ExpiryBook {
                seconds,
                forward: unit(&list("Forwards")[place], 18),
                rate: Fixed::ZERO,
                positions: positions.collect(),
            },
        }
    };
    seconds.iter().map(book).collect()
}

/// Cases with full inputs that are left out.
const LEFT_OUT: [(&str, &str); 3] = [
    ("Test16", "a perpetual, no option"),
    ("Test17", "a perpetual, no option"),
    (
        "Test19",
        "an expiry whose settlement is three quarters fixed, at another price than its forward",
    ),
];

#[test]
fn accepts_derive_first_portfolio_margin_cases() {
    let Some(json) = reference_json("margin/derive_pmrm1_verified_cases.json.gz") else { return };
    let (mut cases, mut worst) = (0, 0);
    for (name, case) in json["cases"].as_object().unwrap() {
        if LEFT_OUT.iter().any(|(left_out, _)| left_out == name) {
            continue;
        }
        let (at, result) = (&case["Scenario"], &case["Result"]);
        assert_eq!(at["Perps"], 0);
        let spot = unit(&at["SpotPrice"], 18);
        let linear = unit(&at["Base"], 18).mul_nearest(spot);
        let outcome = Outcome::of(&case_books(at), spot, linear);
        let expected = |part: &str| unit(&result[part], 18);
        let mut pairs = vec![
            (outcome.span, expected("MinSpan")),
            (outcome.basis, expected("ForwardContingency")),
            (outcome.shorts.neg(), expected("OptionContingency")),
            (outcome.mark_value.add(linear), expected("PortfolioMTM")),
        ];
        // The charge for oracle confidence, on initial margin only, is not ours.
        let [maintenance, initial] = outcome.margins(unit(&at["Cash"], 18));
        if linear == Fixed::ZERO {
            let initial = initial.add(expected("OracleContingency"));
            pairs.push((maintenance, expected("MaintenanceMarginCalc")));
            pairs.push((initial, expected("InitialMarginCalc")));
        }
        for (place, (ours, theirs)) in pairs.into_iter().enumerate() {
            let error = ours.sub(theirs).units_nearest(1_000_000_000).abs();
            assert!(error <= 1_000, "{name} {place}: {ours:?} {theirs:?}");
            worst = worst.max(error);
        }
        cases += 1;
    }
    println!("PMRM: {cases} cases, largest error {worst}e-9 USDC");
    assert_eq!(cases, 11);
}

/// Volatility and rate of the mock feed the portfolios were made with, deduced from their results.
const MOCK_VOLATILITY: &str = "0.5";
const MOCK_RATE_PPM: u32 = 37_500;
/// Perpetuals or ether as collateral, which are not ours.
const NOT_OPTIONS: [&str; 10] = [
    "test_long_ITM_perp_pm",
    "test_short_ITM_perp_pm",
    "test_covered_atm_call_pm",
    "test_long_perp_short_call_pm",
    "test_oracle_cont_long_perp_asset_pm",
    "test_long_OTM_perp_pm",
    "test_short_OTM_perp_pm",
    "test_covered_itm_call_pm",
    "test_short_perp_long_call_pm",
    "test_general_portfolio_pm",
];
/// Charged for oracle confidence on initial margin.
const CHARGED: [&str; 2] = ["test_oracle_cont_long_call_pm", "test_oracle_cont_short_call_pm"];

/// Results are in whole dollars: ours is less than one off, and of the same sign.
#[test]
fn accepts_derive_first_portfolio_margin_portfolios() {
    let Some(json) = reference_json("margin/derive_pmrm1_portfolios.json") else { return };
    let (setup, mut compared) = (&json["setup"], 0);
    for (name, case) in json["cases"].as_object().unwrap() {
        let has_more = ["perps", "bases"].iter().any(|&list| case[list] != Value::Array(vec![]));
        assert_eq!(has_more, NOT_OPTIONS.contains(&name.as_str()), "{name}");
        if has_more {
            continue;
        }
        let mut books: Vec<RatedBook> = Vec::new();
        for option in case["options"].as_array().unwrap() {
            let expiry = option["expiry"].as_str().unwrap();
            let seconds = setup["seconds_to_expiry"][expiry].as_u64().unwrap();
            let position = ValuedPosition {
                kind: kind(option["type"] == "call"),
                strike: unit(&option["strike"], 0),
                volatility: fixed(MOCK_VOLATILITY),
                amount: unit(&option["amount"], 8),
            };
            match books.iter_mut().find(|rated| rated.book.seconds == seconds) {
                Some(rated) => rated.book.positions.push(position),
                None => {
                    let forward = fixed(&text_of(&setup["eth_forward"][expiry]));
                    let positions = vec![position];
                    let book = ExpiryBook { seconds, forward, rate: Fixed::ZERO, positions };
                    books.push(RatedBook { book, rate_ppm: MOCK_RATE_PPM });
                }
            }
        }
        let outcome = Outcome::of(&books, unit(&setup["eth_spot"], 0), Fixed::ZERO);
        let margins = outcome.margins(unit(&case["cash"], 8));
        for (kind, ours) in ["mm", "im"].into_iter().zip(margins) {
            if kind == "im" && CHARGED.contains(&name.as_str()) {
                continue;
            }
            let theirs = i128::from(case["results"][kind].as_i64().unwrap());
            let error = ours.units_nearest(1_000_000) - theirs * 1_000_000;
            assert!(error.abs() < 1_000_000, "{name} {kind}: {ours:?} {theirs}");
            assert!(theirs == 0 || (theirs < 0) == (ours < Fixed::ZERO), "{name} {kind}");
            compared += 1;
        }
    }
    println!("PMRM: {compared} whole-dollar results");
    assert_eq!(compared, 2 * 20 - CHARGED.len());
}
