//! The one place where a dishonest operator is let in: batches that break a rule, for tests of the
//! circuit and the verifier, which must refuse them. Nothing sets a liberty without the feature
//! `forgery`.

use crate::operation::forced::reduction::Refusal;
use crate::{Reject, Rule};

/// What an operator takes the liberty of; nothing by default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Liberties {
    waived: Option<Rule>,
    answer: Answer,
}

/// How forced reductions are answered.
#[derive(Clone, Copy, Debug, Default)]
enum Answer {
    /// As the accounts stand.
    #[default]
    Honest,
    /// Done, whether that is right or not.
    #[cfg_attr(not(feature = "forgery"), expect(dead_code, reason = "a liberty"))]
    Done,
    /// Refused, whether that is right or not.
    #[cfg_attr(not(feature = "forgery"), expect(dead_code, reason = "a liberty"))]
    Refused(Refusal),
}

impl Liberties {
    /// Operations may break `rule`.
    #[cfg(feature = "forgery")]
    pub fn waive(&mut self, rule: Rule) {
        self.waived = Some(rule);
    }

    /// Forced reductions are refused for this reason, or done.
    #[cfg(feature = "forgery")]
    pub fn claim(&mut self, refusal: Option<Refusal>) {
        self.answer = refusal.map_or(Answer::Done, Answer::Refused);
    }

    /// Whether `rule` may be broken.
    pub fn is_waived(&self, rule: Rule) -> bool {
        self.waived == Some(rule)
    }

    /// A rule's verdict, unless the rule is waived.
    pub fn judge(&self, verdict: Result<(), Reject>) -> Result<(), Reject> {
        verdict.or_else(|reject| if self.is_waived(reject.rule) { Ok(()) } else { Err(reject) })
    }

    /// Why a forced reduction is refused: `honest`, or what is claimed.
    pub fn refusal(
        &self,
        honest: impl FnOnce() -> Result<Option<Refusal>, Reject>,
    ) -> Result<Option<Refusal>, Reject> {
        match self.answer {
            Answer::Honest => honest(),
            Answer::Done => Ok(None),
            Answer::Refused(refusal) => Ok(Some(refusal)),
        }
    }
}
