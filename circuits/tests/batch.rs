//! The batch circuit against the native rules: same verdict, for the same reason.

use ark_bn254::Fr;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::{Mode, R1cs};
use zkmargin_fixtures::synthetic;
use zkmargin_protocol::batch::BatchTrace;
use zkmargin_protocol::shape::Shape;

fn build(mode: Mode, trace: &BatchTrace) -> Cs {
    let mut cs = Cs::new(mode);
    synthesize(&mut cs, &BatchPublic::at(trace, Fr::from(12_345u64)), trace);
    cs
}

fn tiny_matrices() -> R1cs<Fr> {
    let cs = build(Mode::Shape, &synthetic::tiny_batch(false));
    cs.finish().1.expect("shape mode records matrices")
}

#[test]
fn accepts_batches_and_their_shape_never_varies() {
    let r1cs = tiny_matrices();
    for is_withdrawal in [false, true] {
        let cs = build(Mode::Shape, &synthetic::tiny_batch(is_withdrawal));
        assert_eq!(cs.unsatisfied(), None);
        let (assignment, matrices) = cs.finish();
        let matrices = matrices.expect("shape mode records matrices");
        assert_eq!(matrices.digest(), r1cs.digest());
        assert_eq!(r1cs.first_unsatisfied(&assignment.full()), None);
    }
}

#[test]
fn accepts_random_batches() {
    let r1cs = tiny_matrices();
    for seed in 0..40 {
        let cs = build(Mode::Witness, &synthetic::random_batch(seed, Shape::TINY));
        assert_eq!(cs.unsatisfied(), None, "seed {seed}");
        assert_eq!(r1cs.first_unsatisfied(&cs.finish().0.full()), None, "seed {seed}");
    }
}

#[test]
fn forged_batches_are_unsatisfied_for_the_rule_they_break() {
    let r1cs = tiny_matrices();
    let mut wrong = Vec::new();
    for forgery in synthetic::forgeries() {
        let cs = build(Mode::Witness, &forgery.trace);
        let found = cs.unsatisfied();
        if found.and_then(|failure| failure.label.rule) != Some(forgery.rule) {
            wrong.push(format!("{} {:?}: {found:?}", forgery.what, forgery.rule));
        }
        let in_matrices = r1cs.first_unsatisfied(&cs.finish().0.full());
        assert_eq!(in_matrices, found, "{}", forgery.what);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
