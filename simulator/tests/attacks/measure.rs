//! What the attacks measure: gains are losses of somebody, and a search finds the same again.

use std::ops::ControlFlow;

use zkmargin_simulator::coalition::ground::Ground;
use zkmargin_simulator::coalition::search::search;
use zkmargin_simulator::coalition::{Outcome, Point, attacks};

use super::attack;

/// Cash is conserved: what the coalition owns above what it brought, somebody has lost.
fn assert_adds_up(name: &str, outcome: &Outcome) {
    let figure = |name| outcome.figure(name).expect("a figure of money");
    let lost = figure("left unpaid") + figure("fund lost") + figure("others lost");
    assert_eq!(figure("above brought"), lost - figure("fees"), "{name}: {outcome:?}");
}

#[test]
fn what_is_gained_is_lost_by_somebody() {
    let ground = Ground::new().expect("the shipped chain");
    let mut count = 0;
    for attack in attacks::ALL {
        let outcome = attack.run(&ground, &Point::default()).expect("the recorded point");
        if outcome.figure("brought").is_some() {
            assert_adds_up(attack.name(), &outcome);
            count += 1;
        }
    }
    assert_eq!(count, 10);
}

#[test]
fn points_stay_within_the_ranges_of_their_parameters() {
    for attack in attacks::ALL {
        for parameter in attack.parameters() {
            let [least, most] = parameter.range;
            let name = (attack.name(), parameter.name);
            assert!((least..=most).contains(&parameter.first), "{name:?}");
            let mut point = Point::default();
            point.set(&parameter, most + 1);
            assert_eq!(point.get(&parameter), most, "{name:?}");
        }
    }
}

#[test]
fn search_finds_no_less_than_the_recorded_attack_and_the_same_again() {
    let ground = Ground::new().expect("the shipped chain");
    let attack = attack("pair-jump");
    let recorded = attack.run(&ground, &Point::default()).expect("the recorded point");
    let find = || search(attack, &ground, [20, 3], &mut |_| ControlFlow::Continue(()));
    let found = find();
    assert_eq!(found.tries, 20);
    let best = found.best.clone().expect("a point");
    assert!(best.outcome.gain >= recorded.gain);
    assert_eq!(find(), found);
}
