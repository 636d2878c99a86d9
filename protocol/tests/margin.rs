//! Margin of accounts against a risk table.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::instrument::{InstrumentSpec, OptionKind};
use zkmargin_protocol::margin::{self, Margin, MarginMethod};
use zkmargin_protocol::market::RiskRows;
use zkmargin_protocol::parameters::BatchParameters;
use zkmargin_protocol::risk_row::{RiskRow, SCENARIOS};
use zkmargin_protocol::units::{Cash, InstrumentIndex, Loss, Price, Quantity, Time, Underlying};

fn parameters() -> BatchParameters {
    BatchParameters {
        initial_factor_ppm: 1_000_000,
        maintenance_factor_ppm: 800_000,
        oracle_max_age_s: 60,
        oracle_skew_s: 5,
        rest: Fr::from(0),
    }
}

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
        mark: Price::new(mark).unwrap(),
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
    margin::evaluate(Cash::new(cash).unwrap(), slots, rows, &parameters(), method)
}

#[test]
fn rejects_initial_margin_of_options_bought_on_credit() {
    let rows = BTreeMap::from([row(1, 50_000, &[-9_000, 50_000], [5_000, 200_000, 150_000])]);
    // A standard book that spent 100 USDC it did not have on two options worth 100 USDC: equity is 0.
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
