//! Signed movements of cash: transfers between accounts and withdrawals to L1. Spec: `docs/spec/operations.md`.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use serde::{Deserialize, Serialize};

use crate::domain::Tag;
use crate::eddsa::{self, PublicKey, SecretKey, Signature};
use crate::packing::{pack, part};
use crate::poseidon;
use crate::units::{
    ACCOUNT_BITS, AccountIndex, CASH_BITS, Cash, NONCE_BITS, Nonce, TIME_BITS, Time,
};
use crate::{Reject, Rule};

/// An address on the EVM chain, 20 bytes, written as 40 lower-case hexadecimal digits after `0x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipient(pub [u8; 20]);

/// Width in bits of a [`Recipient`].
pub const RECIPIENT_BITS: u32 = 160;

impl Recipient {
    /// The address as a number.
    pub fn field(self) -> Fr {
        Fr::from_be_bytes_mod_order(&self.0)
    }
}

impl TryFrom<String> for Recipient {
    type Error = Reject;

    fn try_from(text: String) -> Result<Self, Reject> {
        let refuse = || Reject::value(Rule::Range, "recipient", &text);
        let digits = text.strip_prefix("0x").filter(|d| d.len() == 40).ok_or_else(refuse)?;
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let nibble = |c: u8| match c {
                b'0'..=b'9' => Some(c - b'0'),
                b'a'..=b'f' => Some(c - b'a' + 10),
                _ => None,
            };
            let (high, low) = nibble(pair[0]).zip(nibble(pair[1])).ok_or_else(refuse)?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        let digits: Self = recipient.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("0x{digits}")
    }
}

/// Where the cash goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Destination {
    /// A transfer to another account.
    Account(AccountIndex),
    /// A withdrawal to an L1 address.
    Chain(Recipient),
}

/// A transfer or a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashMove {
    /// Account that pays.
    pub from: AccountIndex,
    /// Receiver.
    pub to: Destination,
    /// Amount, > 0.
    pub amount: Cash,
    /// Number of the request in the account's window.
    pub nonce: Nonce,
    /// Last second at which the request may be applied.
    pub expiry: Time,
}

impl CashMove {
    /// Whether the cash leaves for L1.
    pub fn is_withdrawal(&self) -> bool {
        matches!(self.to, Destination::Chain(_))
    }

    /// The receiver as a number: account index or L1 address.
    pub fn destination(&self) -> Fr {
        match self.to {
            Destination::Account(account) => Fr::from(account.get()),
            Destination::Chain(recipient) => recipient.field(),
        }
    }

    /// The message signed: Poseidon of tag, domain, packed terms and destination.
    pub fn message(&self, domain: Fr) -> Fr {
        let tag = if self.is_withdrawal() { Tag::Withdrawal } else { Tag::Transfer };
        // from (24) ‖ amount (64) ‖ nonce (40) ‖ expiry (41)
        let terms = pack(&[
            part(self.from.get(), ACCOUNT_BITS),
            part(self.amount.get().max(0) as u64, CASH_BITS),
            part(self.nonce.get(), NONCE_BITS),
            part(self.expiry.get(), TIME_BITS + 1),
        ]);
        poseidon::hash(&[tag.field(), domain, terms, self.destination()])
    }

    /// Signs the request for `domain`.
    pub fn sign(self, key: &SecretKey, domain: Fr) -> SignedCashMove {
        let signature = key.sign(self.message(domain));
        SignedCashMove { request: self, signature }
    }

    /// The amount is positive and the request has not expired at `time`.
    ///
    /// # Errors
    /// [`Rule::Range`], [`Rule::OrderExpiry`].
    pub fn check_terms(&self, time: Time) -> Result<(), Reject> {
        if self.amount <= Cash::default() {
            return Err(Reject::value(Rule::Range, "amount moved", self.amount));
        }
        if time > self.expiry {
            return Err(Reject::value(Rule::OrderExpiry, "request expired at", self.expiry));
        }
        Ok(())
    }
}

/// A movement of cash and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCashMove {
    /// What is asked.
    pub request: CashMove,
    /// EdDSA signature over [`CashMove::message`].
    pub signature: Signature,
}

impl SignedCashMove {
    /// The request is signed by `key` for `domain`.
    ///
    /// # Errors
    /// [`Rule::Signature`].
    pub fn check_signature(&self, key: &PublicKey, domain: Fr) -> Result<(), Reject> {
        eddsa::verify(key, self.request.message(domain), &self.signature)
    }
}
