//! Short runs of both worlds under the auditor, and batches of theirs through the circuit. Deep
//! runs are in `docs/simulation.md`.

use zkmargin_simulator::invariants::Invariant;
use zkmargin_simulator::prove::{Bench, home};
use zkmargin_simulator::scale::Scale;
use zkmargin_simulator::tally::Tally;
use zkmargin_simulator::world::{Nobody, World};

/// A run of `operations` with no invariant broken: the last root and the counts.
fn run(seed: u64, scale: Scale, operations: u64) -> (String, Tally) {
    let mut world = World::new(seed, scale, home().field()).expect("an empty market");
    loop {
        let done: u64 = world.tally.operations().iter().sum();
        if done == operations {
            return (world.state.root().to_string(), world.tally);
        }
        world.batch(operations - done, &mut Nobody).unwrap_or_else(|broken| panic!("{broken}"));
    }
}

#[test]
fn every_invariant_holds_in_a_short_run() {
    let (_, tally) = run(1, Scale::STORM, 5_000);
    let [accepted, refused] = tally.operations();
    println!("{tally}");
    assert!(3 * accepted > accepted + refused, "a third is accepted: {accepted}, {refused}");
    for (kind, [accepted, refused]) in &tally.kinds {
        assert!(*accepted > 0 && *refused > 0, "{kind}: accepted {accepted}, refused {refused}");
    }
    assert_eq!(tally.kinds.len(), 16, "every kind of operation: {:?}", tally.kinds.keys());
    assert_eq!(tally.answers.len(), 8, "every answer to force: {:?}", tally.answers);
    assert!(tally.rules.len() >= 20, "many rules refuse: {:?}", tally.rules);
    assert!(
        tally.changes > 0
            && tally.misnamed > 0
            && tally.stale > 0
            && tally.epochs[1] > 0
            && tally.expiries > 0
    );
}

#[test]
fn a_broken_invariant_stops_the_run_and_is_named() {
    let mut world = World::new(9, Scale::NARROW, home().field()).expect("an empty market");
    // The auditor remembers a micro-USDC that nobody deposited.
    world.auditor.memory.deposited += 1;
    let broken = (0..100).find_map(|_| world.batch(u64::MAX, &mut Nobody).err());
    let broken = broken.expect("some operation is accepted");
    assert_eq!((broken.seed, broken.breach.invariant), (9, Invariant::CashConserved));
    assert!(broken.to_string().starts_with("seed 9, batch "), "{broken}");
}

#[test]
fn a_run_depends_on_the_seed_alone() {
    let runs = [5, 5, 6].map(|seed| run(seed, Scale::NARROW, 300));
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0].0, runs[2].0);
}

#[test]
fn batches_of_a_run_satisfy_the_circuit() {
    let bench = Bench::new(false).expect("no key is needed");
    let mut world = World::new(3, Scale::NARROW, home().field()).expect("an empty market");
    let mut satisfied = 0;
    while satisfied < 30 {
        let trace = world.batch(u64::MAX, &mut Nobody).unwrap_or_else(|broken| panic!("{broken}"));
        if !trace.accounts.is_empty() {
            bench.satisfy(&trace).unwrap_or_else(|e| panic!("batch {satisfied}: {e}"));
            satisfied += 1;
        }
    }
    // The bench is no rubber stamp: another root is refused.
    let mut world = World::new(3, Scale::NARROW, home().field()).expect("an empty market");
    let mut trace = world.batch(u64::MAX, &mut Nobody).expect("as before");
    trace.new_root += ark_bn254::Fr::from(1u64);
    assert!(bench.satisfy(&trace).is_err());
}
