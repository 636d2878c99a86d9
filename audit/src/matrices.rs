//! Canonical form of the matrices: checks, unused variables, deletion of a row.

use ark_ff::PrimeField;
use zkmargin_circuits::cs::{R1cs, SparseMatrix};

use crate::AuditError;

/// Refuses matrices whose rows are unsorted, hold a duplicate column, a zero coefficient or an
/// index out of range.
pub fn check_canonical<F: PrimeField>(r1cs: &R1cs<F>) -> Result<(), AuditError> {
    for (name, matrix) in [('A', &r1cs.a), ('B', &r1cs.b), ('C', &r1cs.c)] {
        check_matrix(r1cs, name, matrix)?;
    }
    Ok(())
}

fn check_matrix<F: PrimeField>(
    r1cs: &R1cs<F>,
    name: char,
    matrix: &SparseMatrix,
) -> Result<(), AuditError> {
    let fail = |row, what| Err(AuditError::NotCanonical { matrix: name, row, what });
    if matrix.offsets.len() != r1cs.a.offsets.len() {
        return fail(0, "the matrices differ in their number of rows");
    }
    if matrix.columns.len() != matrix.coefficients.len()
        || matrix.offsets.first() != Some(&0)
        || matrix.offsets.last() != Some(&matrix.columns.len())
    {
        return fail(0, "the offsets do not cover the entries");
    }
    let columns = r1cs.instances + r1cs.witnesses;
    for row in 0..r1cs.constraints() {
        if matrix.offsets[row] > matrix.offsets[row + 1] {
            return fail(row, "the offsets decrease");
        }
        let mut previous = None;
        for (column, coefficient) in matrix.row(row) {
            if column >= columns {
                return fail(row, "a column is out of range");
            }
            if previous >= Some(column) {
                return fail(row, "the columns do not increase");
            }
            match r1cs.coefficients.get(coefficient) {
                None => return fail(row, "a coefficient index is out of range"),
                Some(value) if value.is_zero() => return fail(row, "a coefficient is zero"),
                Some(_) => previous = Some(column),
            }
        }
    }
    Ok(())
}

/// Columns other than the constant that stand in no row, increasing.
pub fn unused<F: PrimeField>(r1cs: &R1cs<F>) -> Vec<usize> {
    let mut used = vec![false; r1cs.instances + r1cs.witnesses];
    for matrix in [&r1cs.a, &r1cs.b, &r1cs.c] {
        matrix.columns.iter().for_each(|&column| used[column as usize] = true);
    }
    (1..used.len()).filter(|&column| !used[column]).collect()
}

/// Whether two circuits have the same sizes and rows, however their coefficients are numbered.
pub fn equal<F: PrimeField>(left: &R1cs<F>, right: &R1cs<F>) -> bool {
    let sizes = |r: &R1cs<F>| (r.instances, r.witnesses, r.constraints());
    let same = |x: &SparseMatrix, y: &SparseMatrix| {
        let coefficients = || {
            let pairs = x.coefficients.iter().zip(&y.coefficients);
            pairs.map(|(&i, &j)| (left.coefficients[i as usize], right.coefficients[j as usize]))
        };
        x.offsets == y.offsets && x.columns == y.columns && coefficients().all(|(a, b)| a == b)
    };
    sizes(left) == sizes(right)
        && same(&left.a, &right.a)
        && same(&left.b, &right.b)
        && same(&left.c, &right.c)
}

/// The circuit without one constraint; labels stay with their constraints.
pub fn without<F: PrimeField>(r1cs: &R1cs<F>, row: usize) -> R1cs<F> {
    let mut mutant = r1cs.clone();
    for matrix in [&mut mutant.a, &mut mutant.b, &mut mutant.c] {
        let range = matrix.offsets[row]..matrix.offsets[row + 1];
        let removed = range.len();
        matrix.columns.drain(range.clone());
        matrix.coefficients.drain(range);
        matrix.offsets.remove(row + 1);
        matrix.offsets[row + 1..].iter_mut().for_each(|offset| *offset -= removed);
    }
    mutant.labels.iter_mut().filter(|(first, _)| *first > row).for_each(|(first, _)| *first -= 1);
    mutant
}
