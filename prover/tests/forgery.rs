//! Forged batches in front of prover and verifier: the prover refuses each and names the rule, and
//! the proof that a prover without this check would make is refused by the verifier.
//!
//! One forgery of each rule is proven; with `ZKMARGIN_FORGERIES=all` every one.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use ark_ff::Field;
use tempfile::TempDir;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::{Assignment, Mode};
use zkmargin_fixtures::build::tiny_batch;
use zkmargin_fixtures::forge::{Attack, Forgery, attack, forgeries};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement::commitment;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_prover::batch;
use zkmargin_prover::key::ProvingKey;
use zkmargin_prover::progress::Silent;
use zkmargin_prover::prove::{ProveError, Prover};
use zkmargin_prover::setup::setup;
use zkmargin_verifier::statement::evaluate;
use zkmargin_verifier::{
    Domain, KeyPolicy, PreparedKey, Proof, PublicInputs, Statement, VerifyError, verify,
};

/// The public inputs of a batch at a challenge that depends on nothing: these batches are for a
/// synthetic domain.
fn inputs(trace: &BatchTrace) -> PublicInputs {
    let BatchPublic { commitment, point, evaluation } =
        BatchPublic::at(trace, Fr::from(424_242u64));
    PublicInputs([commitment, point, evaluation])
}

/// The public inputs of what a forgery states.
fn stated(forgery: &Forgery) -> PublicInputs {
    let public = BatchPublic::stating(&forgery.words(), Fr::from(424_242u64));
    PublicInputs([public.commitment, public.point, public.evaluation])
}

/// The assignment whatever the constraints say: what a dishonest prover starts from.
fn unchecked(forgery: &Forgery, inputs: &PublicInputs) -> Assignment<Fr> {
    let [commitment, point, evaluation] = inputs.0;
    let mut cs = Cs::new(Mode::Witness);
    for lie in &forgery.lies {
        cs.lie(lie.row, lie.name, lie.skip, lie.change);
    }
    synthesize(&mut cs, &BatchPublic { commitment, point, evaluation }, &forgery.trace);
    cs.finish().0
}

/// A development key of the tiny circuit, its prover and verifier.
struct Bench {
    prover: Prover,
    verifier: PreparedKey,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().expect("temporary folder");
        let path = folder.path().join("tiny.key");
        let r1cs = batch::circuit(Shape::TINY);
        setup(&r1cs, &path, &Silent).expect("setup");
        let key = ProvingKey::load(&path).expect("a fresh key loads");
        let verifier = PreparedKey::new(&key.verifying, KeyPolicy::Strict).expect("a fit key");
        Self { prover: Prover::new(key, r1cs).expect("the key is for the circuit"), verifier }
    }

    fn verdict(&self, inputs: &PublicInputs, proof: &Proof) -> Result<(), VerifyError> {
        verify(&self.verifier, inputs.as_slice(), proof)
    }

    /// Neither the checked prover nor the verifier is deceived.
    fn refuses(&self, forgery: &Forgery) {
        let (what, inputs) = (forgery.what, stated(forgery));
        let assignment = unchecked(forgery, &inputs);
        let mut errors = vec![self.prover.prove(&assignment, &Silent).map(drop).expect_err(what)];
        if forgery.lies.is_empty() {
            // Without lies the assignment is the one that the prover computes on its own.
            errors.push(batch::assignment(&forgery.trace, &inputs).map(drop).expect_err(what));
        }
        for error in errors {
            let ProveError::Unsatisfied { rule: named, .. } = error else {
                panic!("{what}: {error}")
            };
            assert_eq!(named, Some(forgery.refused_by), "{what}");
        }
        let proof = self.prover.forge(&assignment).expect("a forger does not check");
        assert_eq!(self.verdict(&inputs, &proof), Err(VerifyError::PairingFailed), "{what}");
    }
}

/// One forgery of each rule, or all.
fn chosen() -> Vec<Forgery> {
    let is_all = std::env::var("ZKMARGIN_FORGERIES").is_ok_and(|which| which == "all");
    let mut seen = BTreeSet::new();
    forgeries().into_iter().filter(|forgery| seen.insert(forgery.rule) || is_all).collect()
}

#[test]
fn forged_batches_are_refused_by_prover_and_verifier() {
    let bench = Bench::new();
    let honest = tiny_batch(true);
    let own = inputs(&honest);
    let assignment = batch::assignment(&honest, &own).expect("an honest batch");
    let proof = bench.prover.prove(&assignment, &Silent).expect("an honest batch").proof;
    assert_eq!(bench.verdict(&own, &proof), Ok(()));

    let chosen = chosen();
    println!("{} forged batches", chosen.len());
    let proven: BTreeSet<Rule> = chosen.iter().map(|forgery| forgery.rule).collect();
    for &rule in Rule::ALL {
        let is_asked = !matches!(attack(rule), Attack::BeforeABatch(_));
        assert_eq!(proven.contains(&rule), is_asked, "{rule:?}");
    }
    chosen.iter().for_each(|forgery| bench.refuses(forgery));

    // The honest proof under the inputs of another batch, and with one input changed.
    let other = inputs(&tiny_batch(false));
    for (k, name) in ["commitment", "point", "evaluation"].iter().enumerate() {
        let mut changed = own;
        changed.0[k] += Fr::ONE;
        assert_eq!(bench.verdict(&changed, &proof), Err(VerifyError::PairingFailed), "{name}");
    }
    assert_eq!(bench.verdict(&other, &proof), Err(VerifyError::PairingFailed), "another batch");

    refuses_other_statements(&bench);
}

/// A proof belongs to one statement of one contract: any other word, chain or contract leads to
/// other inputs.
fn refuses_other_statements(bench: &Bench) {
    let home = Domain::new(31_337, [0x5a; 20]);
    let trace = empty_batch(home);
    let statement = batch::statement(&trace, home).expect("its own domain");
    let inputs = batch::public_inputs(&trace, &statement).expect("its own statement");
    let assignment = batch::assignment(&trace, &inputs).expect("an honest batch");
    let proof = bench.prover.prove(&assignment, &Silent).expect("an honest batch").proof;
    assert_eq!(bench.verdict(&inputs, &proof), Ok(()));

    // Every word after the domain, with the commitment it would need and with the proven one.
    for word in 2..statement.words.len() {
        let mut words = statement.words.clone();
        words[word] += Fr::ONE;
        for commitment in [statement.commitment, commitment(&words)] {
            let changed = Statement { words: words.clone(), commitment, domain: home };
            let inputs = changed.public_inputs().expect("well formed");
            let refused = Err(VerifyError::PairingFailed);
            assert_eq!(bench.verdict(&inputs, &proof), refused, "word {word}");
        }
    }
    // Another evaluation of the right words is no statement's.
    let [commitment, point, _] = inputs.0;
    let elsewhere = evaluate(&statement.words, point + Fr::ONE);
    let refused = bench.verdict(&PublicInputs([commitment, point, elsewhere]), &proof);
    assert_eq!(refused, Err(VerifyError::PairingFailed));
    for domain in [Domain::new(1, home.contract), Domain::new(home.chain_id, [0x5b; 20])] {
        let moved = Statement { domain, ..statement.clone() };
        assert!(matches!(moved.public_inputs(), Err(VerifyError::StatementDomain { .. })));
        // Even if the domain's word is changed with it.
        let mut moved = moved;
        moved.words[1] = domain.field();
        let inputs = moved.public_inputs().expect("well formed");
        assert_eq!(bench.verdict(&inputs, &proof), Err(VerifyError::PairingFailed));
    }
}

/// A batch without operations for a contract: the oracle's quorum signs for its domain.
fn empty_batch(home: Domain) -> BatchTrace {
    use zkmargin_fixtures::build::{now, parameters, risk_rows, small_state};
    use zkmargin_fixtures::keys::signed_table;
    use zkmargin_protocol::batch::Batch;
    use zkmargin_protocol::ledger::state::State;
    use zkmargin_protocol::market::Market;

    let domain = home.field();
    let table =
        signed_table(&risk_rows(2, 1), parameters(), 77, now(), domain).expect("16-bit indices");
    let market = Market::new(table, domain).expect("signed by a quorum");
    let mut snapshot = small_state(&market).snapshot();
    snapshot.domain = domain;
    let state = State::new(snapshot).expect("a state");
    let batch = Batch::new(&state, &market, Shape::TINY, now()).expect("fresh oracle data");
    batch.seal().expect("nothing to refuse").1
}
