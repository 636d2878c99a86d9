//! Positions that an owner forces down through L1. Spec:
//! `docs/spec/ledger/forced.md#ForcedReduction`.

use serde::{Deserialize, Serialize};

use crate::value::units::{AccountIndex, ForcedQuantity, InstrumentIndex, Quantity};

/// What is asked for: to hold fewer contracts of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reduction {
    /// Instrument.
    pub instrument: InstrumentIndex,
    /// Contracts, long or short, to be rid of. More than are held are all that are.
    pub quantity: ForcedQuantity,
    /// The account that takes them, whose owner has agreed on L1.
    pub counterparty: AccountIndex,
}

/// Why nothing is reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The counterparty is in auction, has no empty slot or has another book; or one of both is too
    /// wide for margin to be sure of room for the contracts.
    Unavailable,
    /// The account would be short of initial margin, by more than it is if it is short already.
    Account,
    /// The counterparty's free collateral does not cover the contracts by themselves.
    Counterparty,
}

/// How a batch answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reduced {
    /// What was asked for.
    pub terms: Reduction,
    /// Contracts in question, of the sign of the position: what was asked for, or all that is held.
    pub contracts: Quantity,
    /// Micro-USDC that the account receives for them; negative if it pays.
    pub proceeds: i128,
    /// Why they stay, if they do.
    pub refusal: Option<Refusal>,
}

impl Reduction {
    /// The contracts of a position that the request is for, with its sign.
    pub(crate) fn contracts_of(&self, position: Quantity) -> Quantity {
        let (held, most) = (position.get(), i64::from(self.quantity.get()));
        Quantity::new(held.clamp(-most, most)).expect("no more than the position")
    }
}

impl Reduced {
    /// Whether contracts change hands.
    pub fn is_done(&self) -> bool {
        self.refusal.is_none() && self.contracts != Quantity::default()
    }
}
