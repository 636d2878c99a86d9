//! Parts of a run: worlds of a kind and a seed, each from nothing, so that a long run can be cut,
//! resumed and shared out.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zkmargin_protocol::Reject;

use crate::prove::{Bench, CircuitError, home};
use crate::scale::Scale;
use crate::tally::Tally;
use crate::world::{Broken, Nobody, World};

/// Operations between two lines of progress.
const PROGRESS_OPERATIONS: u64 = 10_000;
/// Batches between two lines of progress.
const PROGRESS_BATCHES: u64 = 50;

/// One world to run. The same part has the same outcome on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Part {
    /// Many traders and few jumps, until so many operations are tried.
    Calm {
        /// Everything follows from it.
        seed: u64,
        /// Operations tried, accepted or refused.
        operations: u64,
    },
    /// The same with many jumps and short batches: auctions, bankruptcies, deficits.
    Storm {
        /// Everything follows from it.
        seed: u64,
        /// Operations tried, accepted or refused.
        operations: u64,
    },
    /// Batches of the tiny circuit, until so many are satisfied.
    Tiny {
        /// Everything follows from it.
        seed: u64,
        /// Batches whose every constraint is checked.
        batches: u64,
        /// How many of these are proven and verified as well, spread over the run. If any, those
        /// with a step of an auction are proven besides.
        proofs: u64,
    },
}

/// What came of a part in which every invariant held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The part.
    pub part: Part,
    /// The root it ended with, decimal.
    pub root: String,
    /// Its counts.
    pub tally: Tally,
}

/// Why a part has no outcome.
#[derive(Debug, Error)]
pub enum RunError {
    /// An invariant does not hold.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// A batch that the rules accept is not proven.
    #[error("seed {seed}, batch {batch}: {error}")]
    Circuit {
        /// Seed of the world.
        seed: u64,
        /// Number of the batch.
        batch: u64,
        /// Why.
        error: CircuitError,
    },
    /// No world could be made.
    #[error("an empty market is refused: {0}")]
    Empty(#[from] Reject),
    /// A part of the tiny circuit was run without one.
    #[error("no circuit for a part that wants one")]
    NoBench,
}

impl Outcome {
    /// Checks that the counts are such as a run can have.
    ///
    /// # Errors
    /// The count that is too large, and the bound.
    pub fn check_counts(&self) -> Result<(), String> {
        self.tally.check_counts()
    }
}

impl Part {
    /// A large world of this seed: calm for odd seeds, stormy for even ones.
    pub fn large(seed: u64, operations: u64) -> Self {
        if seed % 2 == 1 {
            Self::Calm { seed, operations }
        } else {
            Self::Storm { seed, operations }
        }
    }

    /// Whether it wants the circuit, and whether a key as well.
    pub fn wants(&self) -> [bool; 2] {
        match self {
            Self::Tiny { proofs, .. } => [true, *proofs > 0],
            _ => [false; 2],
        }
    }

    /// Runs it; `progress` is told how far it is, in words.
    ///
    /// # Errors
    /// [`RunError`] with the first thing that is wrong.
    pub fn run(
        &self,
        bench: Option<&Bench>,
        progress: &mut dyn FnMut(String),
    ) -> Result<Outcome, RunError> {
        let world = match *self {
            Self::Calm { seed, operations } => large(seed, Scale::WIDE, operations, progress)?,
            Self::Storm { seed, operations } => large(seed, Scale::STORM, operations, progress)?,
            Self::Tiny { seed, batches, proofs } => {
                tiny(seed, bench.ok_or(RunError::NoBench)?, [batches, proofs], progress)?
            }
        };
        let root = world.state.root().to_string();
        Ok(Outcome { part: self.clone(), root, tally: world.tally })
    }
}

fn large(
    seed: u64,
    scale: Scale,
    operations: u64,
    progress: &mut dyn FnMut(String),
) -> Result<World, RunError> {
    let mut world = World::new(seed, scale, home().field())?;
    let (mut done, mut shown) = (0, 0);
    while done < operations {
        world.batch(operations - done, &mut Nobody)?;
        let [accepted, refused] = world.tally.operations();
        done = accepted + refused;
        if done >= shown + PROGRESS_OPERATIONS {
            shown = done;
            progress(format!("{done} operations: accepted {accepted}, refused {refused}"));
        }
    }
    Ok(world)
}

/// Whether the `number`-th of `batches` is proven, so that `proofs` of them are, spread evenly.
fn is_due(number: u64, proofs: u64, batches: u64) -> bool {
    let share = |number| u128::from(number) * u128::from(proofs) / u128::from(batches.max(1));
    share(number) > share(number - 1)
}

fn tiny(
    seed: u64,
    bench: &Bench,
    [batches, proofs]: [u64; 2],
    progress: &mut dyn FnMut(String),
) -> Result<World, RunError> {
    let mut world = World::new(seed, Scale::NARROW, home().field())?;
    while world.tally.satisfied < batches {
        let trace = world.batch(u64::MAX, &mut Nobody)?;
        if trace.accounts.is_empty() {
            continue;
        }
        let failed = |error| RunError::Circuit { seed, batch: trace.number, error };
        bench.satisfy(&trace).map_err(failed)?;
        let tally = &mut world.tally;
        tally.satisfied += 1;
        let is_due = is_due(tally.satisfied, proofs, batches);
        let has_step = trace.accounts.iter().any(|row| row.step.is_some());
        if is_due || (has_step && proofs > 0) {
            bench.prove(&trace).map_err(failed)?;
            tally.count_proven(&trace);
        }
        if tally.satisfied % PROGRESS_BATCHES == 0 {
            let Tally { satisfied, proofs, .. } = tally;
            progress(format!("{satisfied} batches satisfied, {proofs} proofs verified"));
        }
    }
    Ok(world)
}
