//! What can keep an audit from giving an answer.

use thiserror::Error;

/// The audit could not be carried out; it says nothing about the circuit's soundness.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuditError {
    /// A matrix is not in canonical form.
    #[error("matrix {matrix} row {row}: {what}")]
    NotCanonical {
        /// `A`, `B` or `C`.
        matrix: char,
        /// Row number.
        row: usize,
        /// The rule of the canonical form which is broken.
        what: &'static str,
    },
    /// An assignment has the wrong number of values.
    #[error("assignment has {found} values, the circuit has {expected} columns")]
    Length {
        /// Columns of the circuit, the constant one included.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The audit starts from satisfying assignments only.
    #[error("the assignment does not satisfy constraint {row}")]
    Unsatisfied {
        /// The first unsatisfied row.
        row: usize,
    },
    /// A declared output is not a public input column.
    #[error(
        "column {column} is declared an output but the circuit has {instances} instance columns"
    )]
    Output {
        /// Declared column.
        column: usize,
        /// Instance columns, the constant one included.
        instances: usize,
    },
    /// The core left after peeling is too large to eliminate.
    #[error(
        "a core of {columns} columns is left after peeling (at most {cap}); most frequent names: \
         {names}"
    )]
    Core {
        /// Columns of the connected component.
        columns: usize,
        /// The largest component that is eliminated.
        cap: usize,
        /// The most frequent variable names in it.
        names: String,
    },
    /// Elimination of the core filled in too much.
    #[error("elimination of a core of {columns} columns needs more than {cap} entries")]
    Fill {
        /// Columns of the connected component.
        columns: usize,
        /// The most entries that are kept.
        cap: usize,
    },
    /// The search space is larger than the budget.
    #[error("the search needs more than {budget} steps")]
    Budget {
        /// Steps allowed.
        budget: u64,
    },
    /// Exhaustion needs a field that can be enumerated.
    #[error("the field has more than {cap} elements")]
    FieldTooLarge {
        /// The largest field enumerated.
        cap: u64,
    },
    /// A file is not a circuit or witness in the expected format.
    #[error("{what} at byte {offset}")]
    Format {
        /// What is wrong.
        what: &'static str,
        /// Where.
        offset: usize,
    },
}
