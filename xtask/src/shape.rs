//! `cargo xtask shape`: the ledger of circuit shapes, `fixtures/shape.csv`.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use serde::{Deserialize, Serialize};
use zkmargin_circuits::catalogue::Circuit;
use zkmargin_circuits::cs::Mode;

use crate::ledger::Selection;

/// Options of `shape`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Writes the lines of the circuits chosen instead of comparing them.
    #[arg(long)]
    write: bool,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    name: String,
    constraints: usize,
    nonzeros: usize,
    variables: usize,
    public_inputs: usize,
    digest: String,
}

/// Compares the circuits chosen with the ledger, or writes their lines.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/shape.csv"));
    let mut ledger = read(path)?;
    let mut differences = Vec::new();
    for circuit in arguments.selection.circuits()? {
        let line = measure(circuit)?;
        match ledger.insert(line.name.clone(), line.clone()) {
            Some(before) if before == line => {}
            Some(before) => differences.push(format!("{before:?}\n  is now {line:?}")),
            None => differences.push(format!("{} is not in the ledger", line.name)),
        }
    }
    if arguments.write {
        write(path, &ledger)
    } else if differences.is_empty() {
        Ok(())
    } else {
        Err(format!("{}\nrun `cargo xtask shape --write` if this is meant", differences.join("\n")))
    }
}

fn measure(circuit: &Circuit) -> Result<Line, String> {
    let cs = circuit.build(Mode::Shape, 0);
    if let Some(failure) = cs.unsatisfied() {
        return Err(format!("{}: {failure}", circuit.name));
    }
    let (_, r1cs) = cs.finish();
    let r1cs = r1cs.expect("shape mode records matrices");
    let digest: String = r1cs.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Line {
        name: circuit.name.to_owned(),
        constraints: r1cs.constraints(),
        nonzeros: r1cs.nonzeros(),
        variables: r1cs.instances + r1cs.witnesses,
        public_inputs: r1cs.instances - 1,
        digest,
    })
}

fn read(path: &Path) -> Result<BTreeMap<String, Line>, String> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let mut reader = csv::Reader::from_path(path).map_err(|error| error.to_string())?;
    let lines = reader.deserialize::<Line>();
    lines.map(|line| line.map(|l| (l.name.clone(), l)).map_err(|e| e.to_string())).collect()
}

fn write(path: &Path, ledger: &BTreeMap<String, Line>) -> Result<(), String> {
    let mut writer = csv::Writer::from_path(path).map_err(|error| error.to_string())?;
    for line in ledger.values() {
        writer.serialize(line).map_err(|error| error.to_string())?;
    }
    writer.flush().map_err(|error| error.to_string())
}
