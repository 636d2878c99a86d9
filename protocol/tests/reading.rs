//! What comes from a file is checked when it is read: numbers that would not pack, slots that do
//! not exist and rows no circuit has are refused with their rule, and nothing panics later.

use serde_json::{Value, json};
use zkmargin_fixtures::build::{
    domain, market, now, parameters, random_batch, risk_rows, small_state, tiny_batch,
};
use zkmargin_fixtures::forge::forgeries;
use zkmargin_fixtures::keys::signed_table;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::account::positions::Positions;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::oracle::OracleMessage;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::{Market, SignedRiskTable};
use zkmargin_protocol::operation::bid::Bid;

/// `value` with the field at `pointer` replaced.
fn with(value: impl serde::Serialize, pointer: &str, field: Value) -> Value {
    let mut value = serde_json::to_value(value).expect("JSON");
    *value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} exists")) = field;
    value
}

fn refused<T: serde::de::DeserializeOwned>(rule: Rule, value: Value) {
    match serde_json::from_value::<T>(value) {
        Ok(_) => panic!("{rule:?}: accepted"),
        Err(error) => {
            assert!(error.to_string().contains(&format!("({rule:?})")), "{rule:?}: {error}")
        }
    }
}

fn accepted<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("within its bounds")
}

#[test]
fn rejects_range_of_margin_factors_that_do_not_pack() {
    for field in ["/initial_factor_ppm", "/maintenance_factor_ppm"] {
        let read: BatchParameters = accepted(with(parameters(), field, json!((1 << 24) - 1)));
        assert_ne!(read.hash(), parameters().hash());
        for wide in [1u32 << 24, u32::MAX] {
            refused::<BatchParameters>(Rule::Range, with(parameters(), field, json!(wide)));
        }
    }
    for field in ["/oracle_max_age_s", "/oracle_skew_s"] {
        let read: BatchParameters = accepted(with(parameters(), field, json!(u32::MAX)));
        assert_ne!(read.hash(), parameters().hash());
    }
}

#[test]
fn rejects_range_of_auction_parameters_that_make_no_schedule() {
    let within = [
        ("buffer_ppm", 0),
        ("buffer_ppm", 1_000_000),
        ("discount_start_ppm", 1_000_000),
        ("discount_start_ppm", 700_000),
        ("discount_fast_ppm", 0),
        ("discount_fast_ppm", 950_000),
        ("fast_s", 1),
        ("slow_s", (1 << 24) - 1),
        ("insolvent_s", 1),
        ("fee_ppm", 0),
        ("fee_ppm", 1_000_000),
        ("bid_minimum_ppm", 1_000_000),
        ("dust_e6", 0),
        ("dust_e6", (1u64 << 40) - 1),
    ];
    for (field, value) in within {
        let changed = with(parameters(), &format!("/auction/{field}"), json!(value));
        let read: BatchParameters = accepted(changed);
        let is_same = read.auction == parameters().auction;
        assert_eq!(read.hash() == parameters().hash(), is_same, "{field} {value}");
    }
    let beyond: [(&str, &[u64]); 9] = [
        ("buffer_ppm", &[1_000_001, 1 << 20, u32::MAX as u64]),
        ("discount_start_ppm", &[1_000_001, u32::MAX as u64, 699_999, 0]),
        ("discount_fast_ppm", &[950_001, 1_000_001, u32::MAX as u64]),
        ("fee_ppm", &[1_000_001, u32::MAX as u64]),
        ("bid_minimum_ppm", &[1_000_001, u32::MAX as u64]),
        ("fast_s", &[0, 1 << 24, u32::MAX as u64]),
        ("slow_s", &[0, 1 << 24, u32::MAX as u64]),
        ("insolvent_s", &[0, 1 << 24, u32::MAX as u64]),
        ("dust_e6", &[1 << 40, u64::MAX]),
    ];
    for (field, values) in beyond {
        let field = format!("/auction/{field}");
        for value in values {
            refused::<BatchParameters>(Rule::Range, with(parameters(), &field, json!(value)));
        }
    }
}

#[test]
fn rejects_range_of_auctions_and_bids_that_do_not_pack() {
    let auction = json!({ "start": "1", "is_insolvent": true, "reserve": "0" });
    let read: Auction = accepted(auction.clone());
    assert_eq!(json!(read), auction);
    refused::<Auction>(Rule::Range, with(&auction, "/start", json!("0")));
    for reserve in ["-1", "9223372036854775808"] {
        refused::<Auction>(Rule::Range, with(&auction, "/reserve", json!(reserve)));
    }
    let bid = json!({
        "account": "5", "fraction_min_ppm": 0, "fraction_max_ppm": 1_048_575, "limit": "-1",
    });
    let read: Bid = accepted(bid.clone());
    assert_eq!(json!(read), bid);
    for field in ["/fraction_min_ppm", "/fraction_max_ppm"] {
        for wide in [1u32 << 20, u32::MAX] {
            refused::<Bid>(Rule::Range, with(&bid, field, json!(wide)));
        }
    }
}

#[test]
fn rejects_range_of_epochs_and_numbers_that_do_not_pack() {
    let table = || {
        signed_table(&risk_rows(2, 1), parameters(), 77, now(), domain()).expect("16-bit indices")
    };
    let message = || table().attestation.message;
    let last = (1u64 << 40) - 1;
    let read: OracleMessage = accepted(with(message(), "/epoch", json!(last)));
    assert_ne!(read.hash(domain()), message().hash(domain()));
    let snapshot = || small_state(&market(2, 1)).snapshot();
    let read: Snapshot = accepted(with(snapshot(), "/batches", json!(last)));
    assert_eq!(read.batches, last);
    let trace: BatchTrace = accepted(with(tiny_batch(true), "/number", json!(last)));
    assert_ne!(trace.words(), tiny_batch(true).words());
    for wide in [last + 1, u64::MAX] {
        refused::<OracleMessage>(Rule::Range, with(message(), "/epoch", json!(wide)));
        refused::<SignedRiskTable>(
            Rule::Range,
            with(table(), "/attestation/message/epoch", json!(wide)),
        );
        refused::<Snapshot>(Rule::Range, with(snapshot(), "/batches", json!(wide)));
        refused::<BatchTrace>(Rule::Range, with(tiny_batch(true), "/number", json!(wide)));
    }
}

#[test]
fn rejects_range_of_the_batch_after_the_last_number() {
    let market: Market = market(2, 1);
    let mut snapshot = small_state(&market).snapshot();
    snapshot.batches = (1 << 40) - 1;
    let state = State::new(snapshot).expect("a state");
    let batch = |state: &State| {
        Batch::new(state, &market, Shape::TINY, now())?.seal().map(|(next, _)| next)
    };
    let next = batch(&state).expect("the last number");
    assert_eq!(batch(&next).expect_err("no number left").rule, Rule::Range);
}

#[test]
fn rejects_position_slots_that_no_account_has() {
    let slots = |count: u32, quantity: &str| -> Value {
        let slots = (1..=count).map(|k| ((4096 + k).to_string(), json!(quantity)));
        Value::Object(slots.collect())
    };
    let full: Positions = accepted(slots(32, "-5"));
    assert_eq!(full.count(), 32);
    assert_eq!(serde_json::to_value(&full).expect("JSON"), slots(32, "-5"));
    refused::<Positions>(Rule::PositionSlots, slots(33, "-5"));
    refused::<Positions>(Rule::PositionSlots, slots(1, "0"));
    refused::<Positions>(Rule::PositionSlots, json!({ "0": "1" }));
    refused::<Positions>(Rule::Range, json!({ "4097": "549755813888" }));
}

#[test]
fn rejects_range_of_orders_with_quantities_below_zero_or_beyond_a_fill() {
    for side in ["buy", "sell"] {
        for bound in ["quantity_min", "quantity_max"] {
            let field = format!("/trades/0/{side}/order/{bound}");
            let changed = |text: &str| with(tiny_batch(true), &field, json!(text));
            let widest: BatchTrace = accepted(changed("549755813887"));
            assert_eq!(widest.check(), Ok(()));
            for text in ["-1", "-549755813888", "549755813888", "0.5", "+1", "01", ""] {
                refused::<BatchTrace>(Rule::Range, changed(text));
            }
        }
    }
}

#[test]
fn accepts_every_batch_it_wrote() {
    for seed in 0..20 {
        let trace = random_batch(seed, Shape::TINY);
        assert_eq!(accepted::<BatchTrace>(json!(trace)), trace, "seed {seed}");
    }
}

#[test]
fn rejects_batches_whose_rows_no_circuit_has() {
    let trace = || tiny_batch(true);
    let tables =
        ["trades", "requests", "deposits", "accounts", "nodes", "instruments", "instrument_nodes"];
    for table in tables {
        let field = format!("/shape/{table}");
        for rows in [Shape::ROWS_MAX as u64 + 1, u64::MAX] {
            refused::<BatchTrace>(Rule::Shape, with(trace(), &field, json!(rows)));
        }
        refused::<BatchTrace>(Rule::Shape, with(trace(), &field, json!(0)));
        let most: BatchTrace = accepted(with(trace(), &field, json!(Shape::ROWS_MAX)));
        assert_eq!(most.check(), Ok(()));
    }
    let matrix = "/accounts/0/margin/losses";
    for count in [0, 32, 34] {
        refused::<BatchTrace>(Rule::MarginMatrix, with(trace(), matrix, json!(vec![0; count])));
        let losses = json!(vec!["0"; count]);
        let field = "/instruments/0/risk/losses";
        refused::<BatchTrace>(Rule::InstrumentLive, with(trace(), field, losses));
    }
    let trees = [
        (Rule::AccountTree, "nodes", 12),
        (Rule::InstrumentLive, "risk_nodes", 8),
        (Rule::IndexReuse, "interest_nodes", 8),
    ];
    for (rule, nodes, depth) in trees {
        let last = 1u64 << (2 * (depth - 1));
        let wrong = [(0, 0), (depth + 1, 0), (255, 0), (depth, 1), (1, last), (1, u64::MAX)];
        for (level, index) in wrong {
            let mut value = with(trace(), &format!("/{nodes}/0/0"), json!(level));
            *value.pointer_mut(&format!("/{nodes}/0/1")).expect("an index") = json!(index);
            refused::<BatchTrace>(rule, value);
        }
        let last = with(trace(), &format!("/{nodes}/0/1"), json!(last - 1));
        assert_eq!(accepted::<BatchTrace>(last).check(), Ok(()));
    }
}

#[test]
fn rejects_what_only_a_forger_holds_by_its_rule() {
    let beyond_types = [Rule::KeyValid, Rule::PositionSlots, Rule::Shape];
    let mut read = 0;
    for forgery in forgeries() {
        let text = serde_json::to_string(&forgery.trace).expect("JSON");
        let found = serde_json::from_str::<BatchTrace>(&text).map_err(|error| error.to_string());
        if beyond_types.contains(&forgery.rule) {
            let error = found.expect_err(forgery.what);
            assert!(error.contains(&format!("({:?})", forgery.rule)), "{}: {error}", forgery.what);
        } else if forgery.what != UNREDUCED {
            // What is wrong with the others is for the circuit to say.
            read += 1;
            assert_eq!(found, Ok(forgery.trace), "{}", forgery.what);
        }
    }
    assert!(read > 80, "most forgeries have a file: {read}");
}

/// A signature whose response has no JSON: it is written reduced.
const UNREDUCED: &str = "the response of the signature is not reduced";

#[test]
fn accepts_the_named_shapes() {
    for (name, shape) in Shape::NAMED {
        assert_eq!(shape.check(), Ok(()), "{name}");
    }
}
