//! A wrong clock costs the run it was wrong in, and nothing after it.

use serde_json::Value;

use super::program::{sequencer, take};
use crate::support::*;

use zkmargin_fixtures::build::{NOW_S, account_index, parameters};
use zkmargin_fixtures::data::market::{SNAPSHOT_TIME_S, chain, risk_rows, signed_risk_table};
use zkmargin_fixtures::data::trades::{batch_time, demo_accounts, demo_operations, manifest};
use zkmargin_fixtures::keys::signed_table;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::Snapshot;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::deposit::Deposit;
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::value::units::{Tier, Time};
use zkmargin_sequencer::{Genesis, Sequencer};
use zkmargin_verifier::statement::PROTOCOL_VERSION;

/// The first second of 2100, and one of 1973.
const WRONG_CLOCKS: [&str; 2] = ["4102444800", "100000000"];

/// A store of the recorded flow, with its table, and the first batch of that flow: what comes from
/// L1, what is signed.
fn recorded() -> (Venue, Vec<Deposit>, Vec<Operation>) {
    let venue = Venue { folder: tempfile::tempdir().unwrap() };
    let manifest = manifest().unwrap();
    let rows = risk_rows(&chain().unwrap()).unwrap();
    let time = Time::new(SNAPSHOT_TIME_S).unwrap();
    let table = signed_risk_table(&rows, manifest.domain, time).unwrap();
    let specs = table.rows.iter().map(|row| (row.instrument, row.spec)).collect();
    let accounts = demo_accounts().unwrap();
    let genesis = Genesis {
        chain_id: manifest.chain_id,
        contract: manifest.contract,
        version: PROTOCOL_VERSION,
        shape: manifest.shape,
        signer_set: None,
        parameters: None,
        snapshot: Snapshot::opening(manifest.domain, accounts, specs).unwrap(),
    };
    Sequencer::create(&venue.store(), genesis).unwrap();
    let now = batch_time(0).unwrap();
    venue.open().take_table(table, now).unwrap().unwrap();
    let (mut deposits, mut signed) = (vec![], vec![]);
    for operation in demo_operations().unwrap().remove(0) {
        match operation {
            Operation::Deposit(deposit) => deposits.push(deposit),
            operation => signed.push(operation),
        }
    }
    (venue, deposits, signed)
}

#[test]
fn announcement_under_a_wrong_clock_does_not_stop_the_venue() {
    let (venue, deposits, signed) = recorded();
    let before = venue.look().unwrap().status();
    for wrong in WRONG_CLOCKS {
        let announced = sequencer(&venue.store(), &["parameters", "123", "--time", wrong]).good();
        assert_eq!(announced[0]["accepted"], true);
    }
    let after = venue.look().unwrap().status();
    assert_eq!((after.time, after.sequence), (before.time, before.sequence + 2));
    let now = batch_time(0).unwrap().to_string();
    let deposits: Vec<String> = deposits
        .into_iter()
        .enumerate()
        .map(|(k, deposit)| deposit_line(&format!("0xaa{k}:0"), deposit))
        .collect();
    let signed: Vec<String> = signed.iter().map(line).collect();
    let mut answers = take(&venue, &["chain", "--time", &now], &deposits).good();
    answers.extend(take(&venue, &["submit", "--time", &now], &signed).good());
    assert_eq!(accepted(&answers).len(), deposits.len() + signed.len(), "{answers:?}");
    assert!(signed.len() > 40);
    sequencer(&venue.store(), &["seal"]).good();
    sequencer(&venue.store(), &["status", "--verify"]).good();
}

/// The one refusal that a wrong clock gets; it names both times and what helps.
fn assert_names_times(answer: &Value, clock: &str, table_s: u64) {
    assert_eq!((&answer["rule"], &answer["accepted"]), (&"OracleAge".into(), &false.into()));
    assert_eq!(answer["value"], table_s.to_string());
    let what = answer["what"].as_str().expect("a text");
    assert!(what.contains(&format!("at clock {clock} ")), "{what}");
    assert!(what.contains("set the clock right"), "{what}");
}

#[test]
fn operations_under_a_clock_that_is_years_ahead_leave_no_trace() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let before = venue.look().unwrap().status();
    let tier = GrantTier { account: account_index(2), tier: Tier::new(1).unwrap() };
    let lines = [
        ("chain", deposit_line("9", deposit(9, 1))),
        ("grant", serde_json::to_string(&tier).unwrap()),
        ("submit", trade_lines(1, 2).remove(0)),
    ];
    let ahead = WRONG_CLOCKS[0];
    // However long a batch may stay open: its table bounds it.
    for age_max in ["60", "4000000000"] {
        for (command, text) in &lines {
            let arguments = [command, "--batch-age-max", age_max, "--time", ahead];
            let run = take(&venue, &arguments, std::slice::from_ref(text));
            assert_names_times(&run.answers[0], ahead, NOW_S - 20);
            assert_eq!(run.answers.len(), 1, "{run:?}");
        }
    }
    // What opened the store has counted itself.
    let mut after = venue.look().unwrap().status();
    after.epoch = before.epoch;
    assert_eq!(after, before);
    let now = (NOW_S + 1).to_string();
    for (command, text) in &lines {
        let answers = take(&venue, &[command, "--time", &now], std::slice::from_ref(text)).good();
        assert_eq!(answers[0]["accepted"], true, "{answers:?}");
    }
}

#[test]
fn operations_under_a_clock_that_is_years_behind_get_the_time_of_the_log() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let behind = WRONG_CLOCKS[1];
    let answers = take(&venue, &["submit", "--time", behind], &trade_lines(1, 2)).good();
    assert_eq!(answers[0]["time"], at(0).to_string());
}

#[test]
fn table_under_a_wrong_clock_is_refused_with_both_times() {
    let venue = Venue::create(Shape::SMALL);
    let file = venue.folder.path().join("table.json");
    std::fs::write(&file, serde_json::to_string(&table(1, at(0))).unwrap()).unwrap();
    let file = file.to_str().expect("ASCII");
    for clock in WRONG_CLOCKS {
        let run = sequencer(&venue.store(), &["oracle", file, "--time", clock]);
        assert_eq!(run.code, Some(1));
        assert_names_times(&run.answers[0], clock, NOW_S);
    }
    let now = NOW_S.to_string();
    sequencer(&venue.store(), &["oracle", file, "--time", &now]).good();
    assert_eq!(venue.look().unwrap().status().time, at(0));
}

#[test]
fn table_of_a_wrong_time_is_refused_with_both_times() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let rows = zkmargin_fixtures::build::risk_rows(INSTRUMENTS, 9);
    let years_ahead = Time::new(NOW_S + 1_000_000_000).unwrap();
    let domain = domain().field();
    let ahead = signed_table(&rows, parameters(), 2, years_ahead, domain).unwrap();
    let refusal = venue.open().take_table(ahead, at(7)).unwrap().unwrap_err();
    assert_eq!((&*refusal.rule, refusal.value), ("OracleAge", years_ahead.to_string()));
    assert!(refusal.what.contains(&format!("at clock {} ", at(7))), "{}", refusal.what);
    assert_eq!(venue.look().unwrap().status().oracle_epoch, Some(1));
}
