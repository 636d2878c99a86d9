use super::world::{BUYER, SELLER, World, index, moved, rule_of};
use zkmargin_fixtures::synthetic::{domain, signed_move, trade};
use zkmargin_protocol::Rule;
use zkmargin_protocol::nonce::NonceWindow;
use zkmargin_protocol::state::{Snapshot, State};
use zkmargin_protocol::units::Nonce;

pub const RULE: Rule = Rule::Nonce;
const BASE: u64 = 1_000;

fn nonce(value: u64) -> Nonce {
    Nonce::new(value).expect("a nonce")
}

/// The buyer's window starts at [`BASE`] with these bits used.
fn with_window(bits: u64) -> World {
    let mut world = World::new();
    let mut accounts = world.state.accounts().clone();
    let buyer = accounts.get_mut(&index(BUYER)).expect("the buyer");
    buyer.nonces = NonceWindow { base: nonce(BASE), bits };
    world.state = State::new(Snapshot { domain: domain(), batches: 4, accounts }).expect("a state");
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
fn rejects_nonce_when_the_nonces_of_an_account_are_exhausted() {
    let lower_half = (1 << 32) - 1;
    let last = (1 << 40) - 1;
    let at = |base: u64| NonceWindow { base: nonce(base), bits: lower_half }.slid();
    assert_eq!(at(last - 32).expect("the last window").base, Nonce::MAX);
    assert_eq!(rule_of(at(last - 31)), Some(RULE));
}
