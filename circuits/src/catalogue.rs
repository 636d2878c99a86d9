//! Every circuit that is audited and whose shape is locked, each with a witness for each of its
//! branches.
//!
//! A page of entries is a `CATALOGUE`; this one lists the pages.

mod curve;
mod gadgets;

use ark_bn254::Fr;

use crate::cs::{Cs, Mode};

/// A circuit that can be built on representative witnesses.
pub struct Circuit {
    /// Unique name, `room/gadget`; the key in `fixtures/shape.csv`.
    pub name: &'static str,
    /// Number of branch witnesses, at least one.
    pub branches: usize,
    /// Writes the circuit on branch `0..branches`; satisfied, and of the same shape on all of them.
    pub body: fn(&mut Cs<Fr>, usize),
    /// Instance columns (from 1) that the circuit derives; the other public inputs are given.
    pub outputs: &'static [usize],
}

/// All entries.
const PAGES: &[&[Circuit]] = &[gadgets::CATALOGUE, curve::CATALOGUE];

impl Circuit {
    /// A circuit without public inputs.
    const fn gadget(name: &'static str, branches: usize, body: fn(&mut Cs<Fr>, usize)) -> Self {
        Self { name, branches, body, outputs: &[] }
    }

    /// The circuit on a branch.
    pub fn build(&self, mode: Mode, branch: usize) -> Cs<Fr> {
        let mut cs = Cs::new(mode);
        (self.body)(&mut cs, branch);
        cs
    }
}

/// All circuits, in the order of the ledger.
pub fn circuits() -> impl Iterator<Item = &'static Circuit> {
    PAGES.iter().copied().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_branch_of_every_circuit_is_satisfied() {
        let mut names = BTreeSet::new();
        for circuit in circuits() {
            assert!(names.insert(circuit.name), "{} is listed twice", circuit.name);
            assert!(circuit.branches > 0, "{} has no witness", circuit.name);
            for branch in 0..circuit.branches {
                let unsatisfied = circuit.build(Mode::Witness, branch).unsatisfied();
                assert_eq!(unsatisfied, None, "{} branch {branch}", circuit.name);
            }
        }
        assert!(!names.is_empty());
    }
}
