//! A finished circuit: its matrices in canonical form, labels and names, and their digest.

use ark_ff::{BigInteger, PrimeField};
use rayon::prelude::*;
use thiserror::Error;
use zkmargin_protocol::Rule;

/// The place of a constraint: the rule it states, the gadget that wrote it, the table row it stands
/// in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The rule of the statement, if the constraint was written under one.
    pub rule: Option<Rule>,
    /// What the gadget says of the constraint.
    pub what: &'static str,
    /// Table name and row, if any.
    pub row: Option<(&'static str, usize)>,
}

/// The first constraint that the witness does not satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("constraint {index} is not satisfied: {label:?}")]
pub struct Unsatisfied {
    /// Constraint number.
    pub index: usize,
    /// Where it was written.
    pub label: Label,
}

/// What the circuit's author says of a witness variable; the auditor reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Chosen by the world: a statement field, an old leaf, a signature. Not derived from anything.
    External,
    /// Must be determined by the externals.
    Derived,
    /// Bound by the argument at a random point, not by algebra alone; listed in
    /// `docs/spec/batch/argument.md`.
    Argued,
    /// Deliberately free when its guard is off (the inverse of zero); must reach no derived
    /// variable.
    FreeHint,
}

/// One sparse matrix in row-compressed form; coefficients are indices into a shared table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparseMatrix {
    /// `offsets[k]..offsets[k+1]` are the entries of row `k`.
    pub offsets: Vec<usize>,
    /// Columns in `[1, instances…, witnesses…]`, increasing inside a row.
    pub columns: Vec<u32>,
    /// Indices into [`R1cs::coefficients`].
    pub coefficients: Vec<u32>,
}

impl SparseMatrix {
    /// Entries of a row as (column, coefficient index).
    pub fn row(&self, row: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let range = self.offsets[row]..self.offsets[row + 1];
        range.map(|k| (self.columns[k] as usize, self.coefficients[k] as usize))
    }

    /// Number of entries.
    pub fn nonzeros(&self) -> usize {
        self.columns.len()
    }
}

/// A circuit in canonical form.
#[derive(Clone, Debug)]
pub struct R1cs<F: PrimeField> {
    /// Instance columns, the constant one included.
    pub instances: usize,
    /// Witness columns.
    pub witnesses: usize,
    /// Distinct coefficients, in order of first use.
    pub coefficients: Vec<F>,
    /// Left factor.
    pub a: SparseMatrix,
    /// Right factor.
    pub b: SparseMatrix,
    /// Product.
    pub c: SparseMatrix,
    /// Labels as (first constraint, label), increasing.
    pub labels: Vec<(usize, Label)>,
    /// Name and role of witnesses as (first witness, name, role), increasing.
    pub names: Vec<(usize, &'static str, Role)>,
}

impl<F: PrimeField> R1cs<F> {
    /// Number of constraints.
    pub fn constraints(&self) -> usize {
        self.a.offsets.len() - 1
    }

    /// Non-zero entries of the three matrices together.
    pub fn nonzeros(&self) -> usize {
        self.a.nonzeros() + self.b.nonzeros() + self.c.nonzeros()
    }

    /// The label of a constraint.
    pub fn label(&self, constraint: usize) -> Label {
        let at = self.labels.partition_point(|&(first, _)| first <= constraint);
        self.labels[at - 1].1
    }

    /// The name and role of a witness.
    pub fn name(&self, witness: usize) -> (&'static str, Role) {
        let at = self.names.partition_point(|&(first, _, _)| first <= witness);
        let (_, name, role) = self.names[at - 1];
        (name, role)
    }

    /// `row · assignment`, assignment `[1, instances…, witnesses…]`.
    pub fn product(&self, matrix: &SparseMatrix, row: usize, assignment: &[F]) -> F {
        matrix.row(row).map(|(col, k)| self.coefficients[k] * assignment[col]).sum()
    }

    /// The first constraint that `assignment` (`[1, instances…, witnesses…]`) does not satisfy.
    pub fn first_unsatisfied(&self, assignment: &[F]) -> Option<Unsatisfied> {
        (0..self.constraints())
            .into_par_iter()
            .find_first(|&k| {
                self.product(&self.a, k, assignment) * self.product(&self.b, k, assignment)
                    != self.product(&self.c, k, assignment)
            })
            .map(|index| Unsatisfied { index, label: self.label(index) })
    }

    /// BLAKE3 of the canonical matrices: sizes, then per matrix and row the number of entries,
    /// columns and coefficients, integers as little-endian `u64`, coefficients as canonical
    /// little-endian bytes.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"zkmargin r1cs 1");
        for size in [self.instances, self.witnesses, self.constraints()] {
            hasher.update(&(size as u64).to_le_bytes());
        }
        let coefficients: Vec<Vec<u8>> =
            self.coefficients.iter().map(|c| c.into_bigint().to_bytes_le()).collect();
        for matrix in [&self.a, &self.b, &self.c] {
            let mut bytes = Vec::new();
            for row in 0..self.constraints() {
                // Long inputs let the hash work on many blocks at a time.
                if bytes.len() > 1 << 16 {
                    hasher.update(&bytes);
                    bytes.clear();
                }
                let count = matrix.offsets[row + 1] - matrix.offsets[row];
                bytes.extend((count as u64).to_le_bytes());
                for (column, coefficient) in matrix.row(row) {
                    bytes.extend((column as u64).to_le_bytes());
                    bytes.extend(&coefficients[coefficient]);
                }
            }
            hasher.update(&bytes);
        }
        *hasher.finalize().as_bytes()
    }
}

/// Public inputs and witness of a finished circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment<F> {
    /// `[1, public inputs…]`.
    pub instance: Vec<F>,
    /// Witness values.
    pub witness: Vec<F>,
}

impl<F: PrimeField> Assignment<F> {
    /// `[1, instances…, witnesses…]` in one vector.
    pub fn full(&self) -> Vec<F> {
        self.instance.iter().chain(&self.witness).copied().collect()
    }
}
