//! A circuit at one satisfying assignment: rows as polynomials in a change of the variables.
//!
//! Moving the assignment from `z` to `z + t·v` changes the residual `Az∘Bz − Cz` of a row from zero
//! to `t·Jv + t²·(Av∘Bv)` with `J = diag(Bz)·A + diag(Az)·B − C`, exactly.

use ark_ff::PrimeField;
use rayon::prelude::*;
use zkmargin_circuits::cs::{R1cs, SparseMatrix};

use crate::AuditError;

/// One column of one row: how the row's residual reacts to a change `t` of that column alone.
#[derive(Clone, Copy, Debug)]
pub struct Entry<F> {
    /// Column in `[1, instances…, witnesses…]`.
    pub column: u32,
    /// Coefficient of `t`, the entry of `J`.
    pub linear: F,
    /// Coefficient of `t²`, the product of the column's coefficients in A and B.
    pub square: F,
}

/// A circuit together with a satisfying assignment.
pub struct Tangent<'a, F: PrimeField> {
    /// The circuit.
    pub r1cs: &'a R1cs<F>,
    /// `[1, instances…, witnesses…]`.
    pub assignment: &'a [F],
    az: Vec<F>,
    bz: Vec<F>,
}

impl<'a, F: PrimeField> Tangent<'a, F> {
    /// Takes the circuit at `assignment`, which must have one value a column and satisfy every row.
    pub fn new(r1cs: &'a R1cs<F>, assignment: &'a [F]) -> Result<Self, AuditError> {
        let expected = r1cs.instances + r1cs.witnesses;
        if assignment.len() != expected {
            return Err(AuditError::Length { expected, found: assignment.len() });
        }
        if let Some(failure) = r1cs.first_unsatisfied(assignment) {
            return Err(AuditError::Unsatisfied { row: failure.index });
        }
        let products = |matrix: &SparseMatrix| -> Vec<F> {
            let rows = (0..r1cs.constraints()).into_par_iter();
            rows.map(|row| r1cs.product(matrix, row, assignment)).collect()
        };
        let (az, bz) = rayon::join(|| products(&r1cs.a), || products(&r1cs.b));
        Ok(Self { r1cs, assignment, az, bz })
    }

    /// Columns of the circuit, the constant one included.
    pub fn columns(&self) -> usize {
        self.assignment.len()
    }

    /// Writes the entries of a row into `out`, by increasing column, the constant one left out.
    pub fn row(&self, row: usize, out: &mut Vec<Entry<F>>) {
        out.clear();
        let r1cs = self.r1cs;
        let (az, bz) = (self.az[row], self.bz[row]);
        let mut sides =
            [r1cs.a.row(row).peekable(), r1cs.b.row(row).peekable(), r1cs.c.row(row).peekable()];
        loop {
            let heads = sides.each_mut().map(|side| side.peek().map(|&(column, _)| column));
            let Some(column) = heads.into_iter().flatten().min() else { return };
            let [a, b, c] = sides.each_mut().map(|side| {
                side.next_if(|&(head, _)| head == column).map(|(_, k)| r1cs.coefficients[k])
            });
            if column == 0 {
                continue;
            }
            let mut linear = F::ZERO;
            if let Some(a) = a {
                linear += a * bz;
            }
            if let Some(b) = b {
                linear += b * az;
            }
            if let Some(c) = c {
                linear -= c;
            }
            let square = a.zip(b).map_or(F::ZERO, |(a, b)| a * b);
            out.push(Entry { column: column as u32, linear, square });
        }
    }
}
