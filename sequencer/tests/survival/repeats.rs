//! What comes again is recognised whole, and one event is one event however it is spelled.

use super::program::{sequencer, take};
use crate::support::*;

use zkmargin_fixtures::build::{NOW_S, account_index};
use zkmargin_fixtures::keys::{oracle_keys, trader_key};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::market::SignedRiskTable;
use zkmargin_protocol::market::oracle::{Attestation, OracleSet};
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedRequest};
use zkmargin_sequencer::ForcedNotice;

/// Ways in which a table of a known epoch may differ, each with the part that does.
fn changed(known: &SignedRiskTable) -> Vec<(&'static str, SignedRiskTable)> {
    let with = |change: &dyn Fn(&mut SignedRiskTable)| {
        let mut table = known.clone();
        change(&mut table);
        table
    };
    vec![
        ("parameters", with(&|table| table.parameters.initial_factor_ppm += 1)),
        ("signatures", with(&|table| table.attestation.signatures = Default::default())),
        ("signatures", with(&|table| table.attestation.signatures[0] = None)),
        ("signatures", {
            with(&|table| {
                let message = table.attestation.message.clone();
                let mut keys = oracle_keys().map(Some);
                [keys[0], keys[1]] = [None, None];
                table.attestation = Attestation::sign(message, domain().field(), &keys);
            })
        }),
        ("rows", with(&|table| table.rows.truncate(3))),
        ("rows", with(&|table| table.rows[0].mark = price(1))),
        ("members", {
            with(&|table| {
                let mut keys = *table.oracle.keys();
                keys[4] = trader_key(account_index(4)).public();
                table.oracle = OracleSet::new(keys, 3).unwrap();
            })
        }),
        ("message", with(&|table| table.attestation.message.is_outside_band = true)),
    ]
}

#[test]
fn repeated_table_is_compared_whole() {
    let venue = Venue::create(Shape::SMALL);
    let first = table(1, at(0));
    let (_, sequence) = venue.open().take_table(first.clone(), at(0)).unwrap().unwrap();
    let refused_as_other = || {
        let before = venue.look().unwrap().status().sequence;
        for (part, other) in changed(&first) {
            let refusal = venue.open().take_table(other, at(1)).unwrap().unwrap_err();
            assert_eq!((&*refusal.rule, &*refusal.value), ("OracleEpoch", "1"), "{part}");
            let expect = format!("entry {sequence}, which has other {part}");
            assert!(refusal.what.contains(&expect), "{part}: {}", refusal.what);
        }
        // An equal one gets its first place again, after a restart and with rows in another order.
        let mut again = first.clone();
        again.rows.reverse();
        for table in [first.clone(), again] {
            assert_eq!(venue.open().take_table(table, at(900)).unwrap(), Ok((None, sequence)));
        }
        assert_eq!(venue.look().unwrap().status().sequence, before);
    };
    refused_as_other();
    venue.open().announce_parameters(5u64.into(), at(0)).unwrap();
    refused_as_other();
    let (_, newer) = venue.open().take_table(table(3, at(2)), at(2)).unwrap().unwrap();
    assert!(newer > sequence);
    refused_as_other();
    let between = venue.open().take_table(table(2, at(3)), at(3)).unwrap().unwrap_err();
    assert_eq!((&*between.rule, &*between.what), ("OracleEpoch", "epoch"));
}

#[test]
fn program_refuses_a_known_epoch_without_signatures() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut other = table(1, zkmargin_protocol::value::units::Time::new(NOW_S - 20).unwrap());
    let file = venue.folder.path().join("table.json");
    let text = |table: &SignedRiskTable| serde_json::to_string(table).unwrap();
    let now = NOW_S.to_string();
    let oracle = || {
        let path = file.to_str().expect("ASCII");
        sequencer(&venue.store(), &["oracle", path, "--time", &now])
    };
    std::fs::write(&file, text(&other)).unwrap();
    // Entry 0 is the genesis.
    assert_eq!(oracle().good()[0]["sequence"], 1);
    other.parameters.initial_factor_ppm = 1;
    other.attestation.signatures = Default::default();
    other.rows.truncate(3);
    std::fs::write(&file, text(&other)).unwrap();
    let run = oracle();
    assert_eq!((run.code, &run.answers[0]["accepted"]), (Some(1), &false.into()));
    assert_eq!(run.answers[0]["rule"], "OracleEpoch");
}

#[test]
fn event_on_l1_counts_once_however_it_is_spelled() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let hash = "0abababababababababababababababababababababababababababababababa";
    let spelled = [
        format!("0x{hash}:3"),
        format!("0x{}:3", hash.to_uppercase()),
        format!("0X{hash}:3"),
        format!("0x{hash}:03"),
        format!("0x{hash}:0x3"),
        format!("{hash}:3"),
        format!("0x{}:3", hash.trim_start_matches('0')),
    ];
    let lines: Vec<String> =
        spelled.iter().map(|reference| deposit_line(reference, deposit(9, 28_000))).collect();
    let now = (NOW_S + 1).to_string();
    let receipts = accepted(&take(&venue, &["chain", "--time", &now], &lines).good());
    assert_eq!(receipts.len(), lines.len());
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0]), "{receipts:?}");
    assert_eq!(balance(&venue.open(), 9), 28_000_000_000);
    // A request forced by the same event is something else under a used reference.
    let forced = ForcedRequest { account: account_index(2), action: ForcedAction::CancelAll };
    let notice = ForcedNotice { reference: spelled[1].clone(), forced };
    let forced = serde_json::to_string(&notice).unwrap();
    let run = take(&venue, &["chain", "--time", &now], &[forced]);
    assert_eq!(run.answers[0]["rule"], "ChainReference", "{run:?}");
    // The next log of the transaction is another event.
    let next = deposit_line(&format!("0x{hash}:4"), deposit(9, 28_000));
    take(&venue, &["chain", "--time", &now], &[next]).good();
    assert_eq!(balance(&venue.open(), 9), 56_000_000_000);
}

#[test]
fn rejects_references_that_name_no_event_for_certain() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let hash = "ab".repeat(32);
    let unclear = [format!("0x{hash}"), hash, "0xzz:1".to_owned(), "Mine-1".to_owned()];
    let now = (NOW_S + 1).to_string();
    for reference in unclear {
        let text = deposit_line(&reference, deposit(9, 1));
        let run = take(&venue, &["chain", "--time", &now], &[text]);
        assert_eq!(run.answers[0]["rule"], "Malformed", "{run:?}");
        assert!(run.answers[0]["what"].as_str().unwrap().starts_with("reference"), "{run:?}");
        assert_eq!(run.answers[0]["value"], *reference);
    }
}
