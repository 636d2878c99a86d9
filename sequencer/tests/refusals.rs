//! What the sequencer refuses, and by which rule.

mod support;

use serde_json::Value;
use support::*;

use zkmargin_fixtures::build::account_index;
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{InstrumentIndex, Price};
use zkmargin_sequencer::Source;

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
