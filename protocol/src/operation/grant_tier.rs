//! A better tier of the fee schedule for an account. Spec:
//! `docs/spec/market/fee_schedule.md#FeeSchedule`.

use serde::{Deserialize, Serialize};

use crate::value::units::{AccountIndex, Tier};
use crate::{Reject, Rule};

/// The venue's word that an account belongs to a better tier from the next batch on. It carries no
/// signature: it costs the account nothing, and can't be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantTier {
    /// Account.
    pub account: AccountIndex,
    /// Its tier, above the one it has.
    pub tier: Tier,
}

impl GrantTier {
    /// The tier is above the one the account has.
    ///
    /// # Errors
    /// [`Rule::FeeSchedule`].
    pub fn check(&self, held: Tier) -> Result<(), Reject> {
        if self.tier <= held {
            let reject = Reject::new(Rule::FeeSchedule, "fee tier", self.tier);
            return Err(reject.only(format_args!("one above {held}")).of(self.account));
        }
        Ok(())
    }
}
