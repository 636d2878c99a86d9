//! What the proof holds standard accounts to is never less than the standard margin in full.

mod common;

use common::shipped_json;
use proptest::prelude::*;
use zkmargin_protocol::account::margin::{self, Margin, MarginMethod};
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_row::{RiskRow, RiskRows};
use zkmargin_protocol::market::valuation::standard::{
    IsolatedPosition, StandardExpiry, requirement_ceil,
};
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::pricing::surface::{Expiry, Surface};
use zkmargin_protocol::value::units::{Cash, Price, Quantity, Time, Underlying};

/// Forwards charged for a call short without a long one: maintenance, initial.
const UNPAIRED_PPM: [u32; 2] = [1_100_000, 1_200_000];
/// Rows of the shipped table.
const ROWS: usize = 106;

fn shipped_rows() -> RiskRows {
    let rows = shipped_json("pricing/risk_rows.json")["rows"].clone();
    let rows: Vec<RiskRow> = serde_json::from_value(rows).unwrap();
    rows.into_iter().map(|row| (row.instrument, row)).collect()
}

fn shipped_expiries() -> Vec<Expiry> {
    let surface = shipped_json("pricing/surface.json")["data"].clone();
    let surface: Surface = serde_json::from_value(surface).unwrap();
    surface.expiries().to_vec()
}

/// The margin of a book of quantities by place, as the proof has it.
fn proven(cash: Cash, book: &[i64], rows: &RiskRows) -> Margin {
    let slots = rows.keys().zip(book).filter(|&(_, &quantity)| quantity != 0);
    let slots = slots.map(|(&index, &quantity)| (index, Quantity::new(quantity).unwrap()));
    let parameters = BatchParameters::reference();
    margin::evaluate(cash, slots, rows, &parameters, MarginMethod::Standard).unwrap()
}

/// The same book by expiry, with isolated margins taken by `isolated`.
fn expiries(book: &[i64], rows: &RiskRows, isolated: fn(&RiskRow) -> Price) -> Vec<StandardExpiry> {
    let positions = |expiry: &Expiry| {
        let held = rows.values().zip(book).filter(|(row, _)| row.spec.expiry == expiry.expiry);
        held.map(|(row, &quantity)| IsolatedPosition {
            spec: row.spec,
            quantity: Quantity::new(quantity).unwrap(),
            isolated: isolated(row),
        })
        .collect()
    };
    let one =
        |expiry: &Expiry| StandardExpiry { forward: expiry.forward, positions: positions(expiry) };
    shipped_expiries().iter().map(one).collect()
}

/// Few legs, so that spreads and boxes of one expiry occur, or all of them.
fn arb_book() -> impl Strategy<Value = Vec<i64>> {
    let leg = (0..ROWS, -3_000i64..3_000);
    let few = proptest::collection::vec(leg, 1..8).prop_map(|legs| {
        let mut book = vec![0; ROWS];
        legs.into_iter().for_each(|(place, quantity)| book[place] = quantity);
        book
    });
    prop_oneof![few, proptest::collection::vec(-2_000_000i64..2_000_000, ROWS)]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn the_proof_asks_for_no_less_than_the_standard_margin(book in arb_book(), spare in -2i64..3) {
        let rows = shipped_rows();
        let margin = proven(Cash::new(0).unwrap(), &book, &rows);
        let full = [
            requirement_ceil(
                &expiries(&book, &rows, |row| row.isolated_maintenance),
                UNPAIRED_PPM[0],
            ),
            requirement_ceil(&expiries(&book, &rows, |row| row.isolated_initial), UNPAIRED_PPM[1]),
        ];
        let asked = [margin.maintenance, margin.initial];
        let asked = asked.map(|margin_of| margin_of - margin.mark_value);
        prop_assert!(asked[0] >= full[0] && asked[1] >= full[1]);
        // Cash about the amount asked for: whoever the proof finds healthy, the full rule does too.
        let cash = i64::try_from(asked[1]).unwrap() + spare;
        let account = proven(Cash::new(cash).unwrap(), &book, &rows);
        prop_assert_eq!(account.check_initial().is_ok(), spare >= 0);
        prop_assert!(account.check_initial().is_err() || i128::from(cash) >= full[1]);
    }

    /// At no settlement price does an expiry lose more, but for calls short without a long one.
    #[test]
    fn the_largest_loss_bounds_every_settlement(
        book in arb_book(),
        settlement in 0u32..400_000_000,
    ) {
        let rows = shipped_rows();
        for expiry in expiries(&book, &rows, |row| row.isolated_initial) {
            let calls = expiry.positions.iter().filter(|held| held.spec.kind == OptionKind::Call);
            let unpaired = (-calls.map(|held| i128::from(held.quantity)).sum::<i128>()).max(0);
            let strikes = expiry.positions.iter().map(|held| held.spec.strike.get());
            let highest = strikes.max().unwrap_or(0);
            let beyond = unpaired * i128::from(settlement.saturating_sub(highest));
            let loss = -expiry.payoff(Price::new(settlement).unwrap());
            prop_assert!(loss <= expiry.loss_max_ceil(0) + beyond);
        }
    }
}

/// One expiry at forward 1,000 USDC: kind, strike, contracts; 300 USDC of isolated margin each.
fn expiry(legs: &[(OptionKind, u32, i64)]) -> StandardExpiry {
    let price = |usdc: u32| Price::new(usdc * 1_000).unwrap();
    let positions = legs.iter().map(|&(kind, strike, contracts)| IsolatedPosition {
        spec: InstrumentSpec {
            underlying: Underlying::new(1).unwrap(),
            expiry: Time::new(2_000_000_000).unwrap(),
            strike: price(strike),
            kind,
        },
        quantity: Quantity::new(contracts * 1_000).unwrap(),
        isolated: price(300),
    });
    StandardExpiry { forward: price(1_000), positions: positions.collect() }
}

#[test]
fn standard_margin_by_hand() {
    use OptionKind::{Call, Put};
    for (legs, usdc) in [
        // Long options need nothing, naked short ones their isolated margin.
        (&[(Call, 900, 1), (Put, 900, 1)][..], 0),
        (&[(Call, 900, -1)], 300),
        (&[(Put, 200, -1)], 200),
        // Spreads their width, if that is less; a spread bought nothing.
        (&[(Call, 900, -1), (Call, 1_000, 1)], 100),
        (&[(Call, 900, 1), (Call, 1_000, -1)], 0),
        (&[(Put, 900, 1), (Put, 1_300, -1)], 300),
        // A box sold is a loan of its width; a put does not pay for a call.
        (&[(Call, 900, -1), (Call, 950, 1), (Put, 900, 1), (Put, 950, -1)], 50),
        (&[(Call, 900, -1), (Put, 900, 5)], 300),
        // Two calls short against one long: 100 of width and 1.2 forwards exceed 2 x 300.
        (&[(Call, 900, -2), (Call, 1_000, 1)], 600),
    ] {
        assert_eq!(expiry(legs).requirement_ceil(1_200_000), usdc * 1_000_000, "{legs:?}");
    }
    // No expiry covers another: a calendar spread pays for its short leg.
    let calendar = [expiry(&[(Call, 900, -1)]), expiry(&[(Call, 900, 1)])];
    assert_eq!(requirement_ceil(&calendar, 1_200_000), 300_000_000);
    // The charge beyond the strikes is rounded up: one unit of 1/1000 call short, a millionth of a
    // forward.
    let mut unit = expiry(&[(Call, 0, -1)]);
    unit.positions[0].quantity = Quantity::new(-1).unwrap();
    unit.forward = Price::new(1_001).unwrap();
    assert_eq!([0, 1, 1_000_000].map(|ppm| unit.loss_max_ceil(ppm)), [0, 1, 1_001]);
}
