//! `cargo xtask audit`: what of each circuit is determined by its inputs; the ledger is
//! `fixtures/audit.csv`.

use clap::Args;
use serde::{Deserialize, Serialize};
use zkmargin_audit::report::Count;
use zkmargin_audit::{Report, Split, Verdict};
use zkmargin_circuits::catalogue::Circuit;
use zkmargin_circuits::cs::Mode;
use zkmargin_host::output;

use crate::failure::Failure;
use crate::ledger::{Line, Selection};

const LEDGER: &str = "audit.csv";

/// Options of `audit`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Audited {
    name: String,
    verdict: Verdict,
    witnesses: usize,
    derived: usize,
    claims: usize,
    /// Rows minus rank at each witness, separated by blanks.
    assertions: String,
    survivors: usize,
    /// Names and counts, separated by semicolons.
    free_hints: String,
}

impl Line for Audited {
    fn name(&self) -> &str {
        &self.name
    }
}

impl From<&Report> for Audited {
    fn from(report: &Report) -> Self {
        let total = |list: &[Count]| list.iter().map(|entry| entry.count).sum();
        let hints = report.free_hints.iter().map(|hint| format!("{} ×{}", hint.name, hint.count));
        let assertions: Vec<_> = report.assertions.iter().map(usize::to_string).collect();
        Self {
            name: report.circuit.clone(),
            verdict: report.verdict,
            witnesses: report.witnesses,
            derived: report.derived,
            claims: total(&report.claims),
            assertions: assertions.join(" "),
            survivors: report.survivor_count(),
            free_hints: hints.collect::<Vec<_>>().join("; "),
        }
    }
}

/// Audits the circuits chosen; an error if one fails or differs from the ledger.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let ledger = arguments.selection.ledger(LEDGER)?;
    let mut failed = Vec::new();
    let mut lines = Vec::new();
    for circuit in arguments.selection.circuits()? {
        let report = audit(circuit)?;
        if arguments.json {
            output::line(serde_json::to_string(&report).map_err(|error| error.to_string())?)?;
        } else {
            output::bytes(report.to_string().as_bytes())?;
        }
        if report.verdict == Verdict::Fail {
            failed.push(circuit.name);
        }
        lines.push(Audited::from(&report));
    }
    if !failed.is_empty() {
        return Err(format!("failed: {}", failed.join(", ")).into());
    }
    arguments.selection.settle(ledger, lines)
}

fn audit(circuit: &Circuit) -> Result<Report, String> {
    let mut shape = None;
    let mut assignments = Vec::new();
    for branch in 0..circuit.branches {
        let cs = circuit.build(Mode::Shape, branch);
        if let Some(failure) = cs.unsatisfied() {
            return Err(format!("{} branch {branch}: {failure}", circuit.name));
        }
        let (assignment, r1cs) = cs.finish();
        assignments.push(assignment.full());
        let r1cs = r1cs.expect("shape mode records matrices");
        let digest = r1cs.digest();
        match &shape {
            None => shape = Some((r1cs, digest)),
            Some((_, first)) if *first == digest => {}
            Some(_) => {
                return Err(format!("{}: branch {branch} has another shape", circuit.name));
            }
        }
    }
    let (r1cs, _) = shape.ok_or_else(|| format!("{} has no branch", circuit.name))?;
    let split = Split { outputs: circuit.outputs };
    Report::new(circuit.name, &r1cs, &assignments, &split)
        .map_err(|error| format!("{}: {error}", circuit.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_circuit_fails_and_the_ledger_is_current() {
        run(&Arguments { selection: Selection::default(), json: false }).unwrap();
    }
}
