//! Damaged batch files: every field of a batch set to extremes. Each is refused when it is read, or judged by the
//! circuit; nothing panics, and no file with another statement passes for the original.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use rayon::prelude::*;
use serde_json::{Value, json};
use zkmargin_circuits::batch::BatchPublic;
use zkmargin_fixtures::synthetic::tiny_batch;
use zkmargin_protocol::batch::BatchTrace;
use zkmargin_prover::batch;
use zkmargin_verifier::PublicInputs;

/// Every place in a JSON value, as pointers, containers included.
fn places(value: &Value, at: String, list: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (k, item) in items.iter().enumerate() {
                places(item, format!("{at}/{k}"), list);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                places(item, format!("{at}/{name}"), list);
            }
        }
        _ => {}
    }
    list.push(at);
}

/// What to put in place of a value: extremes of its kind, and other kinds.
fn extremes(value: &Value) -> Vec<Value> {
    let modulus = "21888242871839275222246405745257275088548364400416034343698204186575808495617";
    let last = "21888242871839275222246405745257275088548364400416034343698204186575808495616";
    match value {
        Value::Bool(flag) => vec![json!(!flag), json!(0)],
        Value::Number(_) => {
            let mut numbers = vec![json!(0), json!(1), json!(-1), json!(4_097), json!(1.5)];
            numbers.extend([16, 24, 32, 40, 63].map(|bits| json!(1u64 << bits)));
            numbers.extend([json!(u64::MAX), json!(i64::MIN)]);
            numbers
        }
        Value::String(_) => ["", "0", "1", "-1", "00", "x", "9223372036854775807", modulus, last]
            .map(|text| json!(text))
            .into(),
        Value::Array(items) => {
            let doubled = [&items[..], &items[..]].concat();
            vec![json!([]), json!(items[..items.len().saturating_sub(1)]), json!(doubled)]
        }
        Value::Object(_) => vec![json!({}), Value::Null],
        Value::Null => vec![json!({}), json!(0)],
    }
}

/// The place with its numbers left out: rows of a table have one pattern.
fn pattern(place: &str) -> String {
    let is_name = |part: &&str| part.parse::<u64>().is_err();
    place.split('/').filter(is_name).collect::<Vec<_>>().join("/")
}

#[test]
fn damaged_batches_are_refused_or_judged_and_never_panic() {
    let original = tiny_batch(true);
    let words = original.words();
    let value = serde_json::to_value(&original).expect("JSON");
    let mut list = Vec::new();
    places(&value, String::new(), &mut list);
    let damages: Vec<(&String, Value)> = list
        .iter()
        .flat_map(|place| {
            let part = value.pointer(place).expect("a place of the value");
            let damages = extremes(part).into_iter().filter(move |damage| damage != part);
            damages.map(move |damage| (place, damage))
        })
        .collect();
    let read: Vec<(String, BatchTrace, bool)> = damages
        .par_iter()
        .filter_map(|(place, damage)| {
            let mut damaged = value.clone();
            *damaged.pointer_mut(place).expect("a place of the value") = damage.clone();
            let trace: BatchTrace = serde_json::from_value(damaged).ok()?;
            let states_the_same = trace.words() == words;
            Some((format!("{} = {damage}", pattern(place)), trace, states_the_same))
        })
        .collect();
    println!("{} damaged files, {} are batches all the same", damages.len(), read.len());
    assert!(damages.len() > 2_000 && read.len() > 200);
    assert!(read.len() < damages.len() / 2, "most are refused when they are read");

    // Each damage to each kind of row goes through the circuit once.
    let mut seen = BTreeSet::new();
    let judged: Vec<_> =
        read.into_iter().filter(|(damage, ..)| seen.insert(damage.clone())).collect();
    let BatchPublic { commitment, point, evaluation } = BatchPublic::at(&original, Fr::from(42u64));
    let inputs = PublicInputs([commitment, point, evaluation]);
    batch::assignment(&original, &inputs).expect("the original");
    let passed: Vec<_> = judged
        .par_iter()
        .filter(|(_, trace, _)| batch::assignment(trace, &inputs).is_ok())
        .collect();
    println!("{} go through the circuit, {} pass", judged.len(), passed.len());
    for (damage, _, states_the_same) in &passed {
        // What no constraint reads may change: maintenance margin, the keys of an old account, empty slots.
        assert!(states_the_same, "{damage}: another statement");
    }
    assert!(passed.len() < judged.len() / 2, "the circuit refuses most");
}
