use super::super::world::{World, rule_of, time};
use zkmargin_fixtures::build::{EPOCH, NOW_S, ORACLE_LAG_S};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::oracle::OracleClock;

pub const RULE: Rule = Rule::OracleOrder;

const DATA_S: u64 = NOW_S - ORACLE_LAG_S;

/// The world after a batch under this epoch and time.
fn after(epoch: u64, seconds: u64) -> World {
    let world = World::new();
    let oracle = OracleClock { epoch, time: time(seconds) };
    let state = State::new(Snapshot { oracle, ..world.state.snapshot() }).expect("a state");
    World { state, ..world }
}

#[test]
fn accepts_the_same_data_and_later_ones_and_rejects_oracle_order_of_earlier_ones() {
    for (epoch, seconds, is_behind) in [
        (EPOCH, DATA_S, false),
        (EPOCH, DATA_S - 1, true),
        (EPOCH, DATA_S + 1, true),
        (EPOCH - 1, DATA_S, false),
        (EPOCH - 1, DATA_S - 1, false),
        (EPOCH - 1, DATA_S + 1, true),
        (EPOCH + 1, DATA_S, true),
        (EPOCH + 1, DATA_S - 1, true),
        (0, 0, false),
        ((1 << 40) - 1, 0, true),
        (0, (1 << 40) - 1, true),
    ] {
        let world = after(epoch, seconds);
        assert_eq!(rule_of(world.play(&[])), is_behind.then_some(RULE), "{epoch} {seconds}");
    }
}

#[test]
fn accepts_batches_that_pass_the_clock_on() {
    let world = World::new();
    let before = world.state.oracle();
    let (next, trace) = world.play(&[]).expect("an empty batch");
    assert_eq!(next.oracle(), OracleClock { epoch: EPOCH, time: time(DATA_S) });
    assert_eq!(trace.before, before);
    assert_eq!(State::new(next.snapshot()), Ok(next.clone()), "and snapshots keep it");
    let again = Batch::new(&next, &world.market, world.shape, world.time);
    assert!(again.is_ok(), "a second batch of one epoch");
}
