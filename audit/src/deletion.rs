//! Constraint-deletion mutants: which rows does determinacy miss when they are deleted?
//!
//! Deleting row `k` lowers the rank iff every relation `wᵀJ = 0` has `w_k = 0`. A relation with
//! random weights therefore answers for all rows in one sweep: a row outside its support is
//! *killed* by determinacy, a row inside it survives and needs another witness of its necessity
//! (exhaustion, or a named negative test).

use std::collections::BTreeMap;

use ark_ff::PrimeField;
use rayon::prelude::*;
use zkmargin_circuits::cs::R1cs;

use crate::exhaustion::{self, Domains, Search};
use crate::matrices::without;
use crate::{AuditError, Determinacy, Split, Tangent};

/// Rows whose deletion leaves the rank unchanged, increasing.
///
/// `seed` chooses the random weights; a survivor is missed with probability at most `1/|F|`.
pub fn survivors<F: PrimeField>(
    tangent: &Tangent<'_, F>,
    determinacy: &Determinacy<F>,
    seed: &[u8],
) -> Vec<usize> {
    let mut key = blake3::Hasher::new_derive_key("zkmargin audit deletion weights");
    key.update(seed);
    let key = *key.finalize().as_bytes();
    let weight = |row: usize| {
        let mut wide = [0; 64];
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&(row as u64).to_le_bytes()).finalize_xof().fill(&mut wide);
        F::from_le_bytes_mod_order(&wide)
    };
    let mut relation = BTreeMap::new();
    let mut in_core = vec![false; determinacy.rows];
    for core in &determinacy.cores {
        core.rows.iter().for_each(|&row| in_core[row as usize] = true);
        let of_row = |local: usize| weight(core.rows[local] as usize);
        for (local, factor) in core.elimination.relation(of_row) {
            relation.insert(core.rows[local] as usize, factor);
        }
    }
    for &row in determinacy.assertions.iter().filter(|&&row| !in_core[row]) {
        relation.insert(row, weight(row));
    }
    // The relation cancels on core columns; peeled columns are cancelled last to first by their own
    // rows.
    let mut residual = vec![F::ZERO; tangent.columns()];
    let mut entries = Vec::new();
    for (&row, &factor) in &relation {
        tangent.row(row, &mut entries);
        for entry in &entries {
            residual[entry.column as usize] += factor * entry.linear;
        }
    }
    let mut rows: Vec<usize> =
        relation.into_iter().filter(|(_, factor)| !factor.is_zero()).map(|(row, _)| row).collect();
    for &(row, column) in determinacy.peeled.iter().rev() {
        let value = residual[column as usize];
        if value.is_zero() {
            continue;
        }
        rows.push(row as usize);
        tangent.row(row as usize, &mut entries);
        let pivot = entries.iter().find(|e| e.column == column).expect("the pivot is in its row");
        let factor = -value / pivot.linear;
        for entry in &entries {
            residual[entry.column as usize] += factor * entry.linear;
        }
    }
    rows.sort_unstable();
    rows
}

/// What shows that a row is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Killer {
    /// Without it the Jacobian loses rank.
    Determinacy,
    /// Without it some input has a second answer.
    SecondAnswer,
    /// Without it inputs are accepted which were refused: an assertion; a test must name it.
    Assertion,
    /// Without it nothing changes: redundant over this field and these domains.
    Nothing,
}

/// Classifies the deletion of every row of a gadget over a field small enough to enumerate.
pub fn classify<F: PrimeField>(
    r1cs: &R1cs<F>,
    assignment: &[F],
    split: &Split<'_>,
    domains: &Domains<F>,
    budget: u64,
) -> Result<Vec<Killer>, AuditError> {
    let tangent = Tangent::new(r1cs, assignment)?;
    let determinacy = Determinacy::new(&tangent, split)?;
    let survivors = survivors(&tangent, &determinacy, b"classify");
    let accepted = exhaustion::run(&Search { r1cs, split, domains, budget })?.answers.len();
    (0..r1cs.constraints())
        .into_par_iter()
        .map(|row| {
            if survivors.binary_search(&row).is_err() {
                return Ok(Killer::Determinacy);
            }
            let mutant = without(r1cs, row);
            let found = exhaustion::run(&Search { r1cs: &mutant, split, domains, budget })?;
            Ok(match (found.second.is_empty(), found.answers.len() > accepted) {
                (false, _) => Killer::SecondAnswer,
                (true, true) => Killer::Assertion,
                (true, false) => Killer::Nothing,
            })
        })
        .collect()
}
