//! Damaged batch files: every field of a batch set to extremes, left out or joined by another, and
//! files cut short. Each is refused when it is read, or judged by the circuit; nothing panics, and
//! no file with another statement passes for the original.

use std::collections::BTreeSet;
use zkmargin_protocol::batch::trace::BatchTrace;

use ark_bn254::Fr;
use rayon::prelude::*;
use zkmargin_circuits::batch::BatchPublic;
use zkmargin_fixtures::build::tiny_batch;
use zkmargin_fixtures::forge::damage::{cut_short, damages};
use zkmargin_prover::batch;
use zkmargin_verifier::PublicInputs;

#[test]
fn damaged_batches_are_refused_or_judged_and_never_panic() {
    let original = tiny_batch(true);
    let words = original.words();
    let value = serde_json::to_value(&original).expect("JSON");
    let damages = damages(&value);
    let read: Vec<(String, BatchTrace, bool)> = damages
        .par_iter()
        .filter_map(|damage| {
            let trace: BatchTrace = serde_json::from_str(&damage.apply(&value)).ok()?;
            let states_the_same = trace.words() == words;
            Some((damage.pattern(), trace, states_the_same))
        })
        .collect();
    for text in cut_short(&value, 100) {
        serde_json::from_str::<BatchTrace>(&text).map(drop).expect_err("cut short");
    }
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
        // What no constraint reads may change: maintenance margin, the keys of an old account,
        // empty slots.
        assert!(states_the_same, "{damage}: another statement");
    }
    assert!(passed.len() < judged.len() / 2, "the circuit refuses most");
}
