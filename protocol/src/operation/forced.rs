//! Requests forced through L1. Spec: `docs/spec/ledger/forced.md`.
//!
//! The owner of an account, known on L1, queues a request there; a batch answers it in the
//! account's two-sided row. What cannot be honoured is shown to be impossible and is consumed, so
//! that no request can be ignored or block the queue.

pub mod reduction;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::operation::forced::reduction::{Reduced, Reduction};
use crate::value::packing::{Layout, Value};
use crate::value::units::{AccountIndex, CASH_BITS, Cash, FORCED_BITS, INSTRUMENT_BITS};

/// Width in bits of the kind of a request: 0 for none, 1 for a withdrawal, 2 for a cancel-all, 3
/// for a reduction.
pub const KIND_BITS: u32 = 2;

/// The word of an answer.
pub const ANSWER: Layout<4> = Layout([
    ("kind", KIND_BITS),
    ("cash, or contracts, asked for", CASH_BITS - 1),
    ("cash that leaves, or counterparty", CASH_BITS - 1),
    ("is refused", 1),
]);

/// The contracts that a reduction asks for, in their place of [`ANSWER`].
pub const CONTRACTS: Layout<2> =
    Layout([("instrument", INSTRUMENT_BITS), ("contracts", FORCED_BITS)]);

/// A request of an account's owner on L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForcedRequest {
    /// Account.
    pub account: AccountIndex,
    /// What is asked for.
    pub action: ForcedAction,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ForcedAction {
    /// Cash leaves for the address that L1 has for the request.
    Withdrawal {
        /// Amount, not below zero.
        amount: Cash,
    },
    /// All orders and requests not yet applied become void when the batch ends.
    CancelAll,
    /// Contracts go to another account, at their mark less a penalty.
    Reduction(Reduction),
}

/// How a batch answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ForcedAnswer {
    /// Cash has left the account.
    Withdrawal {
        /// Amount asked for.
        amount: Cash,
        /// Amount taken from the account: all of it, or all there is above initial margin.
        paid: Cash,
    },
    /// The window of nonces is void, unless there is no other left.
    CancelAll {
        /// Whether the account's nonces are exhausted.
        is_refused: bool,
    },
    /// Contracts have gone, or it is shown why not.
    Reduction(Reduced),
}

impl ForcedAnswer {
    /// The cash taken from the account.
    pub fn paid(&self) -> Cash {
        match *self {
            Self::Withdrawal { paid, .. } => paid,
            Self::CancelAll { .. } | Self::Reduction(_) => Cash::default(),
        }
    }

    /// [`ANSWER`], with `left` for the cash that leaves L2. Parts of other kinds are zero.
    pub fn word(&self, left: Cash) -> Fr {
        // What is asked for and what is taken are no debts.
        let amount = |cash: Cash| Value::Number(cash.get().max(0) as u128);
        let none = Value::Number(0);
        ANSWER.pack(match self {
            Self::Withdrawal { amount: asked, .. } => {
                [1u8.into(), amount(*asked), amount(left), false.into()]
            }
            Self::CancelAll { is_refused } => [2u8.into(), none, none, (*is_refused).into()],
            Self::Reduction(Reduced { terms, refusal, .. }) => {
                let contracts = [terms.instrument.get().into(), terms.quantity.get().into()];
                let asked = Value::Number(CONTRACTS.number(contracts));
                [3u8.into(), asked, terms.counterparty.get().into(), refusal.is_some().into()]
            }
        })
    }
}
