use super::super::world::{BUYER, SELLER, World, index, rule_of, time};
use zkmargin_fixtures::build::{EPOCH, NOW_S, ORACLE_LAG_S, trade};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::oracle::BatchClock;

pub const RULE: Rule = Rule::OracleOrder;

const DATA_S: u64 = NOW_S - ORACLE_LAG_S;

/// The world after a batch at `batch_s` under this epoch and time.
fn after(epoch: u64, seconds: u64, batch_s: u64) -> World {
    let world = World::new();
    let clock = BatchClock { epoch, time: time(seconds), batch: time(batch_s) };
    let state = State::new(Snapshot { clock, ..world.state.snapshot() }).expect("a state");
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
        let world = after(epoch, seconds, NOW_S);
        assert_eq!(rule_of(world.play(&[])), is_behind.then_some(RULE), "{epoch} {seconds}");
    }
}

#[test]
fn accepts_a_batch_at_the_time_of_the_last_and_rejects_oracle_order_of_one_before_it() {
    for (batch_s, is_behind) in
        [(NOW_S, false), (NOW_S + 1, true), (0, false), ((1 << 40) - 1, true)]
    {
        let verdict = rule_of(after(EPOCH, DATA_S, batch_s).play(&[]));
        assert_eq!(verdict, is_behind.then_some(RULE), "after {batch_s}");
    }
}

#[test]
fn rejects_oracle_order_of_a_batch_that_goes_back_to_fill_what_had_expired() {
    // Under one table, well within its age: first a batch in which the order has expired.
    let world = World::new();
    let mut draft = world.draft();
    draft.expiry = time(NOW_S - 1);
    let filled = trade(&draft, [BUYER, SELLER].map(index), [0, 0]);
    world.rejects(Rule::OrderExpiry, "expired by then", std::slice::from_ref(&filled));
    let (state, _) = world.play(&[]).expect("a batch without it");
    let back = World { state, time: time(NOW_S - 1), ..World::new() };
    back.rejects(RULE, "the clock turned back", &[filled]);
}

#[test]
fn accepts_batches_that_pass_the_clock_on() {
    let world = World::new();
    let before = world.state.clock();
    let (next, trace) = world.play(&[]).expect("an empty batch");
    let clock = BatchClock { epoch: EPOCH, time: time(DATA_S), batch: time(NOW_S) };
    assert_eq!(next.clock(), clock);
    assert_eq!(trace.before, before);
    assert_eq!(State::new(next.snapshot()), Ok(next.clone()), "and snapshots keep it");
    let again = Batch::new(&next, &world.market, world.shape, world.time);
    assert!(again.is_ok(), "a second batch of one epoch");
}
