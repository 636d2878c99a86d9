//! Forgeries that wait for the challenges: the transcript is kept, and what comes after it is
//! chosen.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::{Mode, R1cs, SparseMatrix};
use zkmargin_fixtures::forge::{self, Forgery, Lie};
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::babyjubjub::BASE8;

use crate::world::{self, Circuit, assignment};

/// Steps of one repair: each may break constraints that the next mends.
const STEPS: usize = 4;

/// A forger with a finished transcript.
struct Forger<'a> {
    r1cs: &'a R1cs<Fr>,
    /// Constraints after the transcript, by column made after it.
    after: BTreeMap<usize, Vec<usize>>,
    /// Challenges and everything before them.
    newest: usize,
}

impl<'a> Forger<'a> {
    fn new(circuit: &'a Circuit) -> Self {
        let r1cs = &circuit.r1cs;
        let named = |&w: &usize| r1cs.name(w).0 == "challenge";
        let newest = (0..r1cs.witnesses).filter(named).max().expect("challenges") + r1cs.instances;
        let (first, _) = circuit.facts.rounds[0];
        let mut after: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for k in first..r1cs.constraints() {
            let columns = [&r1cs.a, &r1cs.b, &r1cs.c].into_iter().flat_map(|m| m.row(k));
            let columns: BTreeSet<_> = columns.map(|(column, _)| column).collect();
            for column in columns.into_iter().filter(|&column| column > newest) {
                after.entry(column).or_default().push(k);
            }
        }
        Self { r1cs, after, newest }
    }

    fn sides(&self, k: usize, values: &[Fr]) -> [Fr; 3] {
        [&self.r1cs.a, &self.r1cs.b, &self.r1cs.c].map(|m| self.r1cs.product(m, k, values))
    }

    fn is_broken(&self, k: usize, values: &[Fr]) -> bool {
        let [a, b, c] = self.sides(k, values);
        a * b != c
    }

    fn broken(&self, values: &[Fr]) -> BTreeSet<usize> {
        (0..self.r1cs.constraints()).filter(|&k| self.is_broken(k, values)).collect()
    }

    /// The change of one column that satisfies a constraint in which it is linear.
    fn change(&self, k: usize, column: usize, values: &[Fr]) -> Option<Fr> {
        let of = |matrix: &SparseMatrix| {
            let mut terms = matrix.row(k).filter(|&(other, _)| other == column);
            terms.next().map_or(Fr::zero(), |(_, x)| self.r1cs.coefficients[x])
        };
        let [a, b, c] = self.sides(k, values);
        let [of_a, of_b, of_c] = [of(&self.r1cs.a), of(&self.r1cs.b), of(&self.r1cs.c)];
        if !(of_a * of_b).is_zero() {
            return None;
        }
        let slope = of_a * b + of_b * a - of_c;
        Some((c - a * b) * slope.inverse()?)
    }

    /// Mends a constraint by any column made after the challenges, and then what that breaks.
    fn can_repair(&self, values: &mut [Fr], broken: &BTreeSet<usize>, steps: usize) -> bool {
        let Some(&k) = broken.first() else { return true };
        if steps == 0 {
            return false;
        }
        let columns = [&self.r1cs.a, &self.r1cs.b, &self.r1cs.c].into_iter();
        let columns: BTreeSet<_> = columns.flat_map(|m| m.row(k)).map(|(c, _)| c).collect();
        columns.into_iter().filter(|&column| column > self.newest).any(|column| {
            let Some(change) = self.change(k, column, values) else { return false };
            values[column] += change;
            let mut left = broken.clone();
            for &other in &self.after[&column] {
                if self.is_broken(other, values) {
                    left.insert(other)
                } else {
                    left.remove(&other)
                };
            }
            let is_repaired = left.len() <= 2 && self.can_repair(values, &left, steps - 1);
            values[column] -= change;
            is_repaired
        })
    }
}

/// The assignment of a forgery, with more lies and faults planted.
fn forged(forgery: &Forgery, lies: &[Lie], plants: &[&'static str]) -> Vec<Fr> {
    let mut cs = Cs::new(Mode::Witness);
    for lie in forgery.lies.iter().chain(lies) {
        cs.lie(lie.row, lie.name, lie.skip, lie.change);
    }
    plants.iter().for_each(|plant| cs.plant(plant));
    let public = BatchPublic::stating(&forgery.words(), Fr::from(12_345u64));
    synthesize(&mut cs, &public, &forgery.trace);
    cs.finish().0.full()
}

/// Batches that break identities: the forged ones, and honest ones with a lie where no forgery
/// reaches the identity.
fn broken_batches() -> Vec<(&'static str, Vec<Fr>)> {
    let forgeries = forge::forgeries();
    let mut batches: Vec<_> =
        forgeries.iter().map(|forgery| (forgery.what, forged(forgery, &[], &[]))).collect();
    let lies = [
        ("another position before", 281, "accounts", "old quantity"),
        ("another slot settled", 13, "accounts", "slot is settled"),
        ("a position of who is refused", 351, "two-sided accounts", "counterparty is full"),
    ];
    // What an instrument claims to be settled stands in no row.
    let claim = Lie { row: None, name: "weighted settled quantity", skip: 0, change: Fr::ONE };
    batches.push(("another claim", assignment(&world::batches(&[13])[0], &[claim], &[])));
    for (what, seed, table, name) in lies {
        for row in 0..5 {
            let trace = &world::batches(&[seed])[0];
            let lie = Lie { row: Some((table, row)), name, skip: 0, change: Fr::ONE };
            batches.push((what, assignment(trace, &[lie], &[])));
        }
    }
    batches
}

#[test]
fn no_value_behind_the_challenges_mends_an_identity() {
    let circuit = Circuit::new(&[]);
    let forger = Forger::new(&circuit);
    let (first, _) = circuit.facts.rounds[0];
    let mut attacked: BTreeMap<&str, usize> = BTreeMap::new();
    for (what, mut values) in broken_batches() {
        for identity in forger.broken(&values).into_iter().filter(|&k| k >= first) {
            let label = circuit.r1cs.label(identity).what;
            let times = attacked.entry(label).or_default();
            *times += 1;
            if *times > 2 {
                continue;
            }
            // The forger is given the rest: only this identity has to be mended.
            let is_mended = forger.can_repair(&mut values, &BTreeSet::from([identity]), STEPS);
            assert!(!is_mended, "{what}: {label}");
        }
    }
    let after = first..circuit.r1cs.constraints();
    let labels =
        after.map(|k| circuit.r1cs.label(k)).filter(|label| IDENTITIES.contains(&label.what));
    let labels: BTreeSet<_> = labels.map(|label| label.what).collect();
    println!("{attacked:#?}");
    assert_eq!(labels, BTreeSet::from(IDENTITIES), "labels of the circuit");
    assert_eq!(attacked.into_keys().collect::<BTreeSet<_>>(), labels, "every identity is attacked");
}

/// Labels of the identities.
const IDENTITIES: [&str; 21] = [
    "touched children are rows",
    "opened children are rows",
    "touched holdings are rows",
    "holders are counted",
    "changes are the legs",
    "no position has grown",
    "positions stay where contracts do",
    "no position has grown after a jump",
    "nonces used are those signed",
    "changes are those asked for",
    "keys are those of the accounts",
    "deposits name the account's keys",
    "specifications are those of the table",
    "counterparties are accounts of the batch",
    "contracts are at the table's prices",
    "positions settled are rows of the table",
    "nothing live is settled",
    "nothing settled is left",
    "settled positions are paid at their mark",
    "positions held are rows of the table",
    "claims are the table's",
];

/// A batch in which a buyer pays one micro-USDC less; no request is in it.
fn minting() -> Forgery {
    let mut forgeries = forge::forgeries().into_iter();
    let found = forgeries.find(|f| f.what == "a buyer who pays one micro-USDC less");
    found.expect("a forgery of the Ledger")
}

/// The first request, which is padding, made to look like a rekey with this number.
fn rekey_in_padding(number: Fr) -> [Lie; 4] {
    let lie = |name, skip, change| Lie { row: Some(("requests", 0)), name, skip, change };
    [
        lie("changes the account", 0, Fr::ONE),
        lie("new key", 0, BASE8.x),
        lie("new key", 1, BASE8.y),
        lie("number", 0, number),
    ]
}

/// Labels of what is broken once a number has been chosen for the point, and a fraction over zero
/// has taken what the ledger lacks, if there is one.
fn minted(plants: &[&'static str]) -> Vec<&'static str> {
    let circuit = Circuit::new(plants);
    let forger = Forger::new(&circuit);
    let (r1cs, forgery) = (&circuit.r1cs, minting());
    assert_eq!(forgery.rule, Rule::Ledger);
    let before = forged(&forgery, &rekey_in_padding(Fr::zero()), plants);
    let named = |&w: &usize| r1cs.name(w).0 == "challenge";
    let columns = (0..r1cs.witnesses).filter(named).map(|w| r1cs.instances + w);
    let challenges: Vec<_> = columns.map(|column| before[column]).collect();
    let [_, _, _, gamma, beta, _] = challenges[..] else { panic!("six challenges") };
    let number = (gamma - Fr::from(1u64 << 16)) * beta.inverse().expect("not zero");
    let mut values = forged(&forgery, &rekey_in_padding(number), plants);
    let ledger = (0..r1cs.constraints()).find(|&k| r1cs.label(k).what == "changes are the legs");
    let ledger = ledger.expect("the ledger's identity");
    let is_void = |&k: &usize| {
        let [_, denominator, numerator] = forger.sides(k, &values);
        r1cs.label(k).what == "fraction" && denominator.is_zero() && numerator.is_zero()
    };
    if let Some(fraction) = (0..r1cs.constraints()).find(is_void) {
        let (column, _) = r1cs.a.row(fraction).next().expect("a fraction");
        let change = forger.change(ledger, column, &values).expect("a leg");
        values[column] += change;
    }
    forger.broken(&values).into_iter().map(|k| r1cs.label(k).what).collect()
}

#[test]
fn a_number_chosen_for_the_point_mints_money_only_where_that_hole_is_planted() {
    // But for the range of the number, which stands in the way by chance, nothing would be broken.
    assert_eq!(minted(&["free recipient of a rekey"]), ["number"]);
    assert_eq!(minted(&[]), ["number", "changes are the legs"]);
}
