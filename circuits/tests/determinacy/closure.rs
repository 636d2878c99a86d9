//! Derives from what is absorbed everything that follows, and wants every identity to be among it.

use std::collections::BTreeMap;
use std::time::Instant;

use zkmargin_audit::closure::free_after_the_point;

use crate::world::{Circuit, assignment, batches};

#[test]
fn the_transcript_fixes_every_identity() {
    let circuit = Circuit::new(&[]);
    for (seed, trace) in batches(0..80) {
        let started = Instant::now();
        let values = assignment(&trace, &[], &[]);
        assert_eq!(circuit.r1cs.first_unsatisfied(&values), None);
        let free = free_after_the_point(&circuit.r1cs, &circuit.facts, &values);
        println!("seed {seed}: {} free, {:?}", free.len(), started.elapsed());
        let mut found = BTreeMap::new();
        for free in free {
            let label = circuit.r1cs.label(free.constraint);
            for &column in free.columns.iter().take(1000) {
                let witness = column - circuit.r1cs.instances;
                let (name, _) = circuit.r1cs.name(witness);
                let place = circuit.notes.place(witness);
                *found
                    .entry((format!("{:?}", label.rule), label.what, place, name))
                    .or_insert(0) += 1;
            }
        }
        for (what, count) in found.iter().take(20) {
            println!("  {count} {what:?}");
        }
    }
}
