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

    /// The rule that a message ends with, as [`Reject`] prints it, and the message without it. A
    /// reader of a file passes a refusal on as text, with the place behind it.
    pub fn found_in(message: &str) -> Option<(Rule, String)> {
        let (sentence, rest) = message.rsplit_once(" (")?;
        let (name, place) = rest.split_once(')')?;
        let rule = Rule::ALL.iter().find(|rule| rule.name() == name)?;
        Some((*rule, format!("{sentence}{place}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_in_the_message_of_its_refusal() {
        for &rule in Rule::ALL {
            let reject = Reject::new(rule, "size (contracts)", 12).of(7u32).at_most(10);
            let sentence = "account 7: size (contracts) is 12, at most 10 is allowed";
            assert_eq!(reject.to_string(), format!("{sentence} ({})", rule.name()));
            let found = Reject::found_in(&format!("{reject} at line 3 column 9"));
            assert_eq!(found, Some((rule, format!("{sentence} at line 3 column 9"))));
        }
        assert_eq!(Reject::found_in("a value (of no rule) at line 1"), None);
        assert_eq!(Reject::found_in("no brackets"), None);
    }
}
