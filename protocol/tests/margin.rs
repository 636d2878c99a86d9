//! Margin of accounts against a risk table.

mod common;

use std::collections::BTreeMap;

use proptest::prelude::*;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::{self, Margin, MarginMethod};
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_row::{RiskRow, RiskRows};
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::pricing::scenario::SCENARIOS;
use zkmargin_protocol::value::units::{
    Cash, InstrumentIndex, Loss, Price, Quantity, Time, Underlying,
};

/// A row with the given mark, losses (repeated to the end) and short charges.
fn row(index: u16, mark: u32, losses: &[i64], charges: [u32; 3]) -> (InstrumentIndex, RiskRow) {
    let instrument = InstrumentIndex::new(index).unwrap();
    let [short_minimum, isolated_initial, isolated_maintenance] =
        charges.map(|charge| Price::new(charge).unwrap());
    let spec = InstrumentSpec {
        underlying: Underlying::new(0).unwrap(),
        expiry: Time::new(2_000_000_000).unwrap(),
        strike: Price::new(1_000).unwrap(),
        kind: OptionKind::Call,
    };
    let losses = losses.iter().cycle().take(SCENARIOS).map(|&loss| Loss::new(loss).unwrap());
    let row = RiskRow {
        instrument,
        spec,
        is_settled: false,
        mark: Price::new(mark).unwrap(),
        forward: Price::MIN,
        losses: losses.collect(),
        short_minimum,
        isolated_initial,
        isolated_maintenance,
    };
    (instrument, row)
}

fn evaluate(
    cash: i64,
    positions: &[(u16, i64)],
    rows: &RiskRows,
    method: MarginMethod,
) -> Result<Margin, zkmargin_protocol::Reject> {
    let slots = positions.iter().map(|&(index, quantity)| {
        (InstrumentIndex::new(index).unwrap(), Quantity::new(quantity).unwrap())
    });
    margin::evaluate(Cash::new(cash).unwrap(), slots, rows, &BatchParameters::reference(), method)
}

#[test]
fn rejects_initial_margin_of_options_bought_on_credit() {
    let rows = BTreeMap::from([row(1, 50_000, &[-9_000, 50_000], [5_000, 200_000, 150_000])]);
    // A standard book that spent 100 USDC it did not have on two options worth 100 USDC: equity
    // is 0.
    let bought = evaluate(-100_000_000, &[(1, 2_000)], &rows, MarginMethod::Standard).unwrap();
    assert_eq!((bought.equity, bought.initial), (0, 100_000_000));
    assert_eq!(bought.check_initial().unwrap_err().rule, Rule::InitialMargin);
    let paid = evaluate(0, &[(1, 2_000)], &rows, MarginMethod::Standard).unwrap();
    paid.check_initial().unwrap();
    // One sold for its mark: 50 USDC received, 200 USDC of margin.
    for (cash, is_enough) in [(200_000_000, true), (199_999_999, false)] {
        let sold = evaluate(cash, &[(1, -1_000)], &rows, MarginMethod::Standard).unwrap();
        assert_eq!(sold.check_initial().is_ok(), is_enough);
    }
    // A long option does not pay for a short one either.
    let both = BTreeMap::from([
        row(1, 50_000, &[0], [5_000, 200_000, 150_000]),
        row(2, 900_000, &[0], [5_000, 990_000, 950_000]),
    ]);
    let margin = evaluate(200_000_000, &[(1, -1_000), (2, 4_000)], &both, MarginMethod::Standard);
    margin.unwrap().check_initial().unwrap();
    let margin = evaluate(199_999_999, &[(1, -1_000), (2, 4_000)], &both, MarginMethod::Standard);
    assert_eq!(margin.unwrap().check_initial().unwrap_err().rule, Rule::InitialMargin);
}

#[test]
fn portfolio_margin_is_the_worst_scenario_or_the_floor() {
    let rows = BTreeMap::from([
        row(1, 50_000, &[-9_000, 30_000, 0], [5_000, 200_000, 150_000]),
        row(2, 40_000, &[-8_000, 26_000, 0], [5_000, 190_000, 140_000]),
    ]);
    // Short one, long one: losses ∓, mark −10 USDC; worst is the first scenario, the floor is
    // higher.
    let spread =
        evaluate(10_000_000, &[(1, -1_000), (2, 1_000)], &rows, MarginMethod::Portfolio).unwrap();
    assert_eq!((spread.mark_value, spread.equity), (-10_000_000, 0));
    assert_eq!(spread.losses[..3], [1_000_000, -4_000_000, 0]);
    assert_eq!((spread.short_floor, spread.requirement), (5_000_000, 5_000_000));
    assert_eq!((spread.initial, spread.maintenance), (5_000_000, 4_000_000));
    // The other way round there is nothing to lose but the second scenario's four dollars.
    let spread = evaluate(0, &[(1, 1_000), (2, -1_000)], &rows, MarginMethod::Portfolio).unwrap();
    assert_eq!(spread.losses[..3], [-1_000_000, 4_000_000, 0]);
    assert_eq!(spread.requirement, 5_000_000);
    let long = evaluate(0, &[(1, 2_000)], &rows, MarginMethod::Portfolio).unwrap();
    assert_eq!(
        (long.equity, long.requirement, long.initial),
        (100_000_000, 60_000_000, 60_000_000)
    );
}

/// A requirement computed in two roundings may fall short by a unit a leg; ours rounds once, up.
#[test]
fn margin_is_rounded_up_once() {
    for (quantity, charge, factor_ppm) in
        [(10_000_001, 1_000, 50_000), (1, 1, 1), (3, 7, 333_333), (999_999_999, 4_294_967, 800_001)]
    {
        let (index, row) = row(1, 0, &[0], [charge, 0, 0]);
        let rows = RiskRows::from([(index, row)]);
        let parameters =
            BatchParameters { initial_factor_ppm: factor_ppm, ..BatchParameters::reference() };
        let slots = [(index, Quantity::new(-quantity).unwrap())];
        let margin = margin::evaluate(
            Cash::new(0).unwrap(),
            slots.into_iter(),
            &rows,
            &parameters,
            MarginMethod::Portfolio,
        );
        let margin = margin.unwrap();
        let exact = i128::from(quantity) * i128::from(charge) * i128::from(factor_ppm);
        assert!(margin.initial * 1_000_000 >= exact && (margin.initial - 1) * 1_000_000 < exact);
    }
}

#[test]
fn rejects_instrument_live_and_margin_spread() {
    let edge = Loss::MAX.get();
    let rows = BTreeMap::from([row(1, 0, &[edge, 0], [0; 3])]);
    let missing = evaluate(0, &[(2, 1)], &rows, MarginMethod::Portfolio).unwrap_err();
    assert_eq!(missing.rule, Rule::InstrumentLive);
    // 2^52 / (2^33 − 1) contracts, in units of 1/1000.
    let quantity = (1 << 52) / edge;
    evaluate(0, &[(1, quantity)], &rows, MarginMethod::Portfolio).unwrap();
    let wide = evaluate(0, &[(1, quantity + 1)], &rows, MarginMethod::Portfolio).unwrap_err();
    assert_eq!(wide.rule, Rule::MarginSpread);
}

/// A debt of i128::MIN must not turn into a credit: cash has 64 bits and nothing casts.
#[test]
fn rejects_range_of_cash_beyond_its_width() {
    let widest = i128::from(i64::MAX);
    for value in [i128::MIN, i128::MAX, widest + 1, -widest - 2] {
        assert_eq!(Cash::try_from(value).unwrap_err().rule, Rule::Range);
    }
    let rows = BTreeMap::from([row(1, u32::MAX, &[Loss::MIN.get()], [u32::MAX; 3])]);
    let margin = evaluate(i64::MIN, &[(1, 1 << 18)], &rows, MarginMethod::Standard).unwrap();
    assert_eq!(margin.equity, i128::from(i64::MIN) + (i128::from(u32::MAX) << 18));
}

/// Any book over the shipped risk rows: quantities in 1/1000 contract by place.
fn arb_book() -> impl Strategy<Value = Vec<i64>> {
    let quantity = prop_oneof![Just(0), -5_000i64..5_000, -2_000_000i64..2_000_000];
    proptest::collection::vec(quantity, 106)
}

fn shipped_rows() -> RiskRows {
    let rows = common::shipped_json("pricing/risk_rows.json")["rows"].clone();
    let rows: Vec<RiskRow> = serde_json::from_value(rows).unwrap();
    rows.into_iter().map(|row| (row.instrument, row)).collect()
}

fn book_margin(cash: i64, book: &[i64], rows: &RiskRows, method: MarginMethod) -> Margin {
    let slots = rows
        .keys()
        .zip(book)
        .filter(|&(_, &quantity)| quantity != 0)
        .map(|(&index, &quantity)| (index, Quantity::new(quantity).unwrap()));
    margin::evaluate(Cash::new(cash).unwrap(), slots, rows, &BatchParameters::reference(), method)
        .unwrap()
}

const METHODS: [MarginMethod; 2] = [MarginMethod::Portfolio, MarginMethod::Standard];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn merging_books_never_raises_the_requirement(a in arb_book(), b in arb_book()) {
        let rows = shipped_rows();
        let merged: Vec<i64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
        for method in METHODS {
            let [one, two, both] =
                [&a, &b, &merged].map(|book| book_margin(7, book, &rows, method));
            // Rounding up may add a unit to the whole, which two parts pay twice.
            let [all, some, others] =
                [&both, &one, &two].map(|margin| margin.initial - margin.equity);
            prop_assert!(all <= some + others + 7);
            prop_assert!(both.maintenance <= both.initial);
            prop_assert_eq!(both.mark_value, one.mark_value + two.mark_value);
        }
    }

    #[test]
    fn cash_counts_one_to_one_and_requirements_are_not_negative(
        book in arb_book(),
        cash in 0i64..1 << 50,
    ) {
        let rows = shipped_rows();
        for method in METHODS {
            let [poor, rich] = [0, cash].map(|cash| book_margin(cash, &book, &rows, method));
            prop_assert_eq!(rich.equity - poor.equity, i128::from(cash));
            prop_assert_eq!(rich.initial, poor.initial);
            prop_assert!(poor.requirement >= 0 && poor.initial >= 0 && poor.maintenance >= 0);
        }
    }

    #[test]
    fn size_scales_and_opposite_positions_cancel(book in arb_book()) {
        let rows = shipped_rows();
        let tripled: Vec<i64> = book.iter().map(|quantity| quantity * 3).collect();
        let portfolio = MarginMethod::Portfolio;
        let [one, three] = [&book, &tripled].map(|book| book_margin(0, book, &rows, portfolio));
        prop_assert_eq!(three.requirement, 3 * one.requirement);
        let flat = book_margin(0, &vec![0; book.len()], &rows, MarginMethod::Portfolio);
        prop_assert_eq!((flat.requirement, flat.equity, flat.initial), (0, 0, 0));
    }

    /// With more scenarios the requirement does not fall: dropping any one never raises it.
    #[test]
    fn fewer_scenarios_never_charge_more(book in arb_book(), dropped in 0usize..SCENARIOS) {
        let rows = shipped_rows();
        let mut fewer = rows.clone();
        for row in fewer.values_mut() {
            row.losses[dropped] = Loss::default();
        }
        let portfolio = MarginMethod::Portfolio;
        let [all, some] = [&rows, &fewer].map(|rows| book_margin(0, &book, rows, portfolio));
        prop_assert!(some.requirement <= all.requirement);
    }
}
