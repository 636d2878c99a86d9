//! No invariant that cannot fail: honest operations, batches and epochs with one thing changed,
//! each found by the invariant it concerns.

mod invariants {
    pub mod batches;
    pub mod gallery;
    pub mod steps;
}

use std::collections::BTreeSet;

use invariants::gallery::Gallery;
use invariants::{batches, steps};
use zkmargin_simulator::audit::Auditor;
use zkmargin_simulator::invariants::{Breach, Invariant};

#[test]
fn every_invariant_is_checked_once() {
    let mut checks = Auditor::checks();
    checks.sort();
    assert_eq!(checks, Invariant::ALL);
    assert!(Invariant::ALL.iter().all(|invariant| invariant.sentence().ends_with('.')));
}

#[test]
fn every_invariant_can_fail() {
    let gallery = Gallery::collect();
    let cases = steps::cases().into_iter().map(|(invariant, sample, forge)| {
        let mut shown = gallery.step(sample).clone();
        assert_eq!(shown.breaches(), Vec::<Breach>::new(), "{sample}");
        forge(&mut shown);
        (invariant, shown.breaches())
    });
    let cases = cases.chain(batches::cases().into_iter().map(|(invariant, forge)| {
        let mut shown = gallery.seal.clone().expect("a batch with everything");
        assert_eq!(shown.breaches(), Vec::<Breach>::new());
        forge(&mut shown);
        (invariant, shown.breaches())
    }));
    let cases = cases.chain(batches::epochs().into_iter().map(|(invariant, forge)| {
        let mut shown = gallery.epoch.clone().expect("an epoch with settled options");
        assert_eq!(shown.breaches(), Vec::<Breach>::new());
        forge(&mut shown);
        (invariant, shown.breaches())
    }));
    let mut failed = BTreeSet::new();
    for (invariant, breaches) in cases {
        let found: Vec<_> = breaches.iter().map(|breach| breach.invariant).collect();
        assert!(found.contains(&invariant), "{invariant:?} not among {found:?}");
        failed.insert(invariant);
    }
    assert!(failed.iter().eq(Invariant::ALL), "without a forgery: {:?}", missing(&failed));
}

fn missing(failed: &BTreeSet<Invariant>) -> Vec<Invariant> {
    Invariant::ALL.iter().copied().filter(|invariant| !failed.contains(invariant)).collect()
}
