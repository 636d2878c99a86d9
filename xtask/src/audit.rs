//! `cargo xtask audit`: what of each circuit is determined by its inputs.

use clap::Args;
use zkmargin_audit::{Report, Split, Verdict};
use zkmargin_circuits::catalogue::Circuit;
use zkmargin_circuits::cs::Mode;

use crate::ledger::Selection;

/// Options of `audit`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Audits the circuits chosen; an error if one fails.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let mut failed = Vec::new();
    for circuit in arguments.selection.circuits()? {
        let report = audit(circuit)?;
        if arguments.json {
            println!("{}", serde_json::to_string(&report).map_err(|error| error.to_string())?);
        } else {
            print!("{report}");
        }
        if report.verdict == Verdict::Fail {
            failed.push(circuit.name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
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
    let split = Split { outputs: circuit.outputs, claims: circuit.claims };
    Report::new(circuit.name, &r1cs, &assignments, &split)
        .map_err(|error| format!("{}: {error}", circuit.name))
}
