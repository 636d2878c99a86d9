//! The batch circuits of the named shapes, on synthetic batches.

use ark_bn254::Fr;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::catalogue::{self, Circuit};
use zkmargin_fixtures::synthetic;
use zkmargin_protocol::shape::Shape;

/// Columns of the commitment and of the evaluation; the challenge between them is given.
const OUTPUTS: &[usize] = &[1, 3];

const CATALOGUE: &[Circuit] = &[
    Circuit { name: "batch/tiny", branches: 12, body: tiny, outputs: OUTPUTS },
    Circuit {
        name: "batch/small",
        branches: 2,
        body: |cs, branch| random(cs, branch as u64, Shape::SMALL),
        outputs: OUTPUTS,
    },
    Circuit {
        name: "batch/large",
        branches: 1,
        body: |cs, branch| random(cs, branch as u64, Shape::LARGE),
        outputs: OUTPUTS,
    },
];

/// All circuits, the gadgets first.
pub fn circuits() -> impl Iterator<Item = &'static Circuit> {
    catalogue::circuits().chain(CATALOGUE)
}

/// Seeds of batches in which an account short of initial margin closes a position.
const REDUCING: [u64; 2] = [11, 18];

/// One batch of each hand-made kind, then random ones.
fn tiny(cs: &mut Cs, branch: usize) {
    match branch {
        0 | 1 => write(cs, &synthetic::tiny_batch(branch == 1)),
        2 | 3 => {
            let batch = synthetic::random_batch(REDUCING[branch - 2], Shape::TINY);
            assert_eq!(batch.two_sided().count(), 1, "seed of a batch with a two-sided row");
            write(cs, &batch);
        }
        _ => random(cs, branch as u64, Shape::TINY),
    }
}

fn random(cs: &mut Cs, seed: u64, shape: Shape) {
    write(cs, &synthetic::random_batch(seed, shape));
}

fn write(cs: &mut Cs, trace: &zkmargin_protocol::batch::BatchTrace) {
    // The contract derives the challenge from domain, commitment and words; any will do for a shape.
    synthesize(cs, &BatchPublic::at(trace, Fr::from(12_345u64)), trace);
}
