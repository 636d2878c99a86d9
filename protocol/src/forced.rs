//! Requests forced through L1. Spec: `docs/spec/forced.md`.
//!
//! The owner of an account, known on L1, queues a request there; a batch answers it in the account's two-sided row. What
//! cannot be honoured is shown to be impossible and is consumed, so that no request can be ignored or block the queue.

pub mod reduction;

use std::collections::BTreeSet;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::account::{Account, INSURANCE_FUND};
use crate::custody::Custody;
use crate::forced::reduction::{Reduced, Reduction};
use crate::margin::Margin;
use crate::nonce::WINDOW;
use crate::packing::{pack, part};
use crate::parameters::PPM;
use crate::transition::Ledger;
use crate::units::{
    ACCOUNT_BITS, AccountIndex, CASH_BITS, Cash, FORCED_BITS, INSTRUMENT_BITS, Nonce,
};
use crate::{Reject, Rule};

/// Width in bits of the kind of a request: 0 for none, 1 for a withdrawal, 2 for a cancel-all, 3 for a reduction.
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

    /// kind (2) ‖ amount asked for (63) ‖ amount that leaves (63) ‖ is refused (1); of a reduction, in the place of the
    /// amounts, instrument (16) ‖ contracts asked for (22) ‖ 0 (25) and counterparty (24) ‖ 0 (39).
    pub fn word(&self, custody: &Custody) -> Fr {
        let amount = |cash: Cash| part(cash.get().max(0) as u64, CASH_BITS - 1);
        let none = part(0u8, CASH_BITS - 1);
        match self {
            Self::Withdrawal { amount: asked, paid } => {
                let left = amount(custody.payout_floor(*paid));
                pack(&[part(1u8, KIND_BITS), amount(*asked), left])
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

/// What pays covers initial margin after the batch, and what pays less than it was asked for has nothing more to pay.
fn check_paid([amount, paid]: [Cash; 2], after: &Margin) -> Result<(), Reject> {
    if paid > Cash::default() {
        after.check_initial()?;
    }
    let left = payable_floor(after);
    if paid < amount && left > 0 {
        return Err(Reject::value(Rule::ForcedWithdrawal, "could still be paid", left));
    }
    Ok(())
}

/// Free collateral, micro-USDC: equity above initial margin, rounded down, so that what is paid of it leaves the margin
/// covered.
fn payable_floor(margin: &Margin) -> i128 {
    margin.initial_excess_e12.div_euclid(PPM.into()).max(0)
}

impl Ledger<'_> {
    /// The answer of an account, if there is one, is right after the batch, with this margin.
    ///
    /// # Errors
    /// [`Rule::InitialMargin`], [`Rule::ForcedWithdrawal`], [`Rule::ForcedReduction`], [`Rule::Frozen`].
    pub(crate) fn check_answer(&self, index: AccountIndex, after: &Margin) -> Result<(), Reject> {
        match self.answers.get(&index) {
            Some(ForcedAnswer::Withdrawal { amount, paid }) => check_paid([*amount, *paid], after),
            Some(ForcedAnswer::Reduction(answer)) => self.check_reduced(index, answer, after),
            Some(ForcedAnswer::CancelAll { .. }) | None => Ok(()),
        }
    }

    /// The accounts whose answers say something of another account.
    pub(crate) fn answered_with(&self, others: &BTreeSet<AccountIndex>) -> BTreeSet<AccountIndex> {
        let is_with = |answer: &ForcedAnswer| match answer {
            ForcedAnswer::Reduction(answer) => others.contains(&answer.terms.counterparty),
            ForcedAnswer::Withdrawal { .. } | ForcedAnswer::CancelAll { .. } => false,
        };
        let answers = self.answers.iter();
        answers.filter(|(_, answer)| is_with(answer)).map(|(index, _)| *index).collect()
    }

    /// The account has no forced request in the batch.
    ///
    /// # Errors
    /// [`Rule::ForcedRequest`].
    pub(crate) fn check_not_forced(&self, index: AccountIndex) -> Result<(), Reject> {
        if self.answers.contains_key(&index) {
            let what = "with a forced request in the batch, account";
            return Err(Reject::value(Rule::ForcedRequest, what, index));
        }
        Ok(())
    }

    /// Answers a request of the owner on L1.
    pub(crate) fn force(&mut self, request: &ForcedRequest) -> Result<(), Reject> {
        let index = request.account;
        let found = self.found(index)?;
        self.judge(self.check_alone(index, &found))?;
        let answer = match request.action {
            ForcedAction::Withdrawal { amount } => {
                let paid = self.payable(index, amount)?;
                self.add_cash(index, -i128::from(paid))?;
                self.withdraw(paid, Some(Cash::MIN))?;
                ForcedAnswer::Withdrawal { amount, paid }
            }
            ForcedAction::CancelAll => {
                let base = Nonce::new(found.nonces.base.get() + WINDOW);
                if let Ok(base) = base {
                    self.void(index, base);
                }
                ForcedAnswer::CancelAll { is_refused: base.is_err() }
            }
            ForcedAction::Reduction(terms) => ForcedAnswer::Reduction(self.reduce(index, terms)?),
        };
        self.answers.insert(index, answer);
        Ok(())
    }

    /// One request an account and batch, of an account that signs nothing in it and whose auction takes no step. The
    /// insurance fund is nobody's.
    fn check_alone(&self, index: AccountIndex, found: &Account) -> Result<(), Reject> {
        if index == INSURANCE_FUND {
            return Err(Reject::value(Rule::ForcedRequest, "of the insurance fund", index));
        }
        self.check_not_forced(index)?;
        if self.account(index)?.nonces != found.nonces || self.steps.contains_key(&index) {
            let what = "has signed or been in a step of an auction in the batch, account";
            return Err(Reject::value(Rule::ForcedRequest, what, index));
        }
        Ok(())
    }

    /// The part of `amount` that the account has above initial margin, as it stands.
    fn payable(&self, index: AccountIndex, amount: Cash) -> Result<Cash, Reject> {
        if amount < Cash::default() {
            return Err(Reject::value(Rule::Range, "amount forced", amount));
        }
        let margin = self.market.margin_of(self.account(index)?)?;
        Cash::try_from(payable_floor(&margin).min(amount.into()))
    }
}
