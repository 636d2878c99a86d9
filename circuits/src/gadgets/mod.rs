//! The gadgets: small statements which the tables are put together from.
//!
//! `docs/spec/gadgets.md` states each with its precondition, cost and the reason why it is sound.
//! Invariant: a gadget never panics on a witness value. A value that does not fit makes a
//! constraint fail, under the label the caller gave. Widths and lengths are part of the shape; they
//! are asserted.

pub mod boolean;
pub mod comparator;
pub mod curve;
pub mod division;
pub mod element;
pub mod fixed_base;
pub mod integer;
pub mod montgomery;
pub mod scalar;
mod subgroup;
pub mod variable_base;
