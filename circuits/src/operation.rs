//! The rows of operations. Spec: `docs/spec/operation/operations.md`.

pub mod action;
pub mod bid;
pub mod deposit;
pub mod fill;
pub mod order;
pub mod request;
pub mod trade;
