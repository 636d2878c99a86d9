use std::collections::BTreeSet;

use super::super::world::{World, moved};
use ark_bn254::Fr;
use ark_ff::{Field, PrimeField};
use zkmargin_fixtures::build::tiny_batch;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement::{commitment, word_count};
use zkmargin_protocol::batch::trace::BatchTrace;

pub const RULE: Rule = Rule::Statement;

#[test]
fn accepts_the_words_that_a_reader_expects() {
    let trace = tiny_batch(true);
    let words = trace.words();
    // Header 14, one deposit of 4, two requests of 1, four one-sided accounts and a two-sided one
    // of 12.
    assert_eq!((words.len(), word_count(&Shape::TINY)), (80, 80));
    assert_eq!(words[0], Fr::from(1u64));
    assert_eq!(words[1..4], [trace.domain, trace.old_root, trace.new_root]);
    // Custody (63) ‖ deficit before (63) ‖ deficit after (63): no deficit, so the first number
    // alone.
    assert_eq!(words[10], Fr::from(trace.custody.held()));
    assert_eq!(words[11], trace.parameters_before);
    assert_eq!(words[12..14], [trace.old_interest_root, trace.new_interest_root]);
    let point = trace.deposits[0].deposit.key.point();
    assert_eq!(words[15..17], [point.x, point.y]);
    let word = words[18].into_bigint();
    assert_eq!(
        word.0[0],
        trace.requests[0].request.action.amount().expect("cash moves").get() as u64,
        "the amount withdrawn"
    );
    for (row, words) in trace.accounts.iter().zip(words[20..].chunks(12)) {
        assert_eq!(words[0], Fr::from(u64::from(row.index.get()) | 1 << 24));
        assert_eq!(words[1], row.new.leaf());
    }
    // A transfer leaves no word, and an unused row none.
    assert_eq!(tiny_batch(false).words()[18..20], [Fr::from(0u64); 2]);
}

#[test]
fn rejects_statement_of_words_that_differ_in_one_place_or_in_length() {
    let words = tiny_batch(true).words();
    let mut commitments = BTreeSet::from([commitment(&words)]);
    for at in 0..words.len() {
        let mut other = words.clone();
        other[at] += Fr::ONE;
        commitments.insert(commitment(&other));
    }
    commitments.insert(commitment(&[&words[..], &[Fr::from(0u64)]].concat()));
    commitments.insert(commitment(&words[..words.len() - 1]));
    assert_eq!(commitments.len(), 1 + words.len() + 2, "each has its own commitment");
}

#[test]
fn rejects_statement_of_a_batch_that_differs_in_what_the_chain_acts_on() {
    let words: Vec<Vec<Fr>> = {
        let changes: [fn(&mut BatchTrace); 6] = [
            |_| (),
            |t| t.number += 1,
            |t| t.time = zkmargin_protocol::value::units::Time::MAX,
            |t| t.requests.clear(),
            |t| t.deposits.clear(),
            |t| t.deficit_after += 1,
        ];
        let changed = changes.map(|change| {
            let mut trace = tiny_batch(true);
            change(&mut trace);
            trace.words()
        });
        changed.into()
    };
    for (k, first) in words.iter().enumerate() {
        assert!(words[k + 1..].iter().all(|second| second != first), "change {k}");
    }
}

#[test]
fn accepts_withdrawals_by_amount_and_recipient() {
    let world = World { shape: Shape::TINY, ..World::new() };
    let trace = world.accepts("withdrawal", &moved(true, |_| ()));
    let word = trace.words()[18].into_bigint();
    // amount (64) ‖ recipient (160) ‖ is used (1); the recipient is 0xde… with the index at its
    // end.
    assert_eq!(word.0[0], 7_000_000);
    assert_eq!(word.0[1], 0xdede_dede_0000_0002);
    assert_eq!(word.0[3], 1 << 32 | 0xdede_dede);
}
