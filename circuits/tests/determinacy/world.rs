//! Batches, and circuits built from them with lies and planted faults.

use ark_bn254::Fr;
use zkmargin_audit::closure::{Determined, Facts, Linear};
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::forgery::{self, Notes};
use zkmargin_circuits::cs::{Mode, R1cs};
use zkmargin_circuits::{Cs, Wire};
use zkmargin_fixtures::build;
use zkmargin_fixtures::forge::Lie;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;

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
        let cs = build(Mode::Shape, &build::tiny_batch(false), &[], plants);
        let notes = cs.notes().expect("shape mode takes notes").clone();
        let r1cs = cs.finish().1.expect("shape mode records matrices");
        let linear = |wire: &Wire| -> Linear<Fr> {
            let terms = wire.terms().iter();
            terms.map(|&(variable, x)| (variable.column(r1cs.instances), x)).collect()
        };
        let all = |wires: &[Wire]| wires.iter().map(linear).collect::<Vec<_>>();
        let determined = |of: &forgery::Determined<Fr>| Determined {
            causes: all(&of.causes),
            effects: all(&of.effects),
        };
        let facts = Facts {
            ranges: notes.ranges.iter().map(|range| (linear(&range.wire), range.bits)).collect(),
            determined: notes.determined.iter().map(determined).collect(),
            rounds: notes.rounds.iter().map(|(at, elements)| (*at, all(elements))).collect(),
        };
        Self { r1cs, notes, facts }
    }

    /// Leaves out every range that is checked under this label.
    pub fn forget_range(&mut self, what: &str) {
        let ranges = self.notes.ranges.iter().map(|range| range.what == what);
        let mut is_forgotten = ranges.collect::<Vec<_>>().into_iter();
        self.facts.ranges.retain(|_| is_forgotten.next() == Some(false));
    }
}

/// The assignment `[1, public inputs…, witnesses…]`.
pub fn assignment(trace: &BatchTrace, lies: &[Lie], plants: &[&'static str]) -> Vec<Fr> {
    build(Mode::Witness, trace, lies, plants).finish().0.full()
}

/// Seeds of random batches which among them hold every mode of every row.
pub const SEEDS: [u64; 17] =
    [281, 61, 181, 351, 363, 369, 362, 381, 347, 300, 399, 398, 396, 389, 385, 360, 116];

/// The random batches of these seeds.
pub fn batches(seeds: &[u64]) -> Vec<BatchTrace> {
    seeds.iter().map(|&seed| build::random_batch(seed, Shape::TINY)).collect()
}
