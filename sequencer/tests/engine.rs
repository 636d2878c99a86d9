//! What the sequencer accepts, refuses, remembers and produces.

mod support;

use std::fs;

use serde_json::Value;
use support::*;

use zkmargin_fixtures::build::{NOW_S, account_index};
use zkmargin_fixtures::forge::damage::{cut_short, damages};
use zkmargin_fixtures::keys::{trader_key, view_key};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::deposit::Deposit;
use zkmargin_protocol::operation::forced::reduction::Reduction;
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedRequest};
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::operation::recipient::Recipient;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{ForcedQuantity, InstrumentIndex, Price, Tier, Time};
use zkmargin_sequencer::{Error, ForcedNotice, Genesis, Sequencer, Source};
use zkmargin_verifier::StatementFile;

fn paid_out(micro_usdc: i64) -> Action {
    Action::Withdrawal { to: Recipient([7; 20]), amount: cash(micro_usdc), least: None }
}

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
struct Bad(Rule, fn(&mut Draft));

#[test]
fn rejects_trades_by_rule() {
    let venue = Venue::open_for_trade(Shape::SMALL, 3);
    let mut sequencer = venue.open();
    let row = &instruments()[0];
    let used = line(&Draft::new(row, [2, 3], [0, 0]).sign());
    assert_eq!(answer_to(&mut sequencer, Source::Public, used, at(1))["accepted"], true);
    let cases = [
        Bad(Rule::AccountExists, |d| d.buy.account = account_index(99)),
        Bad(Rule::OrderSides, |d| d.sell.side = Side::Buy),
        Bad(Rule::OrderSides, |d| d.sell.account = d.buy.account),
        Bad(Rule::OrderSides, |d| d.sell.instrument = instruments()[1].instrument),
        Bad(Rule::OrderExpiry, |d| d.sell.expiry = at(1)),
        Bad(Rule::LimitPrice, |d| d.trade_price = price(d.buy.limit.get() + 1)),
        Bad(Rule::LimitPrice, |d| d.trade_price = price(d.sell.limit.get() - 1)),
        Bad(Rule::FillQuantity, |d| d.quantity = quantity(1_001)),
        Bad(Rule::FillQuantity, |d| d.quantity = quantity(-5)),
        Bad(Rule::FeeLimit, |d| d.fees[1] = price(11)),
        Bad(Rule::FeeSchedule, |d| (d.buy.fee_limit, d.fees[0]) = (Price::MAX, Price::MAX)),
        Bad(Rule::Nonce, |d| d.buy.nonce = nonce(0)),
        Bad(Rule::Nonce, |d| d.sell.nonce = nonce(64)),
        Bad(Rule::InstrumentSpec, |d| {
            let kind = &mut d.buy.spec.kind;
            *kind = if *kind == OptionKind::Call { OptionKind::Put } else { OptionKind::Call };
        }),
        Bad(Rule::InstrumentLive, |d| {
            let unlisted = InstrumentIndex::of(d.buy.spec.underlying, 999).unwrap();
            (d.buy.instrument, d.sell.instrument) = (unlisted, unlisted);
        }),
        Bad(Rule::Book, |d| {
            let table = table(1, at(0));
            let other = table.rows.iter().find(|row| row.spec.underlying.get() == 2).unwrap();
            for order in [&mut d.buy, &mut d.sell] {
                (order.instrument, order.spec) = (other.instrument, other.spec);
            }
        }),
        Bad(Rule::InitialMargin, |d| {
            d.quantity = quantity(100_000_000);
            [d.buy.quantity_max, d.sell.quantity_max] =
                [d.quantity; 2].map(|q| q.try_into().unwrap());
        }),
        Bad(Rule::MarginSpread, |d| {
            d.quantity = quantity(100_000_000_000);
            [d.buy.quantity_max, d.sell.quantity_max] =
                [d.quantity; 2].map(|q| q.try_into().unwrap());
            (d.trade_price, d.sell.limit, d.fees) = (price(1), price(1), [price(0); 2]);
        }),
    ];
    let before = sequencer.status();
    for (place, Bad(rule, change)) in cases.into_iter().enumerate() {
        let mut draft = Draft::new(row, [2, 3], [1, 1]);
        change(&mut draft);
        let answer = answer_to(&mut sequencer, Source::Public, line(&draft.sign()), at(2));
        assert_eq!(answer["accepted"], false, "case {place}");
        assert_eq!(answer["rule"], rule.name(), "case {place}: {answer}");
        assert!(answer["account"].is_u64(), "case {place}: {answer}");
    }
    assert_eq!(sequencer.status(), before);
    // The same nonces still serve an honest trade.
    let good = line(&Draft::new(row, [2, 3], [1, 1]).sign());
    assert_eq!(answer_to(&mut sequencer, Source::Public, good, at(2))["accepted"], true);
}

#[test]
fn rejects_signatures_of_others_and_for_other_domains() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let Operation::Trade(trade) = Draft::new(&instruments()[0], [2, 3], [0, 0]).sign() else {
        panic!("a trade")
    };
    let order = trade.buy.order.clone();
    let foreign = zkmargin_verifier::Domain::new(1, [0x11; 20]).field();
    for (key, domain) in [(account_index(3), domain().field()), (account_index(2), foreign)] {
        let mut forged = trade.clone();
        forged.buy = order.clone().sign(&trader_key(key), domain);
        let forged = line(&Operation::Trade(forged));
        let answer = answer_to(&mut sequencer, Source::Public, forged, at(1));
        assert_eq!(answer["rule"], "Signature", "{answer}");
    }
    let mut value = serde_json::to_value(Operation::Trade(trade)).unwrap();
    // The order of the subgroup: S + l would be a second signature, here for S = 0.
    let order = "2736030358979909402780800718157159386076813972158567259200215660948447373041";
    value["trade"]["buy"]["signature"]["s"] = order.into();
    let answer = answer_to(&mut sequencer, Source::Public, value.to_string(), at(1));
    assert_eq!(answer["accepted"], false, "{answer}");
}

#[test]
fn rejects_moves_and_deposits_by_rule() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let mut late = request(2, paid_out(5), 1);
    late.expiry = at(0);
    let other = request(3, paid_out(5), 1);
    let signed_by_other = other.clone().sign(&trader_key(account_index(2)), domain().field());
    let requests = [
        (Rule::Range, sign_request(request(2, paid_out(0), 1))),
        (Rule::Range, sign_request(request(2, paid_out(-1), 1))),
        (Rule::OrderExpiry, sign_request(late)),
        (Rule::Nonce, sign_request(request(2, paid_out(5), 64))),
        (Rule::InitialMargin, sign_request(request(2, paid_out(1_000_000_000_001), 1))),
        (Rule::AccountExists, sign_request(request(2, transfer(9, 5), 1))),
        (Rule::AccountExists, sign_request(request(9, paid_out(5), 1))),
        (Rule::Signature, Operation::Request(signed_by_other)),
    ];
    for (rule, operation) in requests {
        let answer = answer_to(&mut sequencer, Source::Public, line(&operation), at(1));
        assert_eq!(answer["rule"], rule.name(), "{answer}");
    }
    let mut nothing = deposit(2, 0);
    let mut off_curve: Value = serde_json::from_str(&deposit_line("c", deposit(5, 1))).unwrap();
    off_curve["deposit"]["key"][0] = "1".into();
    let too_much =
        deposit_line("d", deposit(5, 1)).replace("\"1000000\"", "\"9223372036854775808\"");
    nothing.view_key = deposit(3, 1).view_key;
    let deposits = [
        (Rule::Range, deposit_line("b", nothing)),
        (Rule::KeyValid, off_curve.to_string()),
        (Rule::Range, too_much),
    ];
    for (rule, notice) in deposits {
        let answer = answer_to(&mut sequencer, Source::Chain, notice, at(1));
        assert_eq!(answer["rule"], rule.name(), "{answer}");
    }
}

#[test]
fn accepts_tiers_of_the_venue_alone_which_hold_from_the_next_batch_on() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let grant = |account: u32, tier: u8| {
        let (account, tier) = (account_index(account), Tier::new(tier).unwrap());
        GrantTier { account, tier }
    };
    let text = |grant| serde_json::to_string(&grant).unwrap();
    let public = line(&Operation::GrantTier(grant(2, 1)));
    let answer = answer_to(&mut sequencer, Source::Public, public.clone(), at(1));
    assert_eq!(answer["accepted"], false, "{answer}");
    let answer = answer_to(&mut sequencer, Source::Venue, public, at(1));
    assert_eq!(answer["accepted"], false, "{answer}");
    let first = answer_to(&mut sequencer, Source::Venue, text(grant(2, 2)), at(1));
    assert_eq!(first["accepted"], true, "{first}");
    let again = answer_to(&mut sequencer, Source::Venue, text(grant(2, 2)), at(1));
    assert_eq!(first["sequence"], again["sequence"], "one grant");
    for (rule, refused) in [
        (Rule::FeeSchedule, grant(2, 1)),
        (Rule::FeeSchedule, grant(3, 0)),
        (Rule::AccountExists, grant(9, 1)),
    ] {
        let answer = answer_to(&mut sequencer, Source::Venue, text(refused), at(1));
        assert_eq!(answer["rule"], rule.name(), "{answer}");
    }
    sequencer.seal().unwrap();
    assert_eq!(sequencer.replay().unwrap().batches, 1);
    drop(sequencer);
    let account = venue.open().account(account_index(2)).unwrap().unwrap();
    assert_eq!(account.tier, Tier::new(2).unwrap());
}

#[test]
fn accepts_rekeys_and_cancel_alls_which_hold_from_the_next_batch_on() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let other = account_index(9);
    let rekey = Action::Rekey { key: trader_key(other).public(), view_key: view_key(other) };
    let cancel = Action::CancelAll { base: nonce(64) };
    let paid = |account: u32, number: u64| request(account, paid_out(1_000_000), number);
    let by_other = |number: u64| {
        let signed = paid(2, number).sign(&trader_key(other), domain().field());
        line(&Operation::Request(signed))
    };
    let by_own = |account: u32, number: u64| line(&sign_request(paid(account, number)));
    let mut answered = |text: &str, rule: Option<Rule>| {
        let answer = answer_to(&mut sequencer, Source::Public, text.to_owned(), at(1));
        assert_eq!(answer["accepted"], rule.is_none(), "{answer}");
        if let Some(rule) = rule {
            assert_eq!(answer["rule"], rule.name(), "{answer}");
        }
    };
    answered(&line(&sign_request(request(2, rekey.clone(), 0))), None);
    answered(&line(&sign_request(request(2, rekey, 1))), Some(Rule::AccountRequests));
    answered(&line(&sign_request(request(3, cancel, 0))), None);
    answered(&by_own(2, 2), None);
    answered(&by_other(3), Some(Rule::Signature));
    answered(&by_own(3, 1), Some(Rule::Nonce));
    drop(sequencer);
    let mut sequencer = venue.open();
    sequencer.seal().unwrap();
    let mut answered = |text: &str, is_accepted: bool| {
        let answer = answer_to(&mut sequencer, Source::Public, text.to_owned(), at(2));
        assert_eq!(answer["accepted"], is_accepted, "{answer}");
    };
    answered(&by_own(2, 4), false);
    answered(&by_other(5), true);
    answered(&by_own(3, 2), false);
    answered(&by_own(3, 64), true);
    assert_eq!(sequencer.replay().unwrap().batches, 1);
    // The store itself holds the new key.
    drop(sequencer);
    let account = venue.open().account(account_index(2)).unwrap().unwrap();
    let key = serde_json::to_value(trader_key(other).public()).unwrap();
    assert_eq!(serde_json::to_value(account).unwrap()["key"], key);
}

#[test]
fn rejects_a_33rd_position() {
    let venue = Venue::open_for_trade(Shape::LARGE, 2);
    let mut sequencer = venue.open();
    let rows = instruments();
    let lines: Vec<String> =
        (0..33).map(|k| line(&Draft::new(&rows[k as usize], [2, 3], [k, k]).sign())).collect();
    let answers = submit(&mut sequencer, Source::Public, &lines, at(1));
    assert_eq!(accepted(&answers).len(), 32);
    assert_eq!(answers[32]["rule"], "PositionSlots");
}

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

#[test]
fn deposit_is_credited_once_a_reference() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let notice = deposit_line("0xabc:1", deposit(2, 5));
    let first = answer_to(&mut sequencer, Source::Chain, notice.clone(), at(1));
    let again = answer_to(&mut sequencer, Source::Chain, notice, at(2));
    assert_eq!(first, again);
    let other =
        answer_to(&mut sequencer, Source::Chain, deposit_line("0xabc:1", deposit(2, 6)), at(2));
    assert_eq!(other["rule"], "ChainReference", "{other}");
    // The same amount under another reference is another deposit.
    answer_to(&mut sequencer, Source::Chain, deposit_line("0xabc:2", deposit(2, 5)), at(2));
    assert_eq!(balance(&sequencer, 2), 1_000_010_000_000);
}

#[test]
fn deposit_that_its_account_cannot_take_goes_back_in_a_batch_after_the_account_was_there() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let strange = |index: u32| {
        let key = trader_key(account_index(77)).public();
        deposit_line(&format!("strange:{index}"), Deposit { key, ..deposit(index, 5) })
    };
    // Account 2 is opened in the batch under way, so what it cannot take waits for the next one.
    let answers = submit(&mut sequencer, Source::Chain, &[strange(2)], at(1));
    let [sealed, first] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(sealed["sealed"], 0);
    assert_eq!(first["is_returned"], true, "{first}");
    assert_eq!(answer_to(&mut sequencer, Source::Chain, strange(2), at(2)), *first);
    assert_eq!(balance(&sequencer, 2), 1_000_000_000_000);
    let opened = answer_to(&mut sequencer, Source::Chain, deposit_line("9", deposit(9, 1)), at(2));
    let answers = submit(&mut sequencer, Source::Chain, &[strange(9)], at(2));
    let [sealed, returned] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(sealed["sealed"], opened["batch"]);
    assert_eq!(returned["is_returned"], true, "{returned}");
    assert_eq!(balance(&sequencer, 9), 1_000_000);
    drop(sequencer);
    assert_eq!(venue.open().status().pending, 1);
}

/// A line of L1 that says what an account's owner has forced.
fn forced_line(reference: &str, account: u32, action: ForcedAction) -> String {
    let forced = ForcedRequest { account: account_index(account), action };
    let notice = ForcedNotice { reference: reference.to_owned(), forced };
    serde_json::to_string(&notice).expect("a notice")
}

#[test]
fn forced_request_closes_a_batch_in_which_its_account_has_signed() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let withdrawn = forced_line("f:1", 2, ForcedAction::Withdrawal { amount: cash(7_000_000) });
    let signed = line(&sign_request(request(2, paid_out(1_000_000), 0)));
    let paid = answer_to(&mut sequencer, Source::Public, signed, at(1));
    let answers = submit(&mut sequencer, Source::Chain, std::slice::from_ref(&withdrawn), at(1));
    let [sealed, first] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(sealed["sealed"], paid["batch"]);
    assert_eq!(first["accepted"], true, "{first}");
    assert_eq!(answer_to(&mut sequencer, Source::Chain, withdrawn, at(2)), *first);
    assert_eq!(balance(&sequencer, 2), 1_000_000_000_000 - 8_000_000);
    // What the account signs waits for the batch after, and a reference says one thing.
    let signed = line(&sign_request(request(2, paid_out(1_000_000), 1)));
    let answers = submit(&mut sequencer, Source::Public, &[signed], at(2));
    assert_eq!(answers.len(), 2, "{answers:?}");
    let other = forced_line("f:1", 3, ForcedAction::CancelAll);
    let other = answer_to(&mut sequencer, Source::Chain, other, at(2));
    assert_eq!(other["rule"], "ChainReference", "{other}");
    let unknown = forced_line("f:2", 99, ForcedAction::CancelAll);
    let unknown = submit(&mut sequencer, Source::Chain, &[unknown], at(2));
    let unknown = unknown.last().expect("an answer");
    assert_eq!(unknown["rule"], "AccountExists", "{unknown}");
    let public = ForcedRequest { account: account_index(3), action: ForcedAction::CancelAll };
    let public = line(&Operation::Forced(public));
    let public = answer_to(&mut sequencer, Source::Public, public, at(2));
    assert_eq!(public["rule"], "Malformed", "{public}");
    drop(sequencer);
    venue.open().replay().expect("the log replays");
}

#[test]
fn cash_that_makes_a_refused_reduction_possible_closes_the_batch() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    answer_to(&mut sequencer, Source::Chain, deposit_line("9", deposit(9, 1)), at(1));
    submit(&mut sequencer, Source::Public, &trade_lines(1, 2), at(1));
    let instrument = instruments()[0].instrument;
    let forty = ForcedQuantity::new(40).expect("22 bits");
    let reduced = |reference| {
        let terms = Reduction { instrument, quantity: forty, counterparty: account_index(9) };
        forced_line(reference, 2, ForcedAction::Reduction(terms))
    };
    let held = |sequencer: &Sequencer| {
        [2, 9].map(|index| {
            let info = sequencer.account(account_index(index)).expect("a sound store");
            info.expect("an account").positions.quantity(instrument).get()
        })
    };
    // The trade that account 2 has signed closes the batch; one USDC of account 9 does not bear the
    // contracts.
    let answers = submit(&mut sequencer, Source::Chain, &[reduced("f:1")], at(2));
    assert_eq!(accepted(&answers).len(), 1, "{answers:?}");
    assert_eq!(held(&sequencer), [100, 0]);
    let more = deposit_line("9:2", deposit(9, 1_000_000));
    let answers = submit(&mut sequencer, Source::Chain, &[more], at(2));
    let [sealed, credited] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!((&sealed["operations"], &credited["accepted"]), (&1.into(), &true.into()));
    // Forced again it is honoured.
    answer_to(&mut sequencer, Source::Chain, reduced("f:2"), at(3));
    assert_eq!(held(&sequencer), [60, 40]);
    drop(sequencer);
    venue.open().replay().expect("the log replays");
}

#[test]
fn refused_submission_may_be_tried_again() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let transfer = line(&sign_request(request(2, transfer(9, 5), 0)));
    let refused = answer_to(&mut sequencer, Source::Public, transfer.clone(), at(1));
    assert_eq!(refused["rule"], "AccountExists");
    answer_to(&mut sequencer, Source::Chain, deposit_line("9", deposit(9, 1)), at(1));
    let accepted = answer_to(&mut sequencer, Source::Public, transfer, at(1));
    assert_eq!((&accepted["accepted"], &accepted["id"]), (&true.into(), &refused["id"]));
}

#[test]
fn rejects_what_is_no_submission() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let good = trade_lines(1, 2).remove(0);
    let notice = deposit_line("x", deposit(2, 1));
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let public = [
        "null".to_owned(),
        "{}".to_owned(),
        "[".repeat(60_000),
        "{\"trade\":".repeat(7_000),
        good[..good.len() - 1].to_owned(),
        format!("{good}{good}"),
        notice.clone(),
        serde_json::to_string(&Operation::Deposit(deposit(2, 1))).unwrap(),
        with("\"price\"", "\"extra\":1,\"price\""),
        with("\"strike\"", "\"extra\":1,\"strike\""),
        with("\"strike\"", "\"kind\":\"call\",\"strike\""),
        with("\"quantity\":\"100\"", "\"quantity\":100"),
        with("\"quantity\":\"100\"", "\"quantity\":\"0100\""),
        with("\"quantity\":\"100\"", "\"quantity\":\"1e2\""),
        with("\"quantity\":\"100\"", "\"quantity\":\"549755813888\""),
        with("\"side\":\"buy\"", "\"side\":\"hold\""),
    ];
    let chain = [
        good.clone(),
        deposit_line("", deposit(2, 1)),
        deposit_line("a b", deposit(2, 1)),
        deposit_line(&"r".repeat(129), deposit(2, 1)),
        notice.replacen("\"underlying\"", "\"extra\":1,\"underlying\"", 1),
    ];
    let before = sequencer.status();
    for (source, lines) in [(Source::Public, &public[..]), (Source::Chain, &chain[..])] {
        let answers = submit(&mut sequencer, source, lines, at(1));
        assert_eq!(answers.len(), lines.len());
        for (answer, text) in answers.iter().zip(lines) {
            let start = &text[..text.len().min(80)];
            assert_eq!(answer["accepted"], false, "{start}");
            let rule = answer["rule"].as_str().unwrap();
            assert!(["Malformed", "Range"].contains(&rule), "{answer}: {start}");
            assert!(!text.contains("\"549755813888\"") || rule == "Range", "{answer}: {start}");
            assert!(answer["value"].as_str().unwrap().chars().count() <= 200);
        }
    }
    assert_eq!(sequencer.status(), before);
}

#[test]
fn oracle_tables_are_checked_and_close_the_batch() {
    let venue = Venue::create(Shape::SMALL);
    let mut sequencer = venue.open();
    let refused = |sequencer: &mut Sequencer, table, now| {
        sequencer.take_table(table, now).unwrap().unwrap_err().rule
    };
    let notice = deposit_line("1", deposit(2, 1_000));
    let answer = answer_to(&mut sequencer, Source::Chain, notice.clone(), at(0));
    assert_eq!(answer["rule"], "NoMarket");
    let mut altered = table(1, at(0));
    altered.rows[0].mark = price(1);
    assert_eq!(refused(&mut sequencer, altered, at(0)), "OracleQuorum");
    let mut few = table(1, at(0));
    few.attestation.signatures[0] = None;
    assert_eq!(refused(&mut sequencer, few, at(0)), "OracleQuorum");
    assert_eq!(refused(&mut sequencer, table(1, at(0)), at(601)), "OracleAge");
    assert_eq!(refused(&mut sequencer, table(1, at(6)), at(0)), "OracleAge");
    sequencer.take_table(table(5, at(0)), at(0)).unwrap().unwrap();
    let sequence = sequencer.status().sequence;
    let (sealed, again) = sequencer.take_table(table(5, at(0)), at(900)).unwrap().unwrap();
    assert_eq!((sealed, again, sequencer.status().sequence), (None, sequence, sequence));
    assert_eq!(refused(&mut sequencer, table(5, at(1)), at(1)), "OracleEpoch");
    assert_eq!(refused(&mut sequencer, table(4, at(1)), at(1)), "OracleEpoch");
    assert_eq!(
        refused(&mut sequencer, table(6, Time::new(NOW_S - 1).unwrap()), at(1)),
        "OracleEpoch"
    );
    let mut looser = table(6, at(1));
    looser.parameters.initial_factor_ppm = 1;
    assert_eq!(refused(&mut sequencer, looser, at(1)), "Parameters");
    let mut others = table(6, at(1));
    let mut keys = *others.oracle.keys();
    keys[4] = trader_key(account_index(4)).public();
    others.oracle = zkmargin_protocol::market::oracle::OracleSet::new(keys, 3).unwrap();
    assert_eq!(refused(&mut sequencer, others, at(1)), "SignerSet");
    answer_to(&mut sequencer, Source::Chain, notice, at(1));
    let (sealed, _) = sequencer.take_table(table(6, at(2)), at(2)).unwrap().unwrap();
    assert_eq!(sealed.expect("a pending deposit").sealed, 0);
    drop(sequencer);
    assert_eq!(venue.open().status().oracle_epoch, Some(6));
    assert_eq!(venue.open().replay().unwrap().batches, 1);
}

#[test]
fn parameters_change_once_they_are_announced() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let under = |initial_factor_ppm, epoch, age_s| {
        let mut table = table(epoch, at(age_s));
        table.parameters.initial_factor_ppm = initial_factor_ppm;
        table
    };
    let [old_ppm, new_ppm] = [table(1, at(0)).parameters.initial_factor_ppm, 1_300_000];
    let hash = |ppm| under(ppm, 1, 0).parameters.hash();
    let mut sequencer = venue.open();
    let taken = |sequencer: &mut Sequencer, ppm, epoch| {
        let table = under(ppm, epoch, epoch);
        sequencer.take_table(table, at(epoch)).unwrap().map(drop).map_err(|refusal| refusal.rule)
    };
    let refused = Err("Parameters".to_owned());
    assert_eq!(taken(&mut sequencer, new_ppm, 2), refused);
    // A later announcement takes the place of an earlier one.
    sequencer.announce_parameters(hash(new_ppm + 1), at(2)).unwrap();
    sequencer.announce_parameters(hash(new_ppm), at(2)).unwrap();
    assert_eq!(taken(&mut sequencer, new_ppm + 1, 3), refused);
    // Those in force go on until the first table of the others, which a new process takes as well.
    assert_eq!(taken(&mut sequencer, old_ppm, 4), Ok(()));
    drop(sequencer);
    let mut sequencer = venue.open();
    assert_eq!(taken(&mut sequencer, new_ppm, 5), Ok(()));
    drop(sequencer);
    let mut sequencer = venue.open();
    assert_eq!(taken(&mut sequencer, old_ppm, 6), refused);
    submit(&mut sequencer, Source::Public, &trade_lines(1, 2), at(7));
    sequencer.seal().unwrap().expect("a pending trade");
    assert_eq!(sequencer.state().parameters(), hash(new_ppm));
    assert_eq!(sequencer.replay().unwrap().batches, 2);
}

#[test]
fn damaged_genesis_is_refused_or_holds_a_state() {
    let value = serde_json::to_value(genesis(Shape::TINY)).unwrap();
    for text in cut_short(&value, 60) {
        serde_json::from_str::<Genesis>(&text).map(drop).unwrap_err();
    }
    let (mut refused, mut held) = (0, 0);
    for damage in damages(&value) {
        let Ok(genesis) = serde_json::from_str::<Genesis>(&damage.apply(&value)) else {
            refused += 1;
            continue;
        };
        match genesis.state() {
            Ok(state) => {
                held += 1;
                assert_eq!(genesis.shape.check(), Ok(()), "{}", damage.pattern());
                assert_eq!(state.domain(), genesis.domain().field(), "{}", damage.pattern());
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error, Error::Configuration(_)), "{}: {error}", damage.pattern());
            }
        }
    }
    assert!(refused > 300 && held > 20, "{refused} refused, {held} hold");
}

#[test]
fn genesis_must_make_sense_and_stores_are_not_overwritten() {
    let venue = Venue::create(Shape::TINY);
    let exists = Sequencer::create(&venue.store(), genesis(Shape::TINY));
    assert!(matches!(exists, Err(Error::Exists(_))));
    let other = venue.folder.path().join("other");
    let mut foreign = genesis(Shape::TINY);
    foreign.chain_id += 1;
    let mut lacking = genesis(Shape::TINY);
    lacking.snapshot.accounts.remove(&fee_index());
    let endless = genesis(Shape { trades: usize::MAX, ..Shape::TINY });
    let rootless = genesis(Shape { nodes: 0, ..Shape::TINY });
    for wrong in [foreign, lacking, endless, rootless] {
        assert!(matches!(Sequencer::create(&other, wrong), Err(Error::Configuration(_))));
        assert!(!other.exists());
    }
    let text = serde_json::to_string(&genesis(Shape::TINY)).unwrap();
    let read: Genesis = serde_json::from_str(&text).unwrap();
    Sequencer::create(&other, read).unwrap();
    let missing =
        Sequencer::open(&venue.folder.path().join("none"), zkmargin_sequencer::Access::Read);
    assert!(matches!(missing, Err(Error::Missing(_))));
}
