//! Batches, and circuits built from them with lies and planted faults.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use zkmargin_audit::closure::{Facts, Linear};
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::forgery::Notes;
use zkmargin_circuits::cs::{Mode, R1cs};
use zkmargin_circuits::{Cs, Wire};
use zkmargin_fixtures::synthetic::{self, Lie};
use zkmargin_protocol::batch::BatchTrace;
use zkmargin_protocol::shape::Shape;

/// The circuit of a batch, with these lies told and these faults planted.
pub fn build(mode: Mode, trace: &BatchTrace, lies: &[Lie], plants: &[&'static str]) -> Cs {
    let mut cs = Cs::new(mode);
    for lie in lies {
        cs.lie(lie.row, lie.name, lie.skip, lie.change);
    }
    plants.iter().for_each(|plant| cs.plant(plant));
    synthesize(&mut cs, &BatchPublic::at(trace, Fr::from(12_345u64)), trace);
    cs
}

/// A circuit's matrices, and what it says of itself.
pub struct Circuit {
    pub r1cs: R1cs<Fr>,
    pub notes: Notes<Fr>,
    pub facts: Facts<Fr>,
}

impl Circuit {
    /// The tiny circuit with these faults planted.
    pub fn new(plants: &[&'static str]) -> Self {
        let cs = build(Mode::Shape, &synthetic::tiny_batch(false), &[], plants);
        let notes = cs.notes().expect("shape mode takes notes").clone();
        let r1cs = cs.finish().1.expect("shape mode records matrices");
        let linear = |wire: &Wire| -> Linear<Fr> {
            let terms = wire.terms().iter();
            terms.map(|&(variable, x)| (variable.column(r1cs.instances), x)).collect()
        };
        let all = |wires: &[Wire]| wires.iter().map(linear).collect();
        let facts = Facts {
            ranges: notes.ranges.iter().map(|(wire, bits)| (linear(wire), *bits)).collect(),
            determined: notes.determined.iter().map(|(from, to)| (all(from), all(to))).collect(),
            absorbed: notes.absorbed.iter().map(|a| (a.constraint, linear(&a.wire))).collect(),
        };
        Self { r1cs, notes, facts }
    }

    /// Names of everything absorbed.
    pub fn elements(&self) -> BTreeSet<&'static str> {
        self.notes.absorbed.iter().map(|absorbed| absorbed.name).collect()
    }
}

/// The assignment `[1, public inputs…, witnesses…]`.
pub fn assignment(trace: &BatchTrace, lies: &[Lie], plants: &[&'static str]) -> Vec<Fr> {
    build(Mode::Witness, trace, lies, plants).finish().0.full()
}

/// Random batches: over the seeds they hold every operation and every kind of row.
pub fn batches(seeds: std::ops::Range<u64>) -> impl Iterator<Item = (u64, BatchTrace)> {
    seeds.map(|seed| (seed, synthetic::random_batch(seed, Shape::TINY)))
}
