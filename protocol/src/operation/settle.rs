//! A request to settle what an account holds of an expiry. Spec:
//! `docs/spec/account/settlement.md#Settlement`.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::market::Market;
use crate::value::units::{AccountIndex, Time};
use crate::{Reject, Rule};

/// A request to touch an account for the options it holds of a settled expiry. Anybody may make it:
/// the rules leave nothing to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// Account.
    pub account: AccountIndex,
    /// Expiry.
    pub expiry: Time,
}

impl Settle {
    /// The account, not touched by the batch so far, holds a settled position of the expiry.
    ///
    /// # Errors
    /// [`Rule::Settlement`].
    pub fn check_due(&self, account: &Account, market: &Market, time: Time) -> Result<(), Reject> {
        let is_due = |instrument| {
            let row = market.settled_row(instrument, time);
            row.is_some_and(|row| row.spec.expiry == self.expiry)
        };
        if !account.positions.iter().any(|(instrument, _)| is_due(instrument)) {
            let reject = Reject::new(Rule::Settlement, "expiry to settle", self.expiry);
            return Err(reject.only("that of a settled position").of(self.account));
        }
        Ok(())
    }
}
