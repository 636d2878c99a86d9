//! What an account asks for alone: signed transfers and withdrawals. Spec: `docs/spec/operations.md#Request`.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::domain::Tag;
use crate::eddsa::{self, PublicKey, SecretKey, Signature};
use crate::packing::{pack, part};
use crate::poseidon;
use crate::recipient::Recipient;
use crate::units::{
    ACCOUNT_BITS, AccountIndex, CASH_BITS, Cash, NONCE_BITS, Nonce, TIME_BITS, Time,
};
use crate::{Reject, Rule};

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
    },
}

impl Action {
    /// The tag of the message signed.
    fn tag(&self) -> Tag {
        match self {
            Self::Transfer { .. } => Tag::Transfer,
            Self::Withdrawal { .. } => Tag::Withdrawal,
        }
    }

    /// Whether cash leaves for L1.
    pub fn is_withdrawal(&self) -> bool {
        matches!(self, Self::Withdrawal { .. })
    }

    /// The cash moved.
    pub fn amount(&self) -> Cash {
        match *self {
            Self::Transfer { amount, .. } | Self::Withdrawal { amount, .. } => amount,
        }
    }

    /// The receiver as a number: account index or L1 address.
    pub fn target(&self) -> Fr {
        match self {
            Self::Transfer { to, .. } => Fr::from(to.get()),
            Self::Withdrawal { to, .. } => to.field(),
        }
    }
}

/// A request of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Account that asks.
    pub account: AccountIndex,
    /// What it asks for.
    pub action: Action,
    /// Number of the request in the account's window.
    pub nonce: Nonce,
    /// Last second at which the request may be applied.
    pub expiry: Time,
}

impl Request {
    /// The message signed: Poseidon of tag, domain, packed terms and target.
    pub fn message(&self, domain: Fr) -> Fr {
        // account (24) ‖ amount (64) ‖ nonce (40) ‖ expiry (41)
        let terms = pack(&[
            part(self.account.get(), ACCOUNT_BITS),
            part(self.action.amount().get().max(0) as u64, CASH_BITS),
            part(self.nonce.get(), NONCE_BITS),
            part(self.expiry.get(), TIME_BITS + 1),
        ]);
        poseidon::hash(&[self.action.tag().field(), domain, terms, self.action.target()])
    }

    /// Signs the request for `domain`.
    pub fn sign(self, key: &SecretKey, domain: Fr) -> SignedRequest {
        let signature = key.sign(self.message(domain));
        SignedRequest { request: self, signature }
    }

    /// The amount is positive and the request has not expired at `time`.
    ///
    /// # Errors
    /// [`Rule::Range`], [`Rule::OrderExpiry`].
    pub fn check_terms(&self, time: Time) -> Result<(), Reject> {
        if self.action.amount() <= Cash::default() {
            return Err(Reject::value(Rule::Range, "amount moved", self.action.amount()));
        }
        if time > self.expiry {
            return Err(Reject::value(Rule::OrderExpiry, "request expired at", self.expiry));
        }
        Ok(())
    }
}

/// A request and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    /// What is asked.
    pub request: Request,
    /// EdDSA signature over [`Request::message`].
    pub signature: Signature,
}

impl SignedRequest {
    /// The request is signed by `key` for `domain`.
    ///
    /// # Errors
    /// [`Rule::Signature`].
    pub fn check_signature(&self, key: &PublicKey, domain: Fr) -> Result<(), Reject> {
        eddsa::verify(key, self.request.message(domain), &self.signature)
    }
}
