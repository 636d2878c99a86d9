//! Changes one variable at a time, lets everything follow, and looks at what the prover gains.
//!
//! A lie that breaks no constraint of its row is a choice. One that leaves the challenges where
//! they were must change no key and no numerator. One that moves them is a choice made before the
//! point: the table of choices names the identities that bind it, so that a choice nobody meant
//! stands out.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use zkmargin_circuits::cs::forgery::Place;
use zkmargin_circuits::cs::{Mode, Role};
use zkmargin_fixtures::forge::Lie;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::trace::BatchTrace;

use crate::modes;
use crate::world::{Circuit, SEEDS, assignment, batches, build};

/// The ledger of choices.
const CHOICES: &str = include_str!("choices.csv");

/// Table, variable, and the identities that a change of it breaks.
type Choice = (&'static str, &'static str, Vec<&'static str>);

/// What a scan has seen.
#[derive(Default)]
struct Seen {
    lies: usize,
    choices: BTreeSet<Choice>,
    /// Lies after the point: what was changed, and the label of what depends on it.
    holes: BTreeSet<(Place, &'static str, Rule)>,
}

impl Seen {
    fn and(mut self, other: Self) -> Self {
        self.lies += other.lies;
        self.choices.extend(other.choices);
        self.holes.extend(other.holes);
        self
    }
}

/// A circuit, and which constraints and columns matter to a scan.
struct Scan<'a> {
    circuit: &'a Circuit,
    plants: &'a [&'static str],
    /// Labels of checks that are left out.
    waived: Vec<&'static str>,
    /// Constraints before the first round.
    first: usize,
    challenges: Vec<usize>,
}

/// A variable by place, name and number among those of the name there.
struct Candidate {
    column: usize,
    place: Place,
    name: &'static str,
    skip: usize,
    is_bit: bool,
}

impl<'a> Scan<'a> {
    fn new(circuit: &'a Circuit, plants: &'a [&'static str]) -> Self {
        let r1cs = &circuit.r1cs;
        let named = |&w: &usize| r1cs.name(w).0 == "challenge";
        let challenges = (0..r1cs.witnesses).filter(named).map(|w| r1cs.instances + w).collect();
        let (first, _) = circuit.facts.rounds[0];
        // The statement follows the lie: its commitment is another, and absorbed as such.
        let waived = vec!["commitment to the words", "evaluation of the words"];
        Self { circuit, plants, waived, first, challenges }
    }

    /// Every name of every row: the first variable of the name, the second and the last. Variables
    /// that others determine are left out, but for bits.
    fn candidates(&self) -> Vec<Candidate> {
        let r1cs = &self.circuit.r1cs;
        let bits = self.bits();
        let mut by_name: BTreeMap<(Place, &str), Vec<usize>> = BTreeMap::new();
        let limit = self.first_column_after();
        for witness in 0..limit - r1cs.instances {
            let (name, role) = r1cs.name(witness);
            let is_internal = name == "bit" || name == "scalar bit";
            let is_chosen = role != Role::Derived || bits.contains(&(r1cs.instances + witness));
            if is_chosen && !is_internal {
                let place = self.circuit.notes.place(witness);
                by_name.entry((place, name)).or_default().push(witness);
            }
        }
        let mut candidates = Vec::new();
        for ((place, name), witnesses) in by_name {
            // A lie counts every variable of the name.
            let all = (0..r1cs.witnesses)
                .filter(|&w| r1cs.name(w).0 == name && self.circuit.notes.place(w) == place);
            let all: Vec<_> = if witnesses.len() == 1 { witnesses.clone() } else { all.collect() };
            for &witness in [0, witnesses.len() - 1].iter().filter_map(|&k| witnesses.get(k)) {
                let skip = all.iter().position(|&w| w == witness).expect("one of them");
                let column = r1cs.instances + witness;
                let is_bit = bits.contains(&column);
                candidates.push(Candidate { column, place, name, skip, is_bit });
            }
        }
        candidates.dedup_by_key(|candidate| candidate.column);
        candidates
    }

    /// Columns that are bits.
    fn bits(&self) -> BTreeSet<usize> {
        let r1cs = &self.circuit.r1cs;
        let rows = (0..self.first).filter(|&k| r1cs.c.row(k).next().is_none());
        let bit = |k: usize| {
            let a: Vec<_> = r1cs.a.row(k).collect();
            let b: Vec<_> = r1cs.b.row(k).collect();
            let ([(x, _)], [(0, _), (y, _)]) = (&a[..], &b[..]) else { return None };
            (x == y).then_some(*x)
        };
        rows.filter_map(bit).collect()
    }

    /// The first column made after the first round began: its first challenge follows a
    /// permutation.
    fn first_column_after(&self) -> usize {
        let before = self.circuit.r1cs.a.columns[..self.circuit.r1cs.a.offsets[self.first]].iter();
        *before.max().expect("constraints") as usize + 1
    }

    fn is_broken(&self, k: usize, values: &[Fr]) -> bool {
        let r1cs = &self.circuit.r1cs;
        let [a, b, c] = [&r1cs.a, &r1cs.b, &r1cs.c].map(|m| r1cs.product(m, k, values));
        a * b != c && !self.waived.contains(&r1cs.label(k).what)
    }

    /// The fractions that some identity depends on: not those which a zero multiplies. Later
    /// constraints are looked at first, so that what a column leads to is known before the column
    /// is.
    fn counting(&self, values: &[Fr]) -> Vec<usize> {
        let r1cs = &self.circuit.r1cs;
        let mut counts = vec![false; values.len()];
        let mut fractions = Vec::new();
        for k in (self.first..r1cs.constraints()).rev() {
            if r1cs.label(k).what == "fraction" {
                let (column, _) = r1cs.a.row(k).next().expect("a fraction is a variable");
                fractions.extend(counts[column].then_some(k));
                continue;
            }
            let product: Vec<_> = r1cs.c.row(k).collect();
            let is_asked = match product[..] {
                [(column, _)] => counts[column],
                _ => true,
            };
            for (one, other) in [(&r1cs.a, &r1cs.b), (&r1cs.b, &r1cs.a)] {
                if is_asked && !r1cs.product(other, k, values).is_zero() {
                    one.row(k).for_each(|(column, _)| counts[column] = true);
                }
            }
        }
        fractions
    }

    /// Denominators and numerators.
    fn sides(&self, fractions: &[usize], values: &[Fr]) -> Vec<[Fr; 2]> {
        let r1cs = &self.circuit.r1cs;
        let side = |&k| [&r1cs.b, &r1cs.c].map(|matrix| r1cs.product(matrix, k, values));
        fractions.iter().map(side).collect()
    }

    /// Tells lies about these variables together, each in turn with all that follows.
    fn run(&self, trace: &BatchTrace, tuples: &[Vec<&Candidate>]) -> Seen {
        let honest = assignment(trace, &[], self.plants);
        let fractions = self.counting(&honest);
        let sides = self.sides(&fractions, &honest);
        let tell = |tuple: &Vec<&Candidate>| self.tell(trace, tuple, (&honest, &fractions, &sides));
        tuples.par_iter().map(tell).reduce(Seen::default, Seen::and)
    }

    fn tell(
        &self,
        trace: &BatchTrace,
        tuple: &[&Candidate],
        (honest, fractions, sides): (&[Fr], &[usize], &[[Fr; 2]]),
    ) -> Seen {
        let lie = |candidate: &&Candidate| {
            let &&Candidate { column, place, name, skip, is_bit } = candidate;
            let value = honest[column];
            let change = if is_bit { Fr::ONE - value.double() } else { Fr::from(3u64) };
            Lie { row: place, name, skip, change }
        };
        let lies: Vec<_> = tuple.iter().map(lie).collect();
        let cs = build(Mode::Witness, trace, &lies, self.plants);
        let mut seen = Seen { lies: 1, ..Seen::default() };
        // Most lies end here, at the first constraint that they break.
        if let Some(failure) = cs.unsatisfied()
            && failure.index < self.first
            && !self.waived.contains(&failure.label.what)
        {
            return seen;
        }
        let values = cs.finish().0.full();
        if (0..self.first).any(|k| self.is_broken(k, &values)) {
            return seen;
        }
        let (first, label) = (tuple[0], |k| self.circuit.r1cs.label(k));
        if self.challenges.iter().all(|&column| values[column] == honest[column]) {
            let now = self.sides(fractions, &values);
            let differing =
                fractions.iter().zip(now.iter().zip(sides)).filter(|(_, (a, b))| a != b);
            for (&k, _) in differing {
                let rule = label(k).rule.expect("identities have rules");
                seen.holes.insert((first.place, first.name, rule));
            }
        } else if let (Some((table, _)), [_]) = (first.place, tuple) {
            let after = self.first..self.circuit.r1cs.constraints();
            let broken: BTreeSet<_> =
                after.filter(|&k| self.is_broken(k, &values)).map(|k| label(k).what).collect();
            seen.choices.insert((table, first.name, broken.into_iter().collect()));
        }
        seen
    }
}

/// Rows of a table that are scanned; others hold the same variables.
const ROWS: usize = 2;

/// Every table, and what stands in none.
const TABLES: [&str; 10] = [
    "none",
    "accounts",
    "two-sided accounts",
    "requests",
    "deposits",
    "trades",
    "instruments",
    "nodes",
    "risk nodes",
    "interest nodes",
];

/// Scans a batch for lies about single variables in these places and of these names.
fn singles(scan: &Scan, trace: &BatchTrace, is_meant: impl Fn(Place, &str) -> bool) -> Seen {
    let mut candidates = scan.candidates();
    candidates.retain(|candidate| is_meant(candidate.place, candidate.name));
    let tuples: Vec<_> = candidates.iter().map(|candidate| vec![candidate]).collect();
    scan.run(trace, &tuples)
}

/// Scans the first rows of some tables.
fn first_rows(scan: &Scan, trace: &BatchTrace, tables: &[&str]) -> Seen {
    singles(scan, trace, |place, _| match place {
        Some((table, row)) => tables.contains(&table) && row < ROWS,
        None => tables.contains(&"none"),
    })
}

/// Two batches with much in them, and one in which a forced reduction is done.
fn scanned() -> [(BatchTrace, &'static [&'static str]); 3] {
    let reduces = |trace: &BatchTrace| modes::of(trace).contains("forced: reduction done");
    let third = batches(&SEEDS).into_iter().find(reduces).expect("a forced reduction");
    let [first, second] = batches(&[SEEDS[0], 0]).try_into().expect("two batches");
    [(first, &TABLES), (second, &["accounts", "requests"]), (third, &["two-sided accounts"])]
}

/// The choices that some identity has to bind, as lines of the ledger.
fn lines(choices: &BTreeSet<Choice>) -> BTreeSet<String> {
    let bound = choices.iter().filter(|(_, _, broken)| !broken.is_empty());
    let line = |(table, name, broken): &Choice| format!("{table},{name},{}", broken.join("; "));
    bound.map(line).collect()
}

#[test]
fn no_lie_reaches_an_identity_behind_the_challenges_and_no_choice_is_new() {
    let circuit = Circuit::new(&[]);
    let scan = Scan::new(&circuit, &[]);
    let scanned = scanned();
    let seen = scanned.iter().map(|(trace, tables)| first_rows(&scan, trace, tables));
    let seen = seen.fold(Seen::default(), Seen::and);
    println!("{} lies, {} choices", seen.lies, seen.choices.len());
    assert_eq!(seen.holes, BTreeSet::new());
    let lines = lines(&seen.choices);
    if std::env::var_os("ZKMARGIN_WRITE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/determinacy/choices.csv");
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(path, text).expect("the ledger of choices");
    }
    let ledger: BTreeSet<_> = CHOICES.lines().map(str::to_owned).collect();
    assert_eq!(ledger, lines, "ZKMARGIN_WRITE=1 writes the ledger again");
}

#[test]
fn finds_a_bidder_in_a_row_without_a_bid() {
    let circuit = Circuit::new(&[]);
    let mut scan = Scan::new(&circuit, &[]);
    scan.waived.push("a row without a bid names nobody");
    let [_, _, (trace, _)] = scanned();
    let is_bidder = |_, name: &str| name == "bidder";
    let new = lines(&singles(&scan, &trace, is_bidder).choices);
    assert_eq!(new, BTreeSet::from(["two-sided accounts,bidder,changes are the legs".to_owned()]));
    scan.waived.pop();
    assert_eq!(lines(&singles(&scan, &trace, is_bidder).choices), BTreeSet::new());
}

/// Faults, the batches and tables in which they show, a variable that is then chosen after the
/// point, and whose rule.
const PLANTS: [(&str, usize, &str, &str, Rule); 12] = [
    ("nonces newly used", 7, "accounts", "nonce newly used", Rule::Nonce),
    ("free recipient of a rekey", 5, "requests", "number", Rule::Ledger),
    ("old leaf", 0, "accounts", "old cash", Rule::Ledger),
    ("settlement cash", 0, "accounts", "settlement cash", Rule::Ledger),
    ("request challenge", 2, "requests", "request nonce", Rule::Nonce),
    ("request flags", 0, "requests", "tier", Rule::AccountExists),
    ("node hashes", 0, "nodes", "new child", Rule::AccountTree),
    ("node place", 0, "nodes", "node index", Rule::AccountTree),
    ("risk leaf", 0, "instruments", "mark", Rule::InstrumentLive),
    ("risk node hash", 0, "risk nodes", "risk child", Rule::InstrumentLive),
    ("holders", 0, "instruments", "holders after", Rule::IndexReuse),
    ("interest node place", 0, "interest nodes", "node index", Rule::IndexReuse),
];

#[test]
fn finds_what_is_planted() {
    for (plant, seed, table, name, rule) in PLANTS {
        let plants = [plant];
        let circuit = Circuit::new(&plants);
        let [trace] = batches(&[SEEDS[seed]]).try_into().expect("one batch");
        // Row 0 of a tree is its root, which the statement fixes.
        let is_meant = |place: Place, other: &str| {
            other == name && place.is_some_and(|(of, row)| of == table && row < 2 * ROWS)
        };
        let holes = singles(&Scan::new(&circuit, &plants), &trace, is_meant).holes;
        assert!(holes.iter().any(|&(_, _, of)| of == rule), "{plant}: {holes:?}");
    }
}

/// Pairs of variables of one row, drawn at random: as many of each batch as `ZKMARGIN_PAIRS` says.
#[test]
fn no_pair_of_lies_reaches_an_identity_behind_the_challenges() {
    let count = std::env::var("ZKMARGIN_PAIRS").map_or(200, |n| n.parse().expect("a number"));
    let circuit = Circuit::new(&[]);
    let scan = Scan::new(&circuit, &[]);
    let candidates = scan.candidates();
    let mut rows: BTreeMap<Place, Vec<&Candidate>> = BTreeMap::new();
    for candidate in &candidates {
        rows.entry(candidate.place).or_default().push(candidate);
    }
    let rows: Vec<_> = rows.into_values().filter(|row| row.len() > 1).collect();
    let seeds = if count > 200 { &SEEDS[..] } else { &SEEDS[..1] };
    for (seed, trace) in seeds.iter().zip(batches(seeds)) {
        let mut rng = ChaCha8Rng::seed_from_u64(*seed);
        let pair = |_| -> Vec<&Candidate> {
            let row = rows.choose(&mut rng).expect("a row");
            row.choose_multiple(&mut rng, 2).copied().collect()
        };
        let pairs: Vec<_> = (0..count).map(pair).collect();
        assert_eq!(scan.run(&trace, &pairs).holes, BTreeSet::new(), "seed {seed}");
    }
}
