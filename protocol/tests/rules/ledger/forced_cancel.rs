use super::super::auction_world::row_of;
use super::super::world::{BUYER, World, index};
use zkmargin_fixtures::build::{forced_cancel, signed_move};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::nonce::{NonceWindow, WINDOW};
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::operation::forced::ForcedAnswer;
use zkmargin_protocol::value::units::Nonce;

pub const RULE: Rule = Rule::ForcedCancel;

fn nonce(value: u64) -> Nonce {
    Nonce::new(value).expect("40 bits")
}

/// The world whose buyer has this window.
fn with_window(window: NonceWindow) -> World {
    let world = World::new();
    let mut snapshot = world.state.snapshot();
    snapshot.accounts.get_mut(&index(BUYER)).expect("the buyer").nonces = window;
    World { state: State::new(snapshot).expect("a state"), ..world }
}

#[test]
fn accepts_a_window_voided_whole_whatever_was_used_of_it() {
    for (base, bits) in [(0, 0), (0, 0b1011), (1_000, u64::MAX << 32)] {
        let world = with_window(NonceWindow { base: nonce(base), bits });
        let (state, trace) = world.play(&[forced_cancel(index(BUYER))]).expect("forced");
        let row = row_of(&trace, BUYER);
        assert_eq!(row.new.nonces, NonceWindow { base: nonce(base + WINDOW), bits: 0 });
        assert_eq!(row.answer, Some(ForcedAnswer::CancelAll { is_refused: false }));
        let next = World { state, ..World::new() };
        let spend = |nonce| [signed_move(index(BUYER), None, 1, nonce)];
        next.rejects(Rule::Nonce, "the last of the window", &spend(base + WINDOW - 1));
        next.accepts("the first above it", &spend(base + WINDOW));
    }
}

#[test]
fn rejects_forced_cancel_in_its_answer_where_the_nonces_do_not_reach_above_the_window() {
    // The last base whose window can be left is 2^40 − 65: another nonce is left above it.
    let last = Nonce::MAX.get() - WINDOW;
    for (base, is_refused) in
        [(last - 1, false), (last, false), (last + 1, true), (last + 64, true)]
    {
        let window = NonceWindow { base: nonce(base), bits: 0 };
        let world = with_window(window);
        let trace = world.accepts("forced", &[forced_cancel(index(BUYER))]);
        let row = row_of(&trace, BUYER);
        assert_eq!(row.answer, Some(ForcedAnswer::CancelAll { is_refused }), "{base}");
        assert_eq!(row.new.nonces == window, is_refused, "{base}");
    }
}
