//! `kill -9` at random moments of `submit` and `seal`: nothing acknowledged is lost, doubled or
//! half-applied.
//!
//! `ZKMARGIN_KILL_CYCLES` sets the number of cycles, `ZKMARGIN_KILL_SEED` the moments.

mod support;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use support::drill::{Drill, setting};

const CYCLES: usize = 20;

#[test]
fn kill_at_random_moments_loses_nothing() {
    let cycles = setting("ZKMARGIN_KILL_CYCLES").unwrap_or(CYCLES);
    let seed = setting("ZKMARGIN_KILL_SEED").unwrap_or(1);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drill = Drill::new(cycles);
    drill.cycles(&mut rng, &|child| child.kill().expect("our child"), &|| ());
    assert_eq!((drill.report.cycles, drill.report.gave_up), (cycles, 0));
    let answered = drill.finish();
    println!("seed {seed}: {:?}, {answered} acknowledged, {} kept", drill.report, drill.kept);
}
