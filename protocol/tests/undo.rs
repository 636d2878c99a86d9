//! A refused operation leaves a batch and a ledger exactly as they were, in every field.

use zkmargin_fixtures::build::{ExtremeWorld, forced_cancel};
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::ledger::transition::Ledger;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::AccountIndex;

/// Random groups of operations at the ends of their ranges, good and refused.
fn groups(world: &ExtremeWorld, seed: u64) -> Option<Vec<Vec<Operation>>> {
    let mut groups = Vec::new();
    world.fill(seed, |group, _| groups.push(group.to_vec())).ok()?;
    Some(groups)
}

/// What no batch accepts: nobody opens this account.
fn never() -> Operation {
    forced_cancel(AccountIndex::new(4_242_424).unwrap())
}

#[test]
fn a_refused_group_leaves_the_batch_as_it_was() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..12 {
        let shape = if seed % 2 == 0 { ExtremeWorld::NARROW } else { ExtremeWorld::WIDE };
        let world = ExtremeWorld::new(seed, shape);
        let Some(groups) = groups(&world, seed) else { continue };
        let open = || Batch::new(&world.state, &world.market, world.shape, world.time).unwrap();
        let (mut batch, mut only_good) = (open(), open());
        for group in groups {
            let before = batch.clone();
            // Whatever the group has written goes when the operation after it is refused.
            let spoilt = [&group[..], &[never()]].concat();
            batch.push(&spoilt).expect_err("an account that is not there");
            assert!(batch == before, "seed {seed}: after {spoilt:?}");
            if batch.push(&group).is_ok() {
                accepted += 1;
                assert!(batch != before, "seed {seed}: nothing done by {group:?}");
                only_good.push(&group).expect("accepted after refusals");
            } else {
                refused += 1;
                assert!(batch == before, "seed {seed}: after {group:?}");
            }
            assert!(batch == only_good, "seed {seed}: what refusals left shows");
        }
        assert_eq!(batch.seal().unwrap(), only_good.seal().unwrap());
    }
    assert!(accepted > 30 && refused > 300, "{accepted} accepted, {refused} refused");
}

#[test]
fn a_refused_operation_leaves_the_ledger_as_it_was() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..12 {
        let world = ExtremeWorld::new(seed, ExtremeWorld::WIDE);
        let Some(groups) = groups(&world, seed) else { continue };
        let mut ledger = Ledger::new(&world.state, &world.market, world.time);
        for operation in groups.iter().flatten() {
            let before = ledger.clone();
            if ledger.apply(operation).is_ok() {
                accepted += 1;
            } else {
                refused += 1;
                assert!(ledger == before, "seed {seed}: after {operation:?}");
            }
        }
    }
    assert!(accepted > 50 && refused > 50, "{accepted} accepted, {refused} refused");
}
