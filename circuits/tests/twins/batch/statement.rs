//! Forgeries beside the batch: statements and cipher texts of something else.

use ark_bn254::Fr;
use ark_ff::Field;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::Mode;
use zkmargin_fixtures::build::tiny_batch;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::trace::BatchTrace;

use super::super::draw::{Verdict, circuit};

fn judged(public: &BatchPublic, trace: &BatchTrace) -> Verdict {
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
