//! The full PM2 valuation against Derive's own portfolio cases.

mod common;

use common::{fixed_of, reference_json, shifted, text_of};
use num_bigint::BigInt;
use serde_json::Value;
use zkmargin_protocol::black76::Volatility;
use zkmargin_protocol::fixed::Fixed;
use zkmargin_protocol::instrument::OptionKind;
use zkmargin_protocol::risk_parameters::{RiskParameters, SkewShock, VolatilityShock};
use zkmargin_protocol::scenario::{Scenario, SkewShape, VolatilityMove};
use zkmargin_protocol::valuation::{
    ExpiryBook, ValuationParameters, ValuedPosition, basis_contingency, profit,
};

fn ppm(value: &Value) -> i64 {
    shifted(&text_of(value), 6).try_into().unwrap()
}

fn share(value: &Value) -> u32 {
    ppm(value).try_into().unwrap()
}

fn signed(value: &Value) -> i32 {
    ppm(value).try_into().unwrap()
}

fn seconds_of_days(value: &Value) -> u32 {
    (share(value) as u64 * 86_400 / 1_000_000) as u32
}

fn skew(value: &Value, prefix: &str) -> SkewShock {
    SkewShock {
        cap_static_ppm: signed(&value[format!("{prefix}_SCALE_CAP")]),
        cap_slope_ppm: signed(&value[format!("{prefix}_CBASE")]),
        width_minimum_ppm: share(&value["MIN_K_STAR"]),
        width_scale_ppm: signed(&value["MIN_WIDTH_SCALE"]),
        width_static_ppm: signed(&value["VOL_PARAM_STATIC"]),
        width_slope_ppm: signed(&value["VOL_PARAM_SCALE"]),
    }
}

fn parameters(value: &Value) -> (RiskParameters, ValuationParameters) {
    let (shock, margin, basis) = (&value["VolShock"], &value["Margin"], &value["BasisContingency"]);
    let risk = RiskParameters {
        volatility: VolatilityShock {
            up_ppm: share(&shock["VOLRANGEUP"]),
            down_ppm: share(&shock["VOLRANGEDOWN"]),
            up_minimum: Volatility(share(&shock["MIN_VOL_EVAL_SHOCKED"])),
            reference_s: 30 * 86_400,
            shortest_s: seconds_of_days(&shock["DTE_FLOOR"]),
            short_power_ppm: share(&shock["SHORTTERMPOWER"]),
            long_power_ppm: share(&shock["LONGTERMPOWER"]),
        },
        linear_skew: skew(&value["SkewShock"], "LINEAR"),
        absolute_skew: skew(&value["SkewShock"], "ABS"),
        ..RiskParameters::reference()
    };
    let valuation = ValuationParameters {
        long_static_ppm: share(&margin["BASE_STATIC_DISCOUNT"]),
        long_rate_ppm: share(&margin["LONG_RATE_MULTSCALE"]),
        long_extra_ppm: share(&margin["LONG_RATE_ADDSCALE"]),
        short_static_ppm: share(&margin["BASE_STATIC_DISCOUNT_NEG"]),
        short_rate_ppm: share(&margin["SHORT_RATE_MULTSCALE"]),
        short_extra_ppm: share(&margin["SHORT_RATE_ADDSCALE"]),
        basis_forward_ppm: [share(&basis["SCENARIO_SPOT_UP"]), share(&basis["SCENARIO_SPOT_DOWN"])],
        basis_static_ppm: share(&basis["BASIS_CONT_ADD_FACTOR"]),
        basis_slope_ppm: share(&basis["BASIS_CONT_MULT_FACTOR"]),
        settlement_window_s: 1_800,
    };
    (risk, valuation)
}

/// The options by expiry.
fn books(inputs: &Value) -> Vec<ExpiryBook> {
    let options = inputs["Options"].as_array().unwrap();
    let feeds = inputs["OptionFeeds"].as_array().unwrap();
    let book = |feed: &Value| ExpiryBook {
        seconds: feed["FeedExpiry"].as_u64().unwrap(),
        forward: fixed_of(&feed["Forward"]),
        rate: fixed_of(&feed["Rate"]),
        positions: options
            .iter()
            .filter(|option| option["Expiry"] == feed["FeedExpiry"])
            .map(|option| ValuedPosition {
                kind: if option["IsCall"] == 1 { OptionKind::Call } else { OptionKind::Put },
                strike: fixed_of(&option["Strike"]),
                volatility: fixed_of(&option["MarkVol"]),
                amount: fixed_of(&option["Amount"]),
            })
            .collect(),
    };
    feeds.iter().map(book).filter(|book| !book.positions.is_empty()).collect()
}

fn scenario(value: &Value) -> Scenario {
    let moved = |volatility| Scenario::Move {
        forward_ppm: share(&value["SpotShock"]),
        volatility,
        damping_ppm: 1_000_000,
    };
    match value["VolShockDirection"].as_str().unwrap() {
        "Up" => moved(VolatilityMove::Up),
        "None" => moved(VolatilityMove::Flat),
        "Down" => moved(VolatilityMove::Down),
        "LINEAR" => Scenario::Skew { shape: SkewShape::Linear, is_rising: true },
        "ABS" => Scenario::Skew { shape: SkewShape::Absolute, is_rising: true },
        other => panic!("volatility move {other}"),
    }
}

/// Collateral that moves with the underlying, and perpetuals: not ours, but in the expected totals.
fn linear_value(inputs: &Value) -> Fixed {
    let collaterals = inputs["Collaterals"].as_array().unwrap().iter();
    let collateral = collaterals.filter(|item| item["IsRiskCancelling"] == true).map(|item| {
        let value = fixed_of(&item["Amount"]).mul_nearest(fixed_of(&item["Price"]));
        value.div_nearest(fixed_of(&inputs["StablePrice"]))
    });
    let perpetual = fixed_of(&inputs["NumPerps"]).mul_nearest(fixed_of(&inputs["PerpPrice"]));
    collateral.fold(perpetual, Fixed::add)
}

/// |computed − expected| in 10^-12 USDC.
fn error(computed: Fixed, expected: &Value) -> BigInt {
    let error = computed.units_nearest(1_000_000) * 1_000_000;
    (BigInt::from(error) - shifted(&text_of(expected), 12)).magnitude().clone().into()
}

#[test]
fn accepts_derive_portfolio_cases() {
    let Some(json) = reference_json("margin/derive_pmrm2_cases.json.gz") else { return };
    let (mut cases, mut scenarios, mut worst) = (0, 0, BigInt::from(0));
    for case in json["cases"].as_array().unwrap() {
        // One case is skipped upstream as well: a skew scenario with a forward move.
        if case["upstream_skipped"] == true {
            continue;
        }
        let (inputs, expected) = (&case["inputs"], &case["expected"]);
        let (risk, valuation) = parameters(&case["parameters"]);
        let (books, linear) = (books(inputs), linear_value(inputs));
        let losses = ["reg_losses", "tail_losses", "skew_losses"]
            .into_iter()
            .flat_map(|name| expected[name].as_array().unwrap());
        let grid = case["parameters"]["Scenarios"].as_array().unwrap();
        assert_eq!(losses.clone().count(), grid.len());
        // Computed upstream in binary64: 10^-13 of the gross value, and a millionth of a dollar.
        let gross = books.iter().flat_map(|book| {
            let forward = book.forward;
            book.positions.iter().map(move |position| {
                let size = position.amount.max(position.amount.neg());
                size.mul_nearest(forward.max(position.strike))
            })
        });
        let gross = gross.fold(linear.max(linear.neg()), Fixed::add).units_ceil(1) as u128;
        let bound = BigInt::from(gross / 10 + 2_000_000);
        for (expected, at) in losses.zip(grid) {
            let shock = fixed_of(&at["SpotShock"]).sub(Fixed::ONE);
            let sum = profit(&books, &scenario(at), &risk, &valuation)
                .add(linear.mul_nearest(shock))
                .mul_nearest(fixed_of(&at["DampeningFactor"]));
            let expected = expected.as_array().unwrap().last().unwrap();
            let error = error(sum, expected);
            assert!(error <= bound, "{}: {at} {expected}: {error}e-12", case["name"]);
            worst = worst.max(error);
            scenarios += 1;
        }
        let basis = basis_contingency(&books, &valuation);
        let error = error(basis, &expected["ForwardContingency"]);
        assert!(error <= bound, "{}: basis {error}e-12", case["name"]);
        let mark = books.iter().fold(Fixed::ZERO, |sum, book| sum.add(book.mark_value()));
        let error = self::error(mark, &expected["OptionMTM"]);
        assert!(error <= bound, "{}: mark {error}e-12", case["name"]);
        cases += 1;
    }
    println!("PM2: {cases} cases, {scenarios} scenarios, largest error {worst}e-12 USDC");
    assert_eq!(cases, 89);
}
