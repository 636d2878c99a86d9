//! Exact sparse elimination of the core that peeling leaves, one connected component at a time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use ark_ff::PrimeField;

use crate::AuditError;

/// Most entries kept while one component is eliminated.
const FILL_CAP: usize = 20_000_000;

/// A row, its pivot column scaled to one, reduced by all pivots before it.
struct Pivot<F> {
    row: usize,
    column: usize,
    entries: Vec<(usize, F)>,
}

/// How one row was reduced: `reduced = scale·(row − Σ factor·pivot)`.
struct Step<F> {
    row: usize,
    factors: Vec<(usize, F)>,
    scale: F,
}

/// A matrix in echelon form, with the steps that led there.
pub(crate) struct Elimination<F> {
    columns: usize,
    pivots: Vec<Pivot<F>>,
    steps: Vec<Step<F>>,
    /// Rows that the others span, in the order of elimination.
    pub(crate) dependent: Vec<usize>,
}

/// A row under reduction: dense values, with the columns touched.
struct Scratch<F> {
    values: Vec<F>,
    touched: Vec<usize>,
    is_touched: Vec<bool>,
}

impl<F: PrimeField> Scratch<F> {
    fn add(&mut self, column: usize, value: F) {
        if !self.is_touched[column] {
            self.is_touched[column] = true;
            self.touched.push(column);
        }
        self.values[column] += value;
    }

    fn take(&mut self) -> Vec<(usize, F)> {
        let mut row = Vec::new();
        for column in std::mem::take(&mut self.touched) {
            self.is_touched[column] = false;
            let value = std::mem::replace(&mut self.values[column], F::ZERO);
            if !value.is_zero() {
                row.push((column, value));
            }
        }
        row
    }
}

impl<F: PrimeField> Elimination<F> {
    /// Eliminates `rows` over `columns` columns; short rows first, pivots in rare columns.
    pub(crate) fn new(columns: usize, rows: &[Vec<(usize, F)>]) -> Result<Self, AuditError> {
        let mut frequency = vec![0usize; columns];
        for &(column, _) in rows.iter().flatten() {
            frequency[column] += 1;
        }
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| (rows[row].len(), row));
        let mut this =
            Self { columns, pivots: Vec::new(), steps: Vec::new(), dependent: Vec::new() };
        let mut pivot_of = vec![None; columns];
        let mut scratch = Scratch {
            values: vec![F::ZERO; columns],
            touched: Vec::new(),
            is_touched: vec![false; columns],
        };
        let mut fill = 0;
        for row in order {
            let factors = this.reduce(&rows[row], &pivot_of, &mut scratch);
            let mut entries = scratch.take();
            fill += factors.len() + entries.len();
            if fill > FILL_CAP {
                return Err(AuditError::Fill { columns, cap: FILL_CAP });
            }
            let rarest = entries.iter().min_by_key(|&&(column, _)| (frequency[column], column));
            let mut scale = F::ONE;
            if let Some(&(column, value)) = rarest {
                scale = F::ONE / value;
                entries.iter_mut().for_each(|(_, value)| *value *= scale);
                pivot_of[column] = Some(this.pivots.len());
                this.pivots.push(Pivot { row, column, entries });
            } else {
                this.dependent.push(row);
            }
            this.steps.push(Step { row, factors, scale });
        }
        Ok(this)
    }

    fn reduce(
        &self,
        row: &[(usize, F)],
        pivot_of: &[Option<usize>],
        scratch: &mut Scratch<F>,
    ) -> Vec<(usize, F)> {
        // A pivot's entries lie in columns without pivot or in those of later pivots, so the order
        // of pivots ends.
        let mut due = BinaryHeap::new();
        for &(column, value) in row {
            scratch.add(column, value);
            due.extend(pivot_of[column].map(Reverse));
        }
        let mut factors = Vec::new();
        while let Some(Reverse(k)) = due.pop() {
            let pivot = &self.pivots[k];
            let factor = scratch.values[pivot.column];
            if factor.is_zero() {
                continue;
            }
            factors.push((k, factor));
            for &(column, value) in &pivot.entries {
                let fresh = !scratch.is_touched[column] || scratch.values[column].is_zero();
                scratch.add(column, -factor * value);
                if fresh && column != pivot.column {
                    due.extend(pivot_of[column].map(Reverse));
                }
            }
        }
        factors
    }

    /// Number of independent rows.
    pub(crate) fn rank(&self) -> usize {
        self.pivots.len()
    }

    /// A basis of the kernel, one vector a column without pivot, as the columns where it is not
    /// zero.
    pub(crate) fn kernel(&self) -> Result<Vec<Vec<usize>>, AuditError> {
        let mut values: Vec<BTreeMap<usize, F>> =
            (0..self.columns).map(|column| BTreeMap::from([(column, F::ONE)])).collect();
        let mut fill = 0;
        for pivot in self.pivots.iter().rev() {
            let mut sum = BTreeMap::new();
            for &(column, value) in pivot.entries.iter().filter(|e| e.0 != pivot.column) {
                for (&free, &share) in &values[column] {
                    *sum.entry(free).or_insert(F::ZERO) -= value * share;
                }
            }
            sum.retain(|_, value| !value.is_zero());
            fill += sum.len();
            if fill > FILL_CAP {
                return Err(AuditError::Fill { columns: self.columns, cap: FILL_CAP });
            }
            values[pivot.column] = sum;
        }
        let mut basis = BTreeMap::<usize, Vec<usize>>::new();
        for (column, shares) in values.iter().enumerate() {
            for &free in shares.keys() {
                basis.entry(free).or_default().push(column);
            }
        }
        Ok(basis.into_values().collect())
    }

    /// The combination of rows that vanishes and has `weight(row)` at each dependent row, as (row,
    /// factor).
    pub(crate) fn relation(&self, weight: impl Fn(usize) -> F) -> Vec<(usize, F)> {
        let mut of_pivot = vec![F::ZERO; self.pivots.len()];
        let mut position = BTreeMap::new();
        for (k, pivot) in self.pivots.iter().enumerate() {
            position.insert(pivot.row, k);
        }
        let mut relation = Vec::new();
        for step in self.steps.iter().rev() {
            let reduced = match position.get(&step.row) {
                Some(&k) => of_pivot[k],
                None => weight(step.row),
            };
            let factor = reduced * step.scale;
            if factor.is_zero() {
                continue;
            }
            relation.push((step.row, factor));
            for &(k, share) in &step.factors {
                of_pivot[k] -= factor * share;
            }
        }
        relation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiny::F127;

    fn rows(text: &[&[i64]]) -> Vec<Vec<(usize, F127)>> {
        let row = |row: &&[i64]| {
            let entries = row.iter().enumerate().map(|(k, &x)| (k, F127::from(x)));
            entries.filter(|&(_, x)| x != F127::from(0u64)).collect()
        };
        text.iter().map(row).collect()
    }

    #[test]
    fn accepts_a_regular_matrix() {
        let rows = rows(&[&[2, 1, 0], &[1, 1, 1], &[0, 3, 1]]);
        let elimination = Elimination::new(3, &rows).unwrap();
        assert_eq!(elimination.rank(), 3);
        assert!(elimination.kernel().unwrap().is_empty());
        assert!(elimination.dependent.is_empty());
    }

    #[test]
    fn kernel_and_relation_of_a_singular_matrix() {
        // Third row = first + second; column 3 is free and alone; columns 0 to 2 move together.
        let rows = rows(&[&[1, 2, 0, 0], &[0, 1, 1, 0], &[1, 3, 1, 0]]);
        let elimination = Elimination::new(4, &rows).unwrap();
        assert_eq!(elimination.rank(), 2);
        let mut kernel = elimination.kernel().unwrap();
        kernel.iter_mut().for_each(|vector| vector.sort_unstable());
        kernel.sort();
        assert_eq!(kernel, [vec![0, 1, 2], vec![3]]);
        assert_eq!(elimination.dependent.len(), 1);
        let relation = elimination.relation(|_| F127::from(5u64));
        assert_eq!(relation.len(), 3);
        for column in 0..4 {
            let entry = |row: usize| {
                rows[row].iter().find(|e| e.0 == column).map_or(F127::from(0u64), |e| e.1)
            };
            let sum: F127 = relation.iter().map(|&(row, factor)| factor * entry(row)).sum();
            assert_eq!(sum, F127::from(0u64));
        }
    }
}
