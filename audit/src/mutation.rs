//! Exact single-variable mutation: every change of one variable alone that all rows accept.
//!
//! A row accepts a change `t ≠ 0` of a column iff `linear + t·square = 0`: never, always, or for
//! one `t`. Intersecting over the rows of a column gives all answers without trying any.

use std::sync::atomic::{AtomicBool, Ordering};

use ark_ff::PrimeField;
use rayon::prelude::*;

use crate::tangent::{Entry, Tangent};

/// Which changes of a variable leave every row satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<F> {
    /// Any value does: no row constrains the variable here.
    Any,
    /// Adding exactly this much, which is not zero.
    Only(F),
}

/// A variable that can change alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutation<F> {
    /// Column in `[1, instances…, witnesses…]`.
    pub column: usize,
    /// The changes accepted.
    pub change: Change<F>,
}

/// A change as the ratio `−linear / square`, so that no division happens until the answer is known.
#[derive(Clone, Copy)]
enum Ratio<F> {
    Any,
    Only { linear: F, square: F },
    None,
}

impl<F: PrimeField> Ratio<F> {
    fn and(self, entry: &Entry<F>) -> Self {
        let Entry { linear, square, .. } = *entry;
        match (self, linear.is_zero(), square.is_zero()) {
            (_, true, true) => self,
            (_, _, true) | (_, true, false) | (Self::None, ..) => Self::None,
            (Self::Any, ..) => Self::Only { linear, square },
            (Self::Only { linear: l, square: s }, ..) if l * square == linear * s => self,
            (Self::Only { .. }, ..) => Self::None,
        }
    }
}

const ROWS_AT_ONCE: usize = 4096;

/// All variables that can change alone, witnesses and public inputs alike, by increasing column.
///
/// Cost: two passes over the nonzeros. The caller sorts the findings by role: an external that can
/// change alone is unbound, a derived variable that can is a fault.
pub fn find<F: PrimeField>(tangent: &Tangent<'_, F>) -> Vec<Mutation<F>> {
    let constraints = tangent.r1cs.constraints();
    let fixed: Vec<AtomicBool> = (0..tangent.columns()).map(|_| AtomicBool::new(false)).collect();
    let blocks = constraints.div_ceil(ROWS_AT_ONCE);
    let rows = |block: usize| block * ROWS_AT_ONCE..constraints.min((block + 1) * ROWS_AT_ONCE);
    // A row linear in the column forbids every change; this settles nearly all columns.
    (0..blocks).into_par_iter().for_each(|block| {
        let mut entries = Vec::new();
        for row in rows(block) {
            tangent.row(row, &mut entries);
            for entry in &entries {
                if entry.linear.is_zero() != entry.square.is_zero() {
                    fixed[entry.column as usize].store(true, Ordering::Relaxed);
                }
            }
        }
    });
    let open: Vec<Entry<F>> = (0..blocks)
        .into_par_iter()
        .flat_map_iter(|block| {
            let (mut entries, mut open) = (Vec::new(), Vec::new());
            for row in rows(block) {
                tangent.row(row, &mut entries);
                let is_open = |e: &&Entry<F>| !fixed[e.column as usize].load(Ordering::Relaxed);
                open.extend(entries.iter().filter(is_open).filter(|e| !e.square.is_zero()));
            }
            open
        })
        .collect();
    intersect(&fixed, &open)
}

fn intersect<F: PrimeField>(fixed: &[AtomicBool], open: &[Entry<F>]) -> Vec<Mutation<F>> {
    let start = |fixed: &AtomicBool| {
        if fixed.load(Ordering::Relaxed) { Ratio::None } else { Ratio::Any }
    };
    let mut changes: Vec<Ratio<F>> = fixed.iter().map(start).collect();
    for entry in open {
        let change = &mut changes[entry.column as usize];
        *change = change.and(entry);
    }
    let finding = |(column, change): (usize, &Ratio<F>)| {
        let change = match *change {
            Ratio::None => return None,
            Ratio::Any => Change::Any,
            Ratio::Only { linear, square } => Change::Only(-linear / square),
        };
        Some(Mutation { column, change })
    };
    changes.iter().enumerate().skip(1).filter_map(finding).collect()
}
