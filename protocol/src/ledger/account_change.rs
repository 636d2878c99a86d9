//! What an account has asked for in a batch that takes effect when the batch ends. Spec:
//! `docs/spec/ledger/transition.md#AccountRequests`.
//!
//! A batch is proven as a whole, without an order of its operations: every signature in it is held
//! against the key and the nonce window which the account had before it.

use ark_bn254::Fr;

use crate::account::Account;
use crate::account::nonce::NonceWindow;
use crate::crypto::eddsa::PublicKey;
use crate::operation::action::Action;
use crate::operation::request::Request;
use crate::value::units::Nonce;
use crate::{Reject, Rule};

/// Changes of one account that wait for the end of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// New signing key and view key.
    keys: Option<(PublicKey, Fr)>,
    /// New nonce base.
    base: Option<Nonce>,
}

impl AccountChange {
    /// What the request changes has not been changed in this batch, and a new base leaves `window`
    /// behind.
    ///
    /// # Errors
    /// [`Rule::AccountRequests`], [`Rule::Nonce`].
    pub fn check(&self, request: &Request, window: NonceWindow) -> Result<(), Reject> {
        let is_second = match request.action {
            Action::Transfer { .. } | Action::Withdrawal { .. } | Action::Bid(_) => false,
            Action::Rekey { .. } => self.keys.is_some(),
            Action::CancelAll { .. } => self.base.is_some(),
        };
        if is_second {
            let sentence = "the account has already asked for such a change in the batch";
            return Err(Reject::because(Rule::AccountRequests, sentence).of(request.account));
        }
        match request.action {
            Action::CancelAll { base } => window.check_voided_by(base),
            _ => Ok(()),
        }
    }

    /// No nonce is void: once an account has cancelled all, nothing more of it is taken in
    /// this batch.
    ///
    /// # Errors
    /// [`Rule::Nonce`].
    pub fn check_not_void(&self) -> Result<(), Reject> {
        match self.base {
            Some(_) => {
                Err(Reject::because(Rule::Nonce, "all nonces are void until the batch ends"))
            }
            None => Ok(()),
        }
    }

    /// Takes new keys or a new base; cash is the ledger's.
    pub fn take(&mut self, action: &Action) {
        match *action {
            Action::Transfer { .. } | Action::Withdrawal { .. } | Action::Bid(_) => {}
            Action::Rekey { key, view_key } => self.keys = Some((key, view_key)),
            Action::CancelAll { base } => self.base = Some(base),
        }
    }

    /// The account as the batch leaves it: keys changed, window raised or slid.
    ///
    /// # Errors
    /// [`Rule::Nonce`] when the nonces of the account are exhausted.
    pub fn close(&self, account: &Account) -> Result<Account, Reject> {
        let mut closed = account.clone();
        if let Some((key, view_key)) = self.keys {
            closed.key = key;
            closed.view_key = view_key;
        }
        closed.nonces = match self.base {
            Some(base) => NonceWindow { base, bits: 0 },
            None => account.nonces.slid()?,
        };
        Ok(closed)
    }
}
