//! Attacks that the rules refuse: nowhere near the recorded point do they gain more than allowed.

use std::ops::ControlFlow;

use zkmargin_simulator::coalition::Outcome;
use zkmargin_simulator::coalition::ground::Ground;
use zkmargin_simulator::coalition::search::search;

use super::attack;

/// Points tried of each attack.
const TRIES: u64 = 25;
/// Where chance begins.
const SEED: u64 = 7;
/// What prices in thousandths and floors of shares may leave, micro-USDC.
pub const ROUNDING_E6: i128 = 1_000;

/// An attack that is refused.
pub struct Closed {
    /// Its name.
    pub attack: &'static str,
    /// The most that it may gain.
    pub most: fn(&Outcome) -> i128,
}

/// What the present rules refuse.
pub const CLOSED: [Closed; 9] = [
    // `RiskReduction`: the ratio of equity to initial margin does not fall. Once 142,262 above
    // holding.
    Closed { attack: "pair-calm", most: nothing },
    // The same, outside of the price band. Once 615,993.
    Closed { attack: "pair-jump", most: nothing },
    // The same, for equity at or below zero. Once 992,965.
    Closed { attack: "pair-insolvent", most: nothing },
    // The same, in the first batch under new parameters. Once 325,647.
    Closed { attack: "pair-factors", most: nothing },
    // The same, as an expiry passes. Once 1,200,859.
    Closed { attack: "pair-expiry", most: nothing },
    // `Frozen`: who is found below maintenance margin and stays short has signed nothing. Once all
    // of 20 batches.
    Closed { attack: "dodger", most: nothing },
    // `OracleOrder`: a batch is not before the batch before it. Once 121,169.
    Closed { attack: "late-fill", most: nothing },
    // `FeeSchedule`: the cap of a fee is of the larger of price and mark. Once 42.682.
    Closed { attack: "fee-evasion", most: nothing },
    // No scenario adds value to an option beyond its price in that scenario.
    Closed { attack: "worthless-longs", most: nothing },
];

/// Nothing but rounding. Fees make the gain smaller.
pub fn nothing(outcome: &Outcome) -> i128 {
    if outcome.figure("held").is_some() { ROUNDING_E6 } else { 0 }
}

#[test]
fn closed_attacks_gain_nothing_wherever_the_search_looks() {
    let ground = Ground::new().expect("the shipped chain");
    for Closed { attack: name, most } in CLOSED {
        let attack = attack(name);
        let found = search(attack, &ground, [TRIES, SEED], &mut |_| ControlFlow::Continue(()));
        let best = found.best.as_ref().expect("the recorded point can be played");
        assert!(best.outcome.gain <= most(&best.outcome), "{name}: {}", best.shown(attack));
    }
}
