//! What the dishonest operator of the forgery tests may do, whose batches the circuit and the
//! verifier must refuse. Not part of the protocol: in production there are no liberties, because
//! everything that grants one is behind the feature `forgery`.

use crate::operation::forced::reduction::Refusal;
use crate::{Reject, Rule};

/// The liberties taken with the rules; by default, and always in production, none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Liberties {
    /// The rule that operations and margins may break.
    waived: Option<Rule>,
    /// How forced reductions are answered, right or not.
    claim: Option<Claim>,
}

/// An answer to forced reductions that nobody checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    Honoured,
    Refused(Refusal),
}

impl From<Option<Refusal>> for Claim {
    fn from(refusal: Option<Refusal>) -> Self {
        refusal.map_or(Self::Honoured, Self::Refused)
    }
}

impl Liberties {
    /// Whether `rule` may be broken.
    pub fn waives(&self, rule: Rule) -> bool {
        self.waived == Some(rule)
    }

    /// The refusal of a forced reduction: the `honest` one, unless another answer is claimed.
    ///
    /// # Errors
    /// Those of `honest`.
    pub fn refusal(
        &self,
        honest: impl FnOnce() -> Result<Option<Refusal>, Reject>,
    ) -> Result<Option<Refusal>, Reject> {
        match self.claim {
            None => honest(),
            Some(Claim::Honoured) => Ok(None),
            Some(Claim::Refused(refusal)) => Ok(Some(refusal)),
        }
    }
}

#[cfg(feature = "forgery")]
impl Liberties {
    /// Lets `rule` be broken.
    pub fn waiving(rule: Rule) -> Self {
        Self { waived: Some(rule), claim: None }
    }

    /// Answers the forced reductions that follow in this way.
    pub fn claim(&mut self, refusal: Option<Refusal>) {
        self.claim = Some(refusal.into());
    }
}
