//! What the sequencer accepts, remembers and produces.

mod support;

use std::fs;

use serde_json::Value;
use support::*;

use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::value::units::Time;
use zkmargin_sequencer::Source;
use zkmargin_verifier::StatementFile;

#[test]
fn accepts_operations_and_keeps_them_over_restarts() {
    let venue = Venue::open_for_trade(Shape::SMALL, 3);
    let mut lines = trade_lines(6, 3);
    lines.push(line(&sign_request(request(2, paid_out(1_500_000), 10))));
    lines.push(line(&sign_request(request(3, transfer(4, 7), 10))));
    let answers = submit(&mut venue.open(), Source::Public, &lines, at(1));
    let receipts = accepted(&answers);
    assert_eq!(receipts.len(), lines.len(), "{answers:?}");
    // Entries 0 to 4 are genesis, table and three deposits.
    for (place, receipt) in receipts.iter().enumerate() {
        assert_eq!(receipt["sequence"], 5 + place);
        assert_eq!(receipt["batch"], 0);
    }
    let sealed = venue.open().seal().unwrap().expect("pending operations");
    assert_eq!((sealed.sealed, sealed.operations), (0, 11));
    assert_eq!(venue.open().seal().unwrap(), None);

    let sequencer = venue.open();
    assert_eq!(sequencer.state().root(), sealed.root);
    assert_eq!(sequencer.status().pending, 0);
    let replayed = sequencer.replay().unwrap();
    assert_eq!((replayed.batches, replayed.operations, replayed.root), (1, 11, sealed.root));
    // 3,000,000 USDC came in, 1.5 went out.
    let total: i64 = (0..5).map(|index| balance(&sequencer, index)).sum();
    assert_eq!(total, 3_000_000_000_000 - 1_500_000);
    // 6 trades of 0.1 contract with fees of 0.015 USDC a contract.
    assert_eq!(balance(&sequencer, 1), 6 * 100 * 15);
}

#[test]
fn artefact_and_statement_tell_the_same_batch() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    submit(&mut sequencer, Source::Public, &trade_lines(3, 2), at(1));
    let sealed = sequencer.seal().unwrap().expect("pending operations");
    let info = sequencer.batches().unwrap().remove(0);
    let artefact = fs::read_to_string(&info.artefact).unwrap();
    let trace: BatchTrace = serde_json::from_str(&artefact).unwrap();
    assert_eq!((trace.number, trace.new_root, trace.trades.len()), (0, sealed.root, 3));
    let StatementFile(read) =
        StatementFile::from_bytes(&fs::read(&info.statement).unwrap()).unwrap();
    assert_eq!(read.words, trace.words());
    assert_eq!(read.commitment, statement::commitment(&trace.words()));
    assert_eq!(read.domain, domain());
    read.public_inputs().expect("version and domain words fit");
    // Files that are lost come back as they were.
    fs::remove_file(&info.artefact).unwrap();
    drop(sequencer);
    drop(venue.open());
    assert_eq!(fs::read_to_string(&info.artefact).unwrap(), artefact);
}

/// A trade between traders 2 and 3, changed, that must be refused by `rule`.
#[test]
fn full_batch_is_closed_and_the_operation_goes_to_the_next() {
    let venue = Venue::open_for_trade(Shape::TINY, 1);
    let mut sequencer = venue.open();
    // One deposit a batch: each closes the one before.
    let lines: Vec<String> = (3..6)
        .map(|index| deposit_line(&format!("next-{index}"), deposit(index, 1_000_000)))
        .collect();
    let answers = submit(&mut sequencer, Source::Chain, &lines, at(1));
    let sealed: Vec<&Value> = answers.iter().filter_map(|answer| answer.get("sealed")).collect();
    assert_eq!(sealed, [0, 1, 2]);
    let batches: Vec<Value> = accepted(&answers).iter().map(|a| a["batch"].clone()).collect();
    assert_eq!(batches, [1, 2, 3]);
    assert_eq!(sequencer.status().pending, 1);
    // Three instruments are more than a tiny batch has rows, however empty it is.
    let rows = instruments();
    for (row, k) in rows.iter().zip(0..2) {
        let trade = line(&Draft::new(row, [2, 3], [k, k]).sign());
        let answers = submit(&mut sequencer, Source::Public, &[trade], at(1));
        assert_eq!(accepted(&answers).len(), 1, "{answers:?}");
    }
    let third = line(&Draft::new(&rows[2], [2, 3], [2, 2]).sign());
    let answers = submit(&mut sequencer, Source::Public, &[third], at(1));
    assert_eq!(answers.last().unwrap()["rule"], "Shape", "{answers:?}");
    assert_eq!(sequencer.replay().unwrap().batches, sequencer.status().batches);
}

#[test]
fn batch_closes_with_age() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let lines = trade_lines(2, 2);
    let first = submit(&mut sequencer, Source::Public, &lines[..1], at(60));
    assert_eq!(first.len(), 1, "the deposits are 60 seconds old");
    let second = submit(&mut sequencer, Source::Public, &lines[1..], at(61));
    assert_eq!(second[0]["sealed"], 0);
    assert_eq!((&second[1]["batch"], &second[1]["time"]), (&1.into(), &at(61).to_string().into()));
}

#[test]
fn clock_that_steps_back_does_not_move_the_log() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let lines = trade_lines(2, 2);
    let mut sequencer = venue.open();
    submit(&mut sequencer, Source::Public, &lines[..1], at(30));
    for early in [Time::MIN, at(0), at(29)] {
        let again = answer_to(&mut sequencer, Source::Public, lines[1].clone(), early);
        assert_eq!(again["time"], at(30).to_string());
    }
    // Far ahead of the oracle nothing is taken, so that a wrong clock leaves no trace.
    let late = line(&Draft::new(&instruments()[0], [2, 3], [5, 5]).sign());
    let answers = submit(&mut sequencer, Source::Public, &[late], Time::MAX);
    assert_eq!(answers.last().unwrap()["rule"], "OracleAge");
    assert_eq!(answers.len(), 1, "the batch is not closed either");
    assert_eq!(sequencer.status().time, at(30));
}

#[test]
fn repeated_submissions_get_their_first_receipt() {
    let venue = Venue::open_for_trade(Shape::SMALL, 3);
    let lines = trade_lines(6, 3);
    let first = accepted(&submit(&mut venue.open(), Source::Public, &lines, at(1)));
    // Other order of keys and white space: the same submission.
    let spread: Vec<String> = lines
        .iter()
        .map(|text| {
            let value: Value = serde_json::from_str(text).unwrap();
            value.to_string().replace(',', " ,\t").replace(':', " : ")
        })
        .collect();
    assert_ne!(spread, lines);
    let twice = [spread.clone(), spread].concat();
    let again = accepted(&submit(&mut venue.open(), Source::Public, &twice, at(50)));
    assert_eq!(again, [first.clone(), first.clone()].concat());
    venue.open().seal().unwrap();
    let after = accepted(&submit(&mut venue.open(), Source::Public, &lines, at(500)));
    assert_eq!(after, first);
    assert_eq!(venue.open().status().pending, 0);
}
