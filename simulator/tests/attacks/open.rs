//! Attacks that the present rules allow. Each entry names the rule that will refuse it.

use zkmargin_simulator::coalition::ground::Ground;
use zkmargin_simulator::coalition::{Amount, Outcome, Point};

use super::attack;
use super::closed::{ROUNDING_E6, nothing};

/// One USDC.
const USDC: i128 = 1_000_000;

/// An attack that is allowed.
pub struct Open {
    /// Its name.
    pub attack: &'static str,
    /// Between what its gain lies at the recorded point. `docs/simulation.md` has the exact figure;
    /// the bounds leave room for a change of margins.
    pub gain: [i128; 2],
    /// What it may gain once the rule holds: the bound of its entry in `CLOSED`.
    pub then: fn(&Outcome) -> i128,
}

/// What the present rules allow.
pub const OPEN: [Open; 7] = [
    // Rule to come: a deficit is counted and never paid, and the count goes with the deficit.
    // Measured: 608,055.
    Open { attack: "wick", gain: [300_000 * USDC, 1_200_000 * USDC], then: nothing },
    // Rule to come: the fund pays at most 20 % of maintenance margin beyond the debt.
    // Measured: 806,299, all of the maintenance margin.
    Open { attack: "partner-bid", gain: [400_000 * USDC, 1_600_000 * USDC], then: premium },
    // Rule to come: a least bid of a tenth, or of 250,000 USDC of maintenance margin.
    // Measured: 649,380 ppm more than without the block; 904,340 ppm left.
    Open { attack: "blocker", gain: [400_000, 950_000], then: small_bids },
    // Rule to come: the band bit stands while the last epoch outside is after the last batch's.
    // Measured: 595,350.
    Open { attack: "skipped-epoch", gain: [300_000 * USDC, 1_200_000 * USDC], then: nothing },
    // Rule to come: tables of a shorter age. Measured: 43,769 of an equity of 380,035.
    Open { attack: "sale-in-age", gain: [20_000 * USDC, 90_000 * USDC], then: short_age },
    // Rule to come: a fee per request. Measured: all 16 requests.
    Open { attack: "self-transfers", gain: [16, 16], then: nothing },
    // Rule to come: a fee per request and a least quantity. Measured: all 128 instruments.
    Open { attack: "dust", gain: [128, 128], then: nothing },
];

/// 20 % of the maintenance margin: what the risk taken over is worth at most.
fn premium(outcome: &Outcome) -> i128 {
    outcome.figure("maintenance margin").unwrap_or(0) / 5 + ROUNDING_E6
}

/// 0.9^10 of the book, in ppm: ten bids of a tenth leave as much.
fn small_bids(_: &Outcome) -> i128 {
    348_679
}

/// 2 % of the equity: what the price of an auction falls by in 65 seconds, rounded up.
fn short_age(outcome: &Outcome) -> i128 {
    outcome.figure("equity in auction").unwrap_or(0) / 50
}

#[test]
fn open_attacks_gain_what_was_measured() {
    let ground = Ground::new().expect("the shipped chain");
    let mut wrong = Vec::new();
    for Open { attack: name, gain: [least, most], then } in OPEN {
        let attack = attack(name);
        let outcome = attack.run(&ground, &Point::default()).expect("the recorded point");
        let shown = Amount(outcome.gain, attack.unit());
        println!("{name}: {shown}");
        if outcome.gain <= then(&outcome) {
            wrong.push(format!("{name} gains {shown}: a rule holds, move its entry to CLOSED"));
        } else if !(least..=most).contains(&outcome.gain) {
            wrong.push(format!("{name} gains {shown}: outside of {least} to {most}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
