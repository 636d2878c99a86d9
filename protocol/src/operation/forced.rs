//! Requests forced through L1. Spec: `docs/spec/ledger/forced.md`.
//!
//! The owner of an account, known on L1, queues a request there; a batch answers it in the
//! account's two-sided row. What cannot be honoured is shown to be impossible and is consumed, so
//! that no request can be ignored or block the queue.

pub mod reduction;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::operation::forced::reduction::{Reduced, Reduction};
use crate::value::packing::{pack, part};
use crate::value::units::{
    ACCOUNT_BITS, AccountIndex, CASH_BITS, Cash, FORCED_BITS, INSTRUMENT_BITS,
};

/// Width in bits of the kind of a request: 0 for none, 1 for a withdrawal, 2 for a cancel-all, 3
/// for a reduction.
pub const KIND_BITS: u32 = 2;

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

    /// kind (2) ‖ amount asked for (63) ‖ `left`, which leaves L2 (63) ‖ is refused (1); of a
    /// reduction, in the place of the amounts, instrument (16) ‖ contracts asked for (22) ‖ 0 (25)
    /// and counterparty (24) ‖ 0 (39).
    pub fn word(&self, left: Cash) -> Fr {
        let amount = |cash: Cash| part(cash.get().max(0) as u64, CASH_BITS - 1);
        let none = part(0u8, CASH_BITS - 1);
        match self {
            Self::Withdrawal { amount: asked, .. } => {
                pack(&[part(1u8, KIND_BITS), amount(*asked), amount(left)])
            }
            Self::CancelAll { is_refused } => {
                pack(&[part(2u8, KIND_BITS), none, none, part(*is_refused, 1)])
            }
            Self::Reduction(Reduced { terms, refusal, .. }) => pack(&[
                part(3u8, KIND_BITS),
                part(terms.instrument.get(), INSTRUMENT_BITS),
                part(terms.quantity.get(), FORCED_BITS),
                part(0u8, CASH_BITS - 1 - INSTRUMENT_BITS - FORCED_BITS),
                part(terms.counterparty.get(), ACCOUNT_BITS),
                part(0u8, CASH_BITS - 1 - ACCOUNT_BITS),
                part(refusal.is_some(), 1),
            ]),
        }
    }
}
