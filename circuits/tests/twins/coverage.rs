//! Every rule has a forged batch that the circuit refuses by it, or a reason why there is none.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use ark_ff::Field;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::Mode;
use zkmargin_circuits::gadgets::curve::PointVar;
use zkmargin_fixtures::synthetic::{forgeries, tiny_batch};
use zkmargin_protocol::Rule;
use zkmargin_protocol::babyjubjub::{BASE8, Point};
use zkmargin_protocol::positions::Positions;
use zkmargin_protocol::units::Quantity;

use super::draw::{Verdict, circuit, witness};

/// Rules without a forged batch among the fixtures: why, and what shows them instead.
fn exceptions() -> BTreeMap<Rule, &'static str> {
    BTreeMap::from([
        (
            Rule::KeyValid,
            "a key outside the subgroup has no Rust value: `PublicKey` cannot be made; the gadget is shown below",
        ),
        (
            Rule::PositionSlots,
            "slots of zero have no JSON; `forged_empty_slot_is_unsatisfied` makes one",
        ),
        (
            Rule::Statement,
            "the statement stands beside the batch: `forged_statement_is_unsatisfied`",
        ),
        (
            Rule::LeafCipher,
            "the circuit computes the cipher text; another one in the words breaks `Statement`",
        ),
        (Rule::SettlementSample, "decides what the oracle signs, before there is a batch"),
        (Rule::SettlementPrice, "decides what the oracle signs, before there is a batch"),
        (Rule::SurfaceArbitrage, "decides what the oracle signs, before there is a batch"),
        (Rule::Shape, "a batch with more rows has another circuit and another key"),
    ])
}

#[test]
fn every_rule_has_a_forged_batch_or_a_reason() {
    let forged: BTreeSet<Rule> = forgeries().into_iter().map(|forgery| forgery.rule).collect();
    let exceptions = exceptions();
    for rule in Rule::ALL {
        let (is_forged, is_excepted) = (forged.contains(&rule), exceptions.contains_key(&rule));
        assert!(is_forged != is_excepted, "{rule:?}: forged {is_forged}, excepted {is_excepted}");
    }
}

fn judged(public: &BatchPublic, trace: &zkmargin_protocol::batch::BatchTrace) -> Verdict {
    let mut cs = Cs::new(Mode::Witness);
    synthesize(&mut cs, public, trace);
    circuit(&cs)
}

#[test]
fn forged_statement_is_unsatisfied() {
    let trace = tiny_batch(true);
    let point = Fr::from(5u64);
    let honest = BatchPublic::at(&trace, point);
    assert_eq!(judged(&honest, &trace), None);
    let other = BatchPublic::at(&tiny_batch(false), point);
    let forged = [
        other,
        BatchPublic { commitment: honest.commitment + Fr::ONE, ..honest },
        BatchPublic { evaluation: honest.evaluation + Fr::ONE, ..honest },
        BatchPublic { point: point + Fr::ONE, ..honest },
    ];
    for public in forged {
        assert_eq!(judged(&public, &trace), Some(Rule::Statement), "{public:?}");
    }
}

#[test]
fn forged_cipher_text_is_unsatisfied() {
    // The cipher text under another view key, stated as if it were the account's.
    let trace = tiny_batch(true);
    let mut stated = trace.clone();
    let row = stated.accounts.last_mut().expect("four accounts");
    row.new.view_key += Fr::ONE;
    let public = BatchPublic::at(&stated, Fr::from(5u64));
    assert_eq!(judged(&public, &trace), Some(Rule::Statement));
}

#[test]
fn forged_empty_slot_is_unsatisfied() {
    let mut trace = tiny_batch(true);
    let traded = trace.instruments[0].row.instrument;
    let account = trace.accounts.iter_mut().find(|row| row.new.positions.count() == 0);
    let account = account.expect("the fee account holds nothing");
    account.new.positions = Positions::forged(BTreeMap::from([(traded, Quantity::default())]));
    let public = BatchPublic::at(&trace, Fr::from(5u64));
    assert_eq!(judged(&public, &trace), Some(Rule::PositionSlots));
}

#[test]
fn forged_key_outside_the_subgroup_is_unsatisfied() {
    let key_valid = |point: &Point| {
        let mut cs = witness();
        cs.under(Rule::KeyValid, |cs| {
            PointVar::external(cs, "key", point).enforce_in_prime_subgroup(cs);
        });
        circuit(&cs)
    };
    assert_eq!(key_valid(&BASE8), None);
    let (x, y, one) = (BASE8.x, BASE8.y, Fr::ONE);
    for (x, y) in [(-x, -y), (Fr::from(0u64), one), (Fr::from(0u64), -one), (x, y + one)] {
        assert_eq!(key_valid(&Point { x, y }), Some(Rule::KeyValid), "({x}, {y})");
    }
}
