//! Encodings and addresses as people and other programs write them.

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::process::{answers, run, standard_error, written};
use support::*;

use zkmargin_fixtures::build::NOW_S;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::recipient::Recipient;
use zkmargin_sequencer::{Genesis, Source};
use zkmargin_verifier::address;

/// EIP-55's own example.
const CHECKSUMMED: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
/// The same with the case of one letter changed.
const WRONG: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD";

/// The spellings of the example's address that are accepted.
fn spellings() -> [String; 5] {
    let digits = &CHECKSUMMED[2..];
    [
        CHECKSUMMED.to_owned(),
        digits.to_owned(),
        CHECKSUMMED.to_lowercase(),
        digits.to_uppercase(),
        format!("0x{}", digits.to_uppercase()),
    ]
}

fn utf_16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn init_takes_every_spelling_of_its_contract_and_no_wrong_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let key = serde_json::to_value(deposit(2, 1).key).unwrap();
    let key = format!("{},{}", key[0].as_str().unwrap(), key[1].as_str().unwrap());
    let init = |name: &str, contract: &str| {
        let keys = ["--fund-key", &key, "--fee-key", &key];
        let place = ["init", "--chain-id", "1", "--contract", contract];
        run(&folder.path().join(name), &[place.as_slice(), &keys].concat())
    };
    for (place, spelling) in spellings().iter().enumerate() {
        let output = init(&place.to_string(), spelling);
        assert_eq!(output.status.code(), Some(0), "{spelling}: {output:?}");
        assert_eq!(answers(&output)[0]["contract"], CHECKSUMMED.to_lowercase());
    }
    for (wrong, named) in [(WRONG, CHECKSUMMED), ("0x12", "0x12")] {
        let output = init("wrong", wrong);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(standard_error(&output).contains(named), "{output:?}");
        assert!(!folder.path().join("wrong").exists());
    }
}

#[test]
fn genesis_takes_every_spelling_and_both_forms_of_utf_8() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = address::parse(CHECKSUMMED).unwrap();
    let mut fair = genesis(Shape::TINY);
    fair.contract = Recipient(bytes);
    fair.snapshot.domain = fair.domain().field();
    let mut value = serde_json::to_value(&fair).unwrap();
    let canonical = value.to_string();
    let init = |name: &str, content: &[u8]| {
        let file = written(folder.path(), &format!("{name}.json"), content);
        run(&folder.path().join(name), &["init", "--genesis", file.to_str().unwrap()])
    };
    for (place, spelling) in spellings().iter().enumerate() {
        value["contract"] = json!(spelling);
        let read: Genesis = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&fair).unwrap());
        let text = format!("\u{feff}{value}\r\n");
        let output = init(&place.to_string(), text.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{spelling}: {output:?}");
    }
    value["contract"] = json!(WRONG);
    for (name, content, named) in [
        ("checksum", value.to_string().into_bytes(), CHECKSUMMED),
        ("utf-16", utf_16(&canonical), "UTF-16"),
        ("cut", canonical.as_bytes()[..100].to_vec(), "line 1"),
    ] {
        let output = init(name, &content);
        let reason = standard_error(&output);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(reason.contains(named) && reason.contains(&format!("{name}.json")), "{reason}");
    }
}

/// The request of a withdrawal to EIP-55's example, and its JSON with the address as it is spelt.
fn withdrawal(number: u64, spelling: &str) -> String {
    let to = Recipient(address::parse(CHECKSUMMED).unwrap());
    let action = Action::Withdrawal { to, amount: cash(5), least: None };
    let mut value = serde_json::to_value(sign_request(request(2, action, number))).unwrap();
    let place = value.pointer_mut("/request/request/action/withdrawal/to").expect("the address");
    *place = json!(spelling);
    value.to_string()
}

#[test]
fn withdrawals_take_every_spelling_as_one_and_no_wrong_checksum() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let lines = spellings().map(|spelling| withdrawal(0, &spelling));
    let answers = submit(&mut sequencer, Source::Public, &lines, at(1));
    let receipts = accepted(&answers);
    assert_eq!(receipts.len(), lines.len(), "{answers:?}");
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0]), "one request: {answers:?}");
    assert_eq!(balance(&sequencer, 2), 1_000_000_000_000 - 5, "paid once");
    let wrong = answer_to(&mut sequencer, Source::Public, withdrawal(1, WRONG), at(1));
    assert_eq!((&wrong["accepted"], &wrong["rule"]), (&json!(false), &json!("Range")));
    assert!(wrong["what"].as_str().unwrap().contains(CHECKSUMMED), "{wrong}");
    assert_eq!(wrong["value"], WRONG);
    let short = answer_to(&mut sequencer, Source::Public, withdrawal(1, "0x12"), at(1));
    assert_eq!(short["rule"], "Range", "{short}");
    // A second address in the same request is a repeated field, whatever its spelling.
    let twice = withdrawal(1, CHECKSUMMED)
        .replace("\"to\":", &format!("\"to\":\"{}\",\"to\":", CHECKSUMMED.to_lowercase()));
    let twice = answer_to(&mut sequencer, Source::Public, twice, at(1));
    assert_eq!(twice["accepted"], false, "{twice}");
    drop(sequencer);
    venue.open().replay().expect("a log that follows the rules");
    let log = support::drill::submissions(&venue.store());
    let kept: Operation = serde_json::from_str::<Value>(&log.last().unwrap().2)
        .map(|value| serde_json::from_value(value["signed"].clone()).unwrap())
        .unwrap();
    assert!(serde_json::to_string(&kept).unwrap().contains(&CHECKSUMMED.to_lowercase()));
}

/// Submits the content of a file.
fn submitted(venue: &Venue, name: &str, content: &[u8]) -> (Option<i32>, Vec<Value>) {
    let file = written(venue.folder.path(), name, content);
    let time = (NOW_S + 1).to_string();
    let output = run(&venue.store(), &["submit", file.to_str().unwrap(), "--time", &time]);
    (output.status.code(), answers(&output))
}

#[test]
fn a_mark_before_the_first_order_loses_nothing() {
    for (name, mark, end, last) in [
        ("plain", "", "\n", "\n"),
        ("mark", "\u{feff}", "\n", ""),
        ("crlf", "", "\r\n", "\r\n"),
        ("both", "\u{feff}", "\r\n", ""),
    ] {
        let venue = Venue::open_for_trade(Shape::SMALL, 2);
        let text = format!("{mark}{}{last}", trade_lines(3, 2).join(end));
        let (status, answers) = submitted(&venue, name, text.as_bytes());
        assert_eq!((status, accepted(&answers).len()), (Some(0), 3), "{name}: {answers:?}");
        assert_eq!(answers[0]["line"], 1, "{name}");
    }
}

#[test]
fn other_encodings_are_named_once() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let text = trade_lines(3, 2).join("\r\n");
    let (status, answers) = submitted(&venue, "utf-16", &utf_16(&text));
    assert_eq!((status, answers.len()), (Some(1), 1), "{answers:?}");
    let answer = &answers[0];
    assert_eq!((&answer["line"], &answer["rule"]), (&json!(1), &json!("Malformed")));
    assert_eq!(
        (&answer["what"], &answer["value"]),
        (&json!("UTF-8 is wanted, found"), &json!("UTF-16"))
    );
    // A file that lost its end to a crash is filled with zeros.
    let torn = [trade_lines(1, 2)[0].as_bytes(), b"\n", &[0; 4096]].concat();
    let (status, answers) = submitted(&venue, "torn", &torn);
    assert_eq!((status, accepted(&answers).len(), answers.len()), (Some(1), 1, 2), "{answers:?}");
    assert_eq!(answers[1]["what"], "a zero byte, at place", "{answers:?}");
}

#[test]
fn a_table_may_begin_with_a_mark_and_other_encodings_are_named() {
    let venue = Venue::create(Shape::SMALL);
    let text = serde_json::to_string(&table(1, at(0))).unwrap();
    let oracle = |path: &Path| {
        let time = NOW_S.to_string();
        run(&venue.store(), &["oracle", path.to_str().unwrap(), "--time", &time])
    };
    let path = written(venue.folder.path(), "table.json", utf_16(&text));
    let output = oracle(&path);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let reason = standard_error(&output);
    assert!(reason.contains("UTF-16") && reason.contains("table.json"), "{reason}");
    fs::write(&path, format!("\u{feff}{text}")).unwrap();
    let output = oracle(&path);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
