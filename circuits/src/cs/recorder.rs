//! The matrices while they are written.

use std::collections::BTreeMap;

use ark_ff::PrimeField;

use super::combination::{Lc, Variable};
#[cfg(feature = "forgery")]
use super::forgery;
use super::r1cs::{Label, R1cs, Role, SparseMatrix};

/// Row-major recording while the number of instances is still open.
#[derive(Default)]
struct Rows {
    offsets: Vec<usize>,
    variables: Vec<Variable>,
    coefficients: Vec<u32>,
}

/// What [`super::Mode::Shape`] records.
pub(super) struct Recorder<F: PrimeField> {
    interned: BTreeMap<F::BigInt, u32>,
    coefficients: Vec<F>,
    rows: [Rows; 3],
    labels: Vec<(usize, Label)>,
    names: Vec<(usize, &'static str, Role)>,
    #[cfg(feature = "forgery")]
    pub(super) notes: forgery::Notes<F>,
}

impl<F: PrimeField> Recorder<F> {
    pub(super) fn new() -> Self {
        Self {
            interned: BTreeMap::new(),
            coefficients: Vec::new(),
            rows: [Rows::default(), Rows::default(), Rows::default()],
            labels: Vec::new(),
            names: Vec::new(),
            #[cfg(feature = "forgery")]
            notes: forgery::Notes::default(),
        }
    }

    fn intern(&mut self, coefficient: F) -> u32 {
        let next = u32::try_from(self.coefficients.len()).expect("fewer than 2^32 coefficients");
        let coefficients = &mut self.coefficients;
        *self.interned.entry(coefficient.into_bigint()).or_insert_with(|| {
            coefficients.push(coefficient);
            next
        })
    }

    /// The constraint of number `index`, `a · b = c`.
    pub(super) fn constraint(&mut self, index: usize, label: Label, row: [&Lc<F>; 3]) {
        if self.labels.last().is_none_or(|(_, last)| *last != label) {
            self.labels.push((index, label));
        }
        for (k, lc) in row.into_iter().enumerate() {
            let start = self.rows[k].variables.len();
            self.rows[k].offsets.push(start);
            for &(variable, coefficient) in lc.terms() {
                let coefficient = self.intern(coefficient);
                self.rows[k].variables.push(variable);
                self.rows[k].coefficients.push(coefficient);
            }
        }
    }

    /// The witness of number `index`.
    pub(super) fn witness(&mut self, index: usize, name: &'static str, role: Role) {
        if self.names.last().is_none_or(|&(_, n, r)| (n, r) != (name, role)) {
            self.names.push((index, name, role));
        }
    }

    /// The matrices, now that the number of instances is known.
    pub(super) fn finish(self, instances: usize, witnesses: usize) -> R1cs<F> {
        let [a, b, c] = self.rows.map(|rows| {
            let columns = rows.variables.iter().map(|v| v.column(instances) as u32).collect();
            let mut offsets = rows.offsets;
            offsets.push(rows.variables.len());
            SparseMatrix { offsets, columns, coefficients: rows.coefficients }
        });
        let Self { coefficients, labels, names, .. } = self;
        R1cs { instances, witnesses, coefficients, a, b, c, labels, names }
    }
}
