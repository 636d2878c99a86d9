//! Expired positions turn to cash when a batch touches their account. Spec: `docs/spec/operations.md#Settlement`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::market::Market;
use crate::units::{AccountIndex, Cash, InstrumentIndex, Time};
use crate::{Reject, Rule};

/// A request to touch an account for the options it holds of a settled expiry. Anybody may make it: the rules
/// leave nothing to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// Account.
    pub account: AccountIndex,
    /// Expiry.
    pub expiry: Time,
}

/// What an account's settled positions turned into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// Instruments, whose whole positions are gone.
    pub instruments: BTreeSet<InstrumentIndex>,
    /// `Σ q · payoff`, micro-USDC, negative if the account pays.
    pub cash: i128,
}

impl Settlement {
    /// Nothing was settled.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Turns every position of `account` in a settled instrument to cash at its payoff, exactly: quantity (1/1000)
    /// times price (1/1000).
    ///
    /// # Errors
    /// [`Rule::Range`] if the balance leaves its width.
    pub fn apply(account: &mut Account, market: &Market, time: Time) -> Result<Self, Reject> {
        let mut settlement = Self::default();
        for (instrument, quantity) in account.positions.clone().iter() {
            let Some(row) = market.settled_row(instrument, time) else { continue };
            settlement.cash += i128::from(quantity) * i128::from(row.mark);
            settlement.instruments.insert(instrument);
            account.positions.subtract(account.book.underlying, instrument, quantity)?;
        }
        account.cash = Cash::try_from(i128::from(account.cash) + settlement.cash)?;
        Ok(settlement)
    }
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
            return Err(Reject::value(Rule::Settlement, "no position to settle of", self.expiry));
        }
        Ok(())
    }
}
