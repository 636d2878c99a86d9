//! What a batch accepts at the ends of every range satisfies the circuit.
//!
//! `ZKMARGIN_EXTREMES` sets the number of worlds.

use ark_bn254::Fr;
use rayon::prelude::*;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::Mode;
use zkmargin_fixtures::build::ExtremeWorld;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;

const WORLDS: u64 = 24;

/// Operations of the batch.
fn size(trace: &BatchTrace) -> usize {
    trace.deposits.len() + trace.trades.len() + trace.requests.len()
}

#[test]
fn what_is_accepted_satisfies_the_circuit() {
    let worlds = std::env::var("ZKMARGIN_EXTREMES")
        .map_or(WORLDS, |text| text.parse().unwrap_or_else(|_| panic!("ZKMARGIN_EXTREMES={text}")));
    let sizes = (0..worlds).into_par_iter().map(|seed| {
        let shape = if seed % 2 == 0 { ExtremeWorld::NARROW } else { Shape::TINY };
        let world = ExtremeWorld::new(seed, shape);
        let batch = world.fill(seed << 8, |_, _| ()).expect("a batch may begin");
        let (_, trace) = batch.seal().expect("every operation was accepted");
        let mut cs = Cs::new(Mode::Witness);
        synthesize(&mut cs, &BatchPublic::at(&trace, Fr::from(98_765u64)), &trace);
        let broken = cs.unsatisfied();
        assert!(broken.is_none(), "seed {seed}: {broken:?}\n{:#?}", trace.accounts);
        size(&trace)
    });
    let size: usize = sizes.sum();
    println!("{worlds} worlds, {size} deposits, trades and requests");
    assert!(size as u64 > worlds, "the batches are not empty");
}
