//! Constraints of every rule that forged batches break; forgeries beside the batch, and beside the
//! batch circuit.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use ark_ff::Field;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::Mode;
use zkmargin_circuits::gadgets::curve::PointVar;
use zkmargin_fixtures::synthetic::{Attack, attack, tiny_batch};
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::babyjubjub::{BASE8, Point};

use super::draw::{Verdict, circuit, witness};

#[test]
fn a_rule_has_constraints_exactly_if_forged_batches_must_break_them() {
    let trace = tiny_batch(false);
    let mut cs = Cs::new(Mode::Shape);
    synthesize(&mut cs, &BatchPublic::at(&trace, Fr::ONE), &trace);
    let labels = cs.finish().1.expect("shape mode records matrices").labels;
    let stated: BTreeSet<Rule> = labels.iter().filter_map(|(_, label)| label.rule).collect();
    for &rule in Rule::ALL {
        let attack = attack(rule);
        let is_asked = attack == Attack::Constraint;
        assert_eq!(stated.contains(&rule), is_asked, "{rule:?}: {attack:?}");
    }
}

fn judged(public: &BatchPublic, trace: &zkmargin_protocol::batch::trace::BatchTrace) -> Verdict {
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
