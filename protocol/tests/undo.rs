//! A refusal leaves a batch exactly as it was, whatever part of the operations came before it.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::synthetic::{
    RandomBatch, forced_cancel, forced_withdrawal, grant_tier, now, random_case, rekey, signed_move,
};
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::AccountIndex;

const WORLDS: u64 = 40;
const GROUPS: usize = 60;

/// Whatever can be seen of a batch.
fn seen(batch: &Batch) -> String {
    let ledger = batch.ledger();
    let accounts = ledger.touched().keys();
    let notes: Vec<_> = accounts
        .map(|&index| (ledger.opening(index), ledger.step(index), ledger.answer(index)))
        .collect();
    format!("{:?} {notes:?} {:?} {:?}", ledger.touched(), batch.operations(), batch.used())
}

/// What the world's own batch did, and what nobody should do at that moment.
fn pool(world: &RandomBatch, rng: &mut ChaCha8Rng) -> Vec<Operation> {
    let trades = world.trace.trades.iter().map(|trade| Operation::Trade(Box::new(trade.clone())));
    let requests = world.trace.requests.iter().cloned().map(Operation::Request);
    let deposits = world.trace.deposits.iter();
    let deposits = deposits.map(|row| Operation::Deposit(row.deposit.clone()));
    let mut pool: Vec<_> = trades.chain(requests).chain(deposits).collect();
    let accounts: Vec<AccountIndex> = world.state.accounts().keys().copied().collect();
    for _ in 0..30 {
        let account = *accounts.choose(rng).expect("an account");
        let other = *accounts.choose(rng).expect("an account");
        pool.push(match rng.gen_range(0..8) {
            0 => forced_cancel(account),
            1 => forced_withdrawal(account, rng.gen_range(0..1 << 40)),
            2 => Operation::StartAuction(account),
            3 => Operation::EndAuction(account),
            4 => Operation::CountDeficit(account),
            5 => grant_tier(account, rng.gen_range(0..4)),
            6 => rekey(account, other, rng.gen_range(0..64)),
            _ => signed_move(account, Some(other), rng.gen_range(0..1 << 34), rng.gen_range(0..64)),
        });
    }
    pool
}

#[test]
fn a_refusal_leaves_a_batch_as_it_was() {
    let (mut accepted, mut refused, mut refused_late) = (0, 0, 0);
    for seed in 0..WORLDS {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let world = random_case(seed, Shape::TINY);
        let pool = pool(&world, rng);
        let open = || Batch::new(&world.state, &world.market, Shape::TINY, now());
        let (mut batch, mut kept) = (open().expect("fresh data"), open().expect("fresh data"));
        for _ in 0..GROUPS {
            let size = rng.gen_range(1..4);
            let group: Vec<_> = pool.choose_multiple(rng, size).cloned().collect();
            let before = seen(&batch);
            if batch.push(&group).is_ok() {
                kept.push(&group).expect("accepted by a batch that was never refused anything");
                accepted += 1;
                continue;
            }
            assert_eq!(seen(&batch), before, "world {seed}: {group:?}");
            refused += 1;
            refused_late += usize::from(kept.clone().push(&group[..1]).is_ok());
        }
        let [batch, kept] = [batch, kept].map(|batch| batch.seal().expect("what push accepts"));
        assert_eq!(batch.1, kept.1, "world {seed}");
        assert_eq!(batch.0.root(), kept.0.root(), "world {seed}");
        assert_eq!(batch.0.custody(), kept.0.custody(), "world {seed}");
    }
    println!(
        "{accepted} groups accepted, {refused} refused, {refused_late} after a part was taken"
    );
    assert!(accepted > 100 && refused > 1_000 && refused_late > 100, "both happen, and often");
}
