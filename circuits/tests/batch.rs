//! The batch circuit against the native rules: same verdict, for the same reason.

use ark_bn254::Fr;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::{Mode, R1cs};
use zkmargin_fixtures::build;
use zkmargin_fixtures::forge::{self, Forgery};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;

fn build(mode: Mode, trace: &BatchTrace) -> Cs {
    let mut cs = Cs::new(mode);
    synthesize(&mut cs, &BatchPublic::at(trace, Fr::from(12_345u64)), trace);
    cs
}

fn tiny_matrices() -> R1cs<Fr> {
    let cs = build(Mode::Shape, &build::tiny_batch(false));
    cs.finish().1.expect("shape mode records matrices")
}

#[test]
fn accepts_batches_and_their_shape_never_varies() {
    let r1cs = tiny_matrices();
    for is_withdrawal in [false, true] {
        let cs = build(Mode::Shape, &build::tiny_batch(is_withdrawal));
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
        let cs = build(Mode::Witness, &build::random_batch(seed, Shape::TINY));
        assert_eq!(cs.unsatisfied(), None, "seed {seed}");
        assert_eq!(r1cs.first_unsatisfied(&cs.finish().0.full()), None, "seed {seed}");
    }
}

#[test]
fn forged_batches_are_unsatisfied_for_the_rule_they_break() {
    let r1cs = tiny_matrices();
    let mut wrong = Vec::new();
    for forgery in forge::forgeries() {
        let cs = forged(&forgery);
        let found = cs.unsatisfied();
        if found.and_then(|failure| failure.label.rule) != Some(forgery.refused_by) {
            wrong.push(format!("{} {:?}: {found:?}", forgery.what, forgery.rule));
        }
        let in_matrices = r1cs.first_unsatisfied(&cs.finish().0.full());
        assert_eq!(in_matrices, found, "{}", forgery.what);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The assignment that the dishonest prover starts from.
fn forged(forgery: &Forgery) -> Cs {
    let mut cs = Cs::new(Mode::Witness);
    for lie in &forgery.lies {
        cs.lie(lie.row, lie.name, lie.skip, lie.change);
    }
    let public = BatchPublic::stating(&forgery.words(), Fr::from(12_345u64));
    synthesize(&mut cs, &public, &forgery.trace);
    cs
}

#[test]
fn forged_cipher_texts_break_no_other_rule() {
    // As many constraints fail as words are forged: the statement agrees with the prover.
    let r1cs = tiny_matrices();
    let of_cipher = |forgery: &Forgery| forgery.rule == Rule::LeafCipher;
    let forgeries: Vec<_> = forge::forgeries().into_iter().filter(of_cipher).collect();
    assert!(forgeries.len() >= 4, "withheld, disclosed, misdirected, reused");
    for forgery in forgeries {
        let assignment = forged(&forgery).finish().0.full();
        let is_broken = |&row: &usize| {
            let [a, b, c] = [&r1cs.a, &r1cs.b, &r1cs.c].map(|m| r1cs.product(m, row, &assignment));
            a * b != c
        };
        let broken: Vec<_> = (0..r1cs.constraints()).filter(is_broken).collect();
        let changed = forgery.lies.iter().filter(|lie| lie.change != Fr::from(0u64)).count();
        assert_eq!(broken.len(), changed, "{}", forgery.what);
        for row in broken {
            assert_eq!(r1cs.label(row).rule, Some(Rule::LeafCipher), "{}", forgery.what);
        }
    }
}

/// Constraints of a batch circuit.
fn constraints(shape: Shape) -> usize {
    let trace = BatchTrace { shape, ..build::tiny_batch(false) };
    build(Mode::Witness, &trace).constraints()
}

#[test]
fn a_trade_and_an_account_stay_within_their_budget() {
    let ledger = include_str!("../../fixtures/shape.csv");
    let large = ledger.lines().find_map(|line| line.strip_prefix("batch/large,"));
    let large = large.and_then(|line| line.split(',').next()).expect("the large shape's line");
    let large: usize = large.parse().expect("a number of constraints");
    let a_trade = large / Shape::LARGE.trades;
    assert!(a_trade <= 23_000, "{a_trade} constraints a trade");
    // Sixteen more accounts, with as many tree nodes for each as the large shape has.
    let tiny = Shape::TINY;
    let rows = Shape::LARGE.accounts + Shape::LARGE.two_sided;
    let nodes = tiny.nodes + (16 * Shape::LARGE.nodes).div_ceil(rows);
    let wider = Shape { accounts: tiny.accounts + 16, nodes, ..tiny };
    let an_account = (constraints(wider) - constraints(tiny)) / 16;
    let wider = Shape { two_sided: tiny.two_sided + 16, nodes, ..tiny };
    let a_two_sided_one = (constraints(wider) - constraints(tiny)) / 16;
    println!("{a_trade} a trade, {an_account} an account, {a_two_sided_one} a two-sided one");
    assert!(an_account <= 13_000, "{an_account} constraints an account");
}
