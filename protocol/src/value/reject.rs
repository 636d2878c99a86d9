//! A sound program meets a bad operation: whose it is, what was found, what is allowed, and the
//! rule.

use std::error::Error;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use crate::Rule;

/// Refusal of an operation or batch. The state is unchanged.
///
/// It reads "account 7: fill quantity is 12, at most 10 is allowed (FillQuantity)".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Index of the account concerned, where there is one.
    pub account: Option<u32>,
    /// The field or quantity the rule looked at. Without a value, a sentence that says it all.
    pub what: &'static str,
    /// The value found, printed.
    pub value: Option<String>,
    /// What would have been allowed, as in "at most 10", where one bound says it.
    pub bound: Option<String>,
    /// The rule that refused.
    pub rule: Rule,
}

impl Reject {
    /// A refusal by `rule` of the `value` found for `what`.
    pub fn new(rule: Rule, what: &'static str, value: impl Display) -> Self {
        let value = Some(value.to_string());
        Self { account: None, what, value, bound: None, rule }
    }

    /// A refusal by `rule` for what a sentence says.
    pub fn because(rule: Rule, sentence: &'static str) -> Self {
        Self { account: None, what: sentence, value: None, bound: None, rule }
    }

    /// Names the account concerned, unless a closer look has named one.
    pub fn of(self, account: impl Into<u32>) -> Self {
        Self { account: self.account.or_else(|| Some(account.into())), ..self }
    }

    /// Up to `bound` is allowed.
    pub fn at_most(self, bound: impl Display) -> Self {
        self.bound(format!("at most {bound}"))
    }

    /// `bound` and more is allowed.
    pub fn at_least(self, bound: impl Display) -> Self {
        self.bound(format!("at least {bound}"))
    }

    /// What lies within `range` is allowed.
    pub fn within<T: Display>(self, range: RangeInclusive<T>) -> Self {
        self.bound(format!("from {} to {}", range.start(), range.end()))
    }

    /// Nothing but `allowed` is.
    pub fn only(self, allowed: impl Display) -> Self {
        self.bound(format!("only {allowed}"))
    }

    fn bound(self, bound: String) -> Self {
        Self { bound: Some(bound), ..self }
    }
}

impl Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(account) = self.account {
            write!(f, "account {account}: ")?;
        }
        f.write_str(self.what)?;
        if let Some(value) = &self.value {
            write!(f, " is {value}")?;
        }
        if let Some(bound) = &self.bound {
            write!(f, ", {bound} is allowed")?;
        }
        write!(f, " ({})", self.rule.name())
    }
}

impl Error for Reject {}
