//! The attacks of coalitions, each played at its recorded point and near it.
//!
//! `open.rs` lists the attacks that the rules still allow, `closed.rs` those that they refuse. When
//! a rule lands, an entry of the first list turns red and moves to the second.

#[path = "attacks/closed.rs"]
mod closed;
#[path = "attacks/measure.rs"]
mod measure;
#[path = "attacks/open.rs"]
mod open;

use std::collections::BTreeSet;

use zkmargin_simulator::coalition::{Attack, attacks};

/// An attack by its name.
fn attack(name: &str) -> &'static dyn Attack {
    let found = attacks::ALL.into_iter().find(|attack| attack.name() == name);
    found.unwrap_or_else(|| panic!("no attack is called {name}"))
}

#[test]
fn every_attack_is_open_or_closed() {
    let open = open::OPEN.iter().map(|open| open.attack);
    let closed = closed::CLOSED.iter().map(|closed| closed.attack);
    let listed: Vec<&str> = open.chain(closed).collect();
    let known: BTreeSet<&str> = attacks::ALL.iter().map(|attack| attack.name()).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), known);
    assert_eq!(listed.len(), known.len(), "an attack is listed twice");
}
