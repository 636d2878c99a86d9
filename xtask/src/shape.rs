//! `cargo xtask shape`: the ledger of circuit shapes, `fixtures/shape.csv`.

use serde::{Deserialize, Serialize};
use zkmargin_circuits::catalogue::Circuit;
use zkmargin_circuits::cs::Mode;

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
pub fn run(selection: &Selection) -> Result<(), String> {
    let lines: Result<_, _> = selection.circuits()?.into_iter().map(measure).collect();
    selection.settle::<Measured>(LEDGER, lines?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_is_current() {
        run(&Selection::default()).unwrap();
    }
}
