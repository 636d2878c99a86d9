//! Signed requests: what an account asks for alone. Spec:
//! `docs/spec/operation/operations.md#Request`.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::crypto::eddsa::{self, PublicKey, SecretKey, Signature};
use crate::crypto::poseidon;
use crate::operation::action::Action;
use crate::value::packing::Layout;
use crate::value::units::{
    ACCOUNT_BITS, AccountIndex, CASH_BITS, Cash, NONCE_BITS, Nonce, TIME_BITS, Time,
};
use crate::{Reject, Rule};

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

/// What a request signs besides its payload. An expiry has room to spare, as that of an order.
pub const TERMS: Layout<4> = Layout([
    ("account", ACCOUNT_BITS),
    ("amount", CASH_BITS),
    ("nonce", NONCE_BITS),
    ("expiry", TIME_BITS + 1),
]);

impl Request {
    /// The message signed: Poseidon of tag, domain, packed terms and payload.
    pub fn message(&self, domain: Fr) -> Fr {
        let amount = self.action.amount().map_or(0, |amount| amount.get().max(0) as u64);
        let (account, nonce) = (self.account.get(), self.nonce.get());
        let terms =
            TERMS.pack([account.into(), amount.into(), nonce.into(), self.expiry.get().into()]);
        let [first, second, third] = self.action.payload();
        poseidon::hash(&[self.action.tag().field(), domain, terms, first, second, third])
    }

    /// Signs the request for `domain`.
    pub fn sign(self, key: &SecretKey, domain: Fr) -> SignedRequest {
        let signature = key.sign(self.message(domain));
        SignedRequest { request: self, signature }
    }

    /// An amount is positive and the request has not expired at `time`.
    ///
    /// # Errors
    /// [`Rule::Range`], [`Rule::OrderExpiry`].
    pub fn check_terms(&self, time: Time) -> Result<(), Reject> {
        if let Some(amount) = self.action.amount().filter(|&amount| amount <= Cash::default()) {
            let reject = Reject::new(Rule::Range, "amount moved", amount);
            return Err(reject.at_least(1).of(self.account));
        }
        if time > self.expiry {
            let reject = Reject::new(Rule::OrderExpiry, "expiry of the request", self.expiry);
            return Err(reject.at_least(time).of(self.account));
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
        let Self { request, signature } = self;
        let verdict = eddsa::verify(key, request.message(domain), signature);
        verdict.map_err(|reject| reject.of(request.account))
    }
}
