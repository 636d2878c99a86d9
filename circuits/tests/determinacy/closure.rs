//! Derives from what is absorbed everything that follows, and wants every identity to be among it.

use std::collections::{BTreeMap, BTreeSet};
use zkmargin_protocol::batch::trace::BatchTrace;

use rayon::prelude::*;
use zkmargin_audit::closure::Transcript;

use crate::modes;
use crate::world::{Circuit, SEEDS, assignment, batches};

/// Identities that depend on what is free, with the names of what is free.
type Found = BTreeMap<&'static str, BTreeSet<&'static str>>;

/// What the transcript of a circuit leaves free in these batches.
fn free(circuit: &Circuit, traces: &[BatchTrace], plants: &[&'static str]) -> Found {
    let transcript = Transcript::new(&circuit.r1cs, &circuit.facts);
    let of = |trace: &BatchTrace| {
        let values = assignment(trace, &[], plants);
        assert_eq!(circuit.r1cs.first_unsatisfied(&values), None, "an honest batch");
        transcript.free(&values)
    };
    let mut found = Found::new();
    for free in traces.par_iter().flat_map(of).collect::<Vec<_>>() {
        let names = found.entry(circuit.r1cs.label(free.constraint).what).or_default();
        // Public inputs are free as well where nothing is absorbed.
        let witnesses = free.columns.iter().filter_map(|c| c.checked_sub(circuit.r1cs.instances));
        names.extend(witnesses.map(|witness| circuit.r1cs.name(witness).0));
    }
    found
}

#[test]
fn the_transcript_fixes_every_identity_in_every_mode() {
    let traces = batches(&SEEDS);
    let seen: BTreeSet<_> = traces.iter().flat_map(modes::of).collect();
    assert_eq!(seen, BTreeSet::from(modes::ALL));
    assert_eq!(free(&Circuit::new(&[]), &traces, &[]), Found::new());
}

/// What is free with a fault planted.
fn planted(plant: &'static str, traces: &[BatchTrace]) -> Found {
    free(&Circuit::new(&[plant]), traces, &[plant])
}

#[test]
fn finds_a_number_that_nobody_signs_as_the_key_of_a_leg() {
    let found = planted("free recipient of a rekey", &batches(&SEEDS));
    assert_eq!(found, Found::from([("changes are the legs", BTreeSet::from(["number"]))]));
}

#[test]
fn finds_a_flag_before_its_fraction() {
    let found = planted("flag before its fraction", &batches(&SEEDS[..2]));
    let free = BTreeSet::from(["new cash", "slot is used"]);
    assert_eq!(found, Found::from([("counterparties are accounts of the batch", free)]));
}

#[test]
fn finds_a_packed_part_without_a_range() {
    // Places where a part of what is absorbed, signed or stored is ranged, each left out.
    let parts = [
        "minimum quantity",
        "order has not expired",
        "request has not expired",
        "new nonce base",
        "requirement is not below",
        "instruments of the book",
    ];
    let traces = batches(&SEEDS[..6]);
    for what in parts {
        let mut circuit = Circuit::new(&[]);
        circuit.forget_range(what);
        let found = free(&circuit, &traces, &[]);
        println!("without the range of {what}: {found:?}");
        assert_ne!(found, Found::new(), "{what}");
    }
}

/// The table of the page: by identity the elements that fix it.
fn page() -> BTreeMap<String, BTreeSet<String>> {
    let page = include_str!("../../../docs/spec/batch/argument.md");
    let (_, table) = page.split_once("## What fixes each identity").expect("the heading");
    let lines = table.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let mut page: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, label, _, _, _, elements] = cells[..] else { panic!("six cells: {row}") };
        let elements = elements.split(", ").map(str::to_owned);
        page.entry(label.to_owned()).or_default().extend(elements);
    }
    page
}

#[test]
fn the_page_says_what_fixes_each_identity() {
    let traces = batches(&SEEDS);
    let mut needed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut names = Circuit::new(&[]).notes.names;
    // Without the link the point depends on nothing that the rows say.
    assert!(names.remove("link"));
    assert!(planted("link", &traces[..1]).len() > 15);
    for element in names {
        let found = planted(element, &traces);
        for identity in found.into_keys() {
            needed.entry(identity.to_owned()).or_default().insert(element.to_owned());
        }
    }
    assert_eq!(page(), needed);
}
