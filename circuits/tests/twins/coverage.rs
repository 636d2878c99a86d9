//! Constraints of every rule that forged batches break.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use ark_ff::Field;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::Mode;
use zkmargin_fixtures::build::tiny_batch;
use zkmargin_fixtures::forge::{Attack, attack};
use zkmargin_protocol::Rule;

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
