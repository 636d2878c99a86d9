//! Whatever a batch accepts it can seal, and what it leaves behind can be read and touched again.
//!
//! `ZKMARGIN_EXTREMES` sets the number of worlds.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rayon::prelude::*;
use zkmargin_fixtures::build::ExtremeWorld;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement::word_count;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::NUMBER_BITS;

const WORLDS: u64 = 60;
/// Batches of one world.
const BATCHES: u64 = 3;

/// How often each thing happened.
#[derive(Default)]
struct Seen {
    accepted: BTreeMap<&'static str, usize>,
    refused: BTreeMap<Rule, usize>,
    batches: usize,
}

fn name(operation: &Operation) -> &'static str {
    match operation {
        Operation::Deposit(_) => "deposit",
        Operation::RefuseDeposit(_) => "refused deposit",
        Operation::Trade(_) => "trade",
        Operation::Request(_) => "request",
        Operation::Settle(_) => "settle",
        Operation::GrantTier(_) => "grant",
        Operation::StartAuction(_) => "start of an auction",
        Operation::EndAuction(_) => "end of an auction",
        Operation::CountDeficit(_) => "deficit counted",
        Operation::Forced(_) => "forced request",
    }
}

/// Seals, and reads again what a sequencer would store and a prover read.
fn seal(batch: Batch<'_>, seed: u64) -> State {
    let operations = batch.operations().to_vec();
    let sealed = batch.seal();
    let (next, trace) = sealed.unwrap_or_else(|reject| {
        panic!("seed {seed}: accepted, and refused when sealed: {reject}\n{operations:#?}")
    });
    assert_eq!(trace.words().len(), word_count(&trace.shape), "seed {seed}");
    assert_eq!(trace.custody_after(), next.custody(), "seed {seed}");
    let text = serde_json::to_string(&trace).expect("a trace has string keys only");
    let read: BatchTrace = serde_json::from_str(&text).expect("a trace that was written");
    assert!(read == trace, "seed {seed}: the trace is read as it was written");
    let snapshot = next.snapshot();
    if snapshot.batches >> NUMBER_BITS == 0 {
        let text = serde_json::to_string(&snapshot).expect("a snapshot has string keys only");
        let read: Snapshot = serde_json::from_str(&text).expect("a snapshot that was written");
        let read = State::new(read).expect("a state that was written");
        assert!(read == next, "seed {seed}: the state is read as it was written");
    }
    next
}

/// A few batches over one world, one after the other.
fn run(seed: u64, shape: Shape, seen: &Mutex<Seen>) {
    let mut world = ExtremeWorld::new(seed, shape);
    for number in 0..BATCHES {
        let (mut accepted, mut refused) = (vec![], vec![]);
        let filled = world.fill(seed << 8 | number, |group, verdict| match verdict {
            Ok(()) => accepted.extend(group.iter().map(name)),
            Err(reject) => refused.push(reject.rule),
        });
        let batch = match filled {
            Ok(batch) => batch,
            // Only its number may keep the next batch from being opened.
            Err(reject) => {
                let is_last = world.state.batches() >> NUMBER_BITS != 0;
                assert!(is_last && reject.rule == Rule::Range, "seed {seed}: {reject}");
                break;
            }
        };
        let next = seal(batch, seed);
        world.state = next;
        if world.state.batches() >> NUMBER_BITS == 0 {
            for index in world.state.accounts().keys() {
                let touched = world.check_touchable(*index);
                touched.unwrap_or_else(|reject| panic!("seed {seed}: account {index}: {reject}"));
            }
        }
        let mut seen = seen.lock().expect("no test has panicked");
        accepted.into_iter().for_each(|name| *seen.accepted.entry(name).or_default() += 1);
        refused.into_iter().for_each(|rule| *seen.refused.entry(rule).or_default() += 1);
        seen.batches += 1;
    }
}

#[test]
fn what_is_accepted_can_be_sealed() {
    let worlds = std::env::var("ZKMARGIN_EXTREMES")
        .map_or(WORLDS, |text| text.parse().unwrap_or_else(|_| panic!("ZKMARGIN_EXTREMES={text}")));
    let seen = Mutex::default();
    (0..worlds).into_par_iter().for_each(|seed| {
        let shape = [ExtremeWorld::NARROW, Shape::TINY, ExtremeWorld::WIDE][seed as usize % 3];
        run(seed, shape, &seen);
    });
    let Seen { accepted, refused, batches } = seen.into_inner().expect("no test has panicked");
    println!("{worlds} worlds, {batches} batches\naccepted: {accepted:?}\nrefused: {refused:?}");
    if worlds < WORLDS {
        return;
    }
    // Otherwise the drafts would show nothing.
    assert_eq!(accepted.len(), 10, "every operation is accepted somewhere");
    for rule in [
        Rule::Range,
        Rule::Nonce,
        Rule::Custody,
        Rule::PositionSlots,
        Rule::MarginSpread,
        Rule::InitialMargin,
        Rule::RiskReduction,
        Rule::PriceBand,
        Rule::WithdrawalShare,
        Rule::ForcedWithdrawal,
        Rule::Frozen,
        Rule::Deficit,
        Rule::Shape,
    ] {
        assert!(refused.contains_key(&rule), "{rule:?} refuses somewhere");
    }
}
