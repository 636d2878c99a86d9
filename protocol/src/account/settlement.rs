//! Expired positions turn to cash when a batch touches their account. Spec:
//! `docs/spec/account/settlement.md#Settlement`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Reject;
use crate::account::Account;
use crate::market::Market;
use crate::value::units::{Cash, InstrumentIndex, Time};

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

    /// Turns every position of `account` in a settled instrument to cash at its payoff, exactly:
    /// quantity (1/1000) times price (1/1000).
    ///
    /// # Errors
    /// [`crate::Rule::Range`] if the balance leaves its width.
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
