//! The circuit auditor: what of a circuit is determined by its inputs, and how far each method can
//! see.
//!
//! `docs/spec/batch/audit.md` states what each method proves and what it is blind to. Invariant:
//! the auditor reads matrices and assignments only; it never calls the code that wrote them.
#![forbid(unsafe_code)]

pub mod closure;
pub mod deletion;
mod elimination;
mod error;
pub mod exhaustion;
pub mod iden3;
pub mod jacobian;
pub mod matrices;
pub mod mutation;
pub mod report;
pub mod tangent;
pub mod tiny;

pub use error::AuditError;
pub use jacobian::{Determinacy, Split};
pub use report::{Report, Verdict};
pub use tangent::Tangent;
