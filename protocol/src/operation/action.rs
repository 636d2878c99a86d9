//! What a request asks for. Spec: `docs/spec/operation/operations.md#Request`.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use serde::{Deserialize, Serialize};

use crate::crypto::cipher;
use crate::crypto::domain::Tag;
use crate::crypto::eddsa::PublicKey;
use crate::operation::bid::Bid;
use crate::operation::recipient::Recipient;
use crate::value::decimal;
use crate::value::packing::signed_field;
use crate::value::units::{AccountIndex, Cash, Nonce};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Cash goes to another account.
    Transfer {
        /// Receiver.
        to: AccountIndex,
        /// Amount, > 0.
        amount: Cash,
    },
    /// Cash leaves for L1.
    Withdrawal {
        /// Receiver.
        to: Recipient,
        /// Amount, > 0.
        amount: Cash,
        /// Least amount that must arrive while a deficit is counted; all of it if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        least: Option<Cash>,
    },
    /// The account's keys change when the batch ends.
    Rekey {
        /// New signing key.
        key: PublicKey,
        /// New view key; its commitment is signed, and the venue alone sees the key.
        #[serde(with = "decimal")]
        view_key: Fr,
    },
    /// All orders and requests not yet applied become void when the batch ends.
    CancelAll {
        /// New nonce base, at least 64 above the old one.
        base: Nonce,
    },
    /// A part of an account in auction is bought.
    Bid(Bid),
}

impl Action {
    /// The tag of the message signed.
    pub fn tag(&self) -> Tag {
        match self {
            Self::Transfer { .. } => Tag::Transfer,
            Self::Withdrawal { .. } => Tag::Withdrawal,
            Self::Rekey { .. } => Tag::Rekey,
            Self::CancelAll { .. } => Tag::CancelAll,
            Self::Bid(_) => Tag::Bid,
        }
    }

    /// Whether cash leaves for L1.
    pub fn is_withdrawal(&self) -> bool {
        matches!(self, Self::Withdrawal { .. })
    }

    /// The cash moved, if cash moves.
    pub fn amount(&self) -> Option<Cash> {
        match *self {
            Self::Transfer { amount, .. } | Self::Withdrawal { amount, .. } => Some(amount),
            Self::Rekey { .. } | Self::CancelAll { .. } | Self::Bid(_) => None,
        }
    }

    /// What is signed beside the terms: account index; or L1 address and least amount; or key x,
    /// key y and view-key commitment; or base; or the terms of a bid.
    pub fn payload(&self) -> [Fr; 3] {
        let alone = |number: Fr| [number, Fr::ZERO, Fr::ZERO];
        match self {
            Self::Transfer { to, .. } => alone(Fr::from(to.get())),
            Self::Withdrawal { to, amount, least } => {
                let least = least.unwrap_or(*amount);
                [to.field(), signed_field(least.into()), Fr::ZERO]
            }
            Self::Rekey { key, view_key } => {
                [key.point().x, key.point().y, cipher::view_commitment(*view_key)]
            }
            Self::CancelAll { base } => alone(Fr::from(base.get())),
            Self::Bid(bid) => alone(bid.word()),
        }
    }
}
