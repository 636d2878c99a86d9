//! Answers to requests forced through L1. Spec: `docs/spec/ledger/forced.md`.

mod reduction;

use std::collections::BTreeSet;

use crate::account::margin::Margin;
use crate::account::nonce::WINDOW;
use crate::account::{Account, INSURANCE_FUND};
use crate::ledger::transition::Ledger;
use crate::operation::forced::{ForcedAction, ForcedAnswer, ForcedRequest};
use crate::value::units::{AccountIndex, Cash, Nonce, PPM};
use crate::{Reject, Rule};

/// What pays covers initial margin after the batch, and what pays less than it was asked for has
/// nothing more to pay.
fn check_paid(amount: Cash, paid: Cash, after: &Margin) -> Result<(), Reject> {
    if paid > Cash::default() {
        after.check_initial()?;
    }
    let left = payable_floor(after);
    if paid < amount && left > 0 {
        let reject = Reject::new(Rule::ForcedWithdrawal, "amount paid", paid);
        return Err(reject.at_least(i128::from(amount).min(i128::from(paid) + left)));
    }
    Ok(())
}

/// Free collateral, micro-USDC: equity above initial margin, rounded down, so that what is paid of
/// it leaves the margin covered.
fn payable_floor(margin: &Margin) -> i128 {
    margin.initial_excess_e12.div_euclid(PPM.into()).max(0)
}

impl Ledger<'_> {
    /// The answer of an account, if there is one, is right after the batch, with this margin.
    ///
    /// # Errors
    /// [`Rule::InitialMargin`], [`Rule::ForcedWithdrawal`], [`Rule::ForcedReduction`],
    /// [`Rule::Frozen`].
    pub(crate) fn check_answer(&self, index: AccountIndex, after: &Margin) -> Result<(), Reject> {
        match self.answers.get(&index) {
            Some(ForcedAnswer::Withdrawal { amount, paid }) => check_paid(*amount, *paid, after),
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
            let sentence = "the account has a forced request in the batch";
            return Err(Reject::because(Rule::ForcedRequest, sentence).of(index));
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

    /// One request an account and batch, of an account that signs nothing in it and whose auction
    /// takes no step. The insurance fund is nobody's.
    fn check_alone(&self, index: AccountIndex, found: &Account) -> Result<(), Reject> {
        if index == INSURANCE_FUND {
            let sentence = "the insurance fund has no owner to force a request";
            return Err(Reject::because(Rule::ForcedRequest, sentence).of(index));
        }
        self.check_not_forced(index)?;
        if self.account(index)?.nonces != found.nonces || self.steps.contains_key(&index) {
            let sentence = "the account has signed, or its auction has taken a step, in the batch";
            return Err(Reject::because(Rule::ForcedRequest, sentence).of(index));
        }
        Ok(())
    }

    /// The part of `amount` that the account has above initial margin at this point of the batch.
    fn payable(&self, index: AccountIndex, amount: Cash) -> Result<Cash, Reject> {
        if amount < Cash::default() {
            return Err(Reject::new(Rule::Range, "amount forced", amount).at_least(0).of(index));
        }
        let margin = self.market.margin_of(self.account(index)?)?;
        Cash::try_from(payable_floor(&margin).min(amount.into()))
    }
}
