//! A sound program meets a bad operation: the rule, what it was about, and the offending value.

use std::fmt;

use thiserror::Error;

use crate::Rule;

/// Refusal of an operation or batch. The state is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{rule:?}: {what}: {value}")]
pub struct Reject {
    /// The rule that refused.
    pub rule: Rule,
    /// The field or quantity the rule looked at.
    pub what: &'static str,
    /// The offending value, printed.
    pub value: String,
}

impl Reject {
    /// A refusal by `rule` of `value` for `what`.
    pub fn value(rule: Rule, what: &'static str, value: impl fmt::Display) -> Self {
        Self { rule, what, value: value.to_string() }
    }
}
