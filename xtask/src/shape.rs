//! `cargo xtask shape`: the ledger of circuit shapes, `fixtures/shape.csv`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zkmargin_circuits::catalogue::Circuit;
use zkmargin_circuits::cs::{Label, Mode};
use zkmargin_host::output;
use zkmargin_protocol::Rule;

use crate::failure::Failure;
use crate::ledger::{Line, Selection};

const LEDGER: &str = "shape.csv";

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Measured {
    name: String,
    constraints: usize,
    nonzeros: usize,
    variables: usize,
    public_inputs: usize,
    digest: String,
}

impl Line for Measured {
    fn name(&self) -> &str {
        &self.name
    }
}

/// Compares the shapes of the circuits chosen with the ledger, or writes them.
pub fn run(selection: &Selection) -> Result<(), Failure> {
    let ledger = selection.ledger::<Measured>(LEDGER)?;
    let lines: Result<_, _> = selection.circuits()?.into_iter().map(measure).collect();
    selection.settle(ledger, lines?)
}

fn measure(circuit: &Circuit) -> Result<Measured, String> {
    let cs = circuit.build(Mode::Shape, 0);
    if let Some(failure) = cs.unsatisfied() {
        return Err(format!("{}: {failure}", circuit.name));
    }
    let (_, r1cs) = cs.finish();
    let r1cs = r1cs.expect("shape mode records matrices");
    let digest: String = r1cs.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Measured {
        name: circuit.name.to_owned(),
        constraints: r1cs.constraints(),
        nonzeros: r1cs.nonzeros(),
        variables: r1cs.instances + r1cs.witnesses,
        public_inputs: r1cs.instances - 1,
        digest,
    })
}

/// Prints the constraints of each circuit chosen by table and rule, the largest part first.
pub fn print_parts(selection: &Selection) -> Result<(), Failure> {
    for circuit in selection.circuits()? {
        let (_, r1cs) = circuit.build(Mode::Shape, 0).finish();
        let r1cs = r1cs.expect("shape mode records matrices");
        let mut parts = BTreeMap::<_, (usize, BTreeSet<usize>)>::new();
        for constraint in 0..r1cs.constraints() {
            let Label { rule, row, .. } = r1cs.label(constraint);
            let part = parts.entry((row.map(|(table, _)| table), rule)).or_default();
            part.0 += 1;
            part.1.extend(row.map(|(_, k)| k));
        }
        let mut parts: Vec<_> = parts.into_iter().collect();
        parts.sort_by_key(|(_, (count, _))| Reverse(*count));
        output::line(format_args!("{}: {} constraints", circuit.name, r1cs.constraints()))?;
        output::line("  constraints  rows  per row  table, rule")?;
        for ((table, rule), (count, rows)) in parts {
            let rows = rows.len().max(1);
            let (table, rule) = (table.unwrap_or("-"), rule.map_or("-", Rule::name));
            let each = count / rows;
            output::line(format_args!("  {count:>11} {rows:>5} {each:>8}  {table}, {rule}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_is_current() {
        run(&Selection::default()).unwrap();
    }
}
