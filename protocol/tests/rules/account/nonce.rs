use super::super::world::{BUYER, SELLER, World, index, moved, rule_of};
use zkmargin_fixtures::build::{
    cancel_all, deposit, forced_withdrawal, portfolio_book, signed_move, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::nonce::NonceWindow;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::value::units::Nonce;

pub const RULE: Rule = Rule::Nonce;
const BASE: u64 = 1_000;

fn nonce(value: u64) -> Nonce {
    Nonce::new(value).expect("a nonce")
}

/// The buyer's window starts at [`BASE`] with these bits used.
fn with_window(bits: u64) -> World {
    with_window_at(BASE, bits)
}

fn with_window_at(base: u64, bits: u64) -> World {
    let mut world = World::new();
    let mut accounts = world.state.accounts().clone();
    let buyer = accounts.get_mut(&index(BUYER)).expect("the buyer");
    buyer.nonces = NonceWindow { base: nonce(base), bits };
    world.state = State::new(Snapshot { accounts, ..world.state.snapshot() }).expect("a state");
    world
}

#[test]
fn accepts_both_ends_of_the_window_and_rejects_nonce_beyond_them() {
    let world = with_window(0);
    for (value, is_inside) in
        [(0, false), (BASE - 1, false), (BASE, true), (BASE + 63, true), (BASE + 64, false)]
    {
        let by_trade = [trade(&world.draft(), [BUYER, SELLER].map(index), [value, 0])];
        let by_move = moved(true, |m| m.request.nonce = nonce(value));
        for operation in [by_trade, by_move] {
            match is_inside {
                true => drop(world.accepts("inside", &operation)),
                false => world.rejects(RULE, "outside", &operation),
            }
        }
    }
}

#[test]
fn accepts_any_order_and_rejects_nonce_used_twice() {
    let world = with_window(1 << 5);
    let paid = |offset: u64| signed_move(index(BUYER), None, 1, BASE + offset);
    world.accepts("last first", &[paid(63), paid(0), paid(31)]);
    world.rejects(RULE, "used before the batch", &[paid(5)]);
    world.rejects(RULE, "twice in the batch", &[paid(3), paid(3)]);
    let traded = trade(&world.draft(), [BUYER, SELLER].map(index), [BASE + 3, 0]);
    world.rejects(RULE, "order and request", &[paid(3), traded]);
    let (next, _) = world.play(&[paid(3)]).expect("once");
    let later = World { state: next, ..world };
    later.rejects(RULE, "in the next batch", &[paid(3)]);
}

#[test]
fn accepts_the_window_that_moved_by_half() {
    // All of the lower half but its last nonce.
    let world = with_window((1 << 31) - 1);
    let paid = |offset: u64| signed_move(index(BUYER), None, 1, BASE + offset);
    world.rejects(RULE, "before it moved", &[paid(64)]);
    let (next, trace) = world.play(&[paid(31), paid(40)]).expect("inside");
    let window = trace.accounts[0].new.nonces;
    assert_eq!((window.base.get(), window.bits), (BASE + 32, 1 << 8));
    let later = World { state: next, ..world };
    later.accepts("new upper end", &[paid(95)]);
    later.rejects(RULE, "beyond it", &[paid(96)]);
    later.rejects(RULE, "below the new base", &[paid(31)]);
    later.rejects(RULE, "carried over", &[paid(40)]);
}

#[test]
fn accepts_the_window_that_stays_until_a_batch_ends() {
    let world = with_window((1 << 31) - 1);
    let paid = |offset: u64| signed_move(index(BUYER), None, 1, BASE + offset);
    world.rejects(RULE, "the window moves between batches only", &[paid(31), paid(64)]);
}

#[test]
fn accepts_a_base_above_the_window_and_rejects_nonce_of_one_within_it() {
    let world = with_window(1 << 5);
    let cancelled = |base: u64| [cancel_all(index(BUYER), base, BASE + 1)];
    for base in [0, BASE, BASE + 1, BASE + 63] {
        world.rejects(RULE, "a nonce stays", &cancelled(base));
    }
    for base in [BASE + 64, BASE + 65, Nonce::MAX.get()] {
        let window = world.accepts("all void", &cancelled(base)).accounts[0].new.nonces;
        assert_eq!((window.base.get(), window.bits), (base, 0));
    }
    world.rejects(RULE, "a used nonce", &[cancel_all(index(BUYER), BASE + 64, BASE + 5)]);
    let (state, _) = world.play(&cancelled(BASE + 64)).expect("all void");
    let later = World { state, ..world };
    let paid = |nonce: u64| [signed_move(index(BUYER), None, 1, nonce)];
    later.rejects(RULE, "void", &paid(BASE + 63));
    later.accepts("the new window", &paid(BASE + 64));
    later.accepts("its end", &paid(BASE + 127));
    later.rejects(RULE, "beyond its end", &paid(BASE + 128));
}

#[test]
fn accepts_a_cancel_all_in_place_of_the_slide() {
    // The lower half is used up with the request itself.
    let world = with_window((1 << 31) - 1);
    let list = [cancel_all(index(BUYER), BASE + 64, BASE + 31)];
    let window = world.accepts("no slide", &list).accounts[0].new.nonces;
    assert_eq!((window.base.get(), window.bits), (BASE + 64, 0));
}

#[test]
fn rejects_nonce_when_the_nonces_of_an_account_are_exhausted() {
    let lower_half = (1 << 32) - 1;
    let last = (1 << 40) - 1;
    let at = |base: u64| NonceWindow { base: nonce(base), bits: lower_half }.slid();
    assert_eq!(at(last - 32).expect("the last window").base, Nonce::MAX);
    assert_eq!(rule_of(at(last - 31)), Some(RULE));
}

#[test]
fn rejects_nonce_that_would_keep_every_later_batch_from_the_account() {
    let last = Nonce::MAX.get();
    let (lower_half, upper_half) = ((1 << 32) - 1, ((1 << 32) - 1) << 32);
    // All of the lower half but its last nonce, and some of the upper half.
    for (base, upper, is_accepted) in [
        (last - 33, upper_half, false),
        (last - 33, 0, true),
        (last - 32, 0, true),
        (last - 31, 0, false),
        (last - 63, 0, true),
        (last - 63, upper_half & !(1 << 63), true),
        (last - 63, upper_half, false),
        (last - 64, upper_half, true),
    ] {
        let world = with_window_at(base, (lower_half & !(1 << 31)) | upper);
        let what = format!("base 2^40 - {}, upper half {upper:b}", last + 1 - base);
        let by_trade = [trade(&world.draft(), [BUYER, SELLER].map(index), [base + 31, 0])];
        let by_request = [signed_move(index(BUYER), None, 1, base + 31)];
        for operations in [by_trade, by_request] {
            if !is_accepted {
                // Before it is acknowledged, not when the batch is sealed.
                let batch = Batch::new(&world.state, &world.market, world.shape, world.time);
                let pushed = batch.expect("fresh oracle data").push(&operations);
                assert_eq!(rule_of(pushed), Some(RULE), "{what}");
                continue;
            }
            let (state, _) = world.play(&operations).unwrap_or_else(|e| panic!("{what}: {e}"));
            let later = World { state, ..World::new() };
            later.accepts(&what, &[deposit(index(BUYER), portfolio_book(1), 5)]);
        }
        // Whatever is left of the nonces, cash comes in and the owner leaves.
        world.accepts(&what, &[deposit(index(BUYER), portfolio_book(1), 5)]);
        world.accepts(&what, &[forced_withdrawal(index(BUYER), 5)]);
    }
}
