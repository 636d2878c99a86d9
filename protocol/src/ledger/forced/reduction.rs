//! Answers to forced reductions. Spec: `docs/spec/ledger/forced.md#ForcedReduction`.

use crate::account::margin::Margin;
use crate::account::positions::{Positions, SLOTS};
use crate::account::{Account, INSURANCE_FUND};
use crate::ledger::transition::Ledger;
use crate::market::risk_row::RiskRow;
use crate::operation::forced::reduction::{Reduced, Reduction, Refusal};
use crate::value::units::{AccountIndex, Cash, PPM, Quantity};
use crate::{Reject, Rule};

/// Contracts at their mark less a penalty, parts per million of the forward, micro-USDC, rounded
/// down: against the account.
fn proceeds_floor(contracts: Quantity, row: &RiskRow, penalty_ppm: u32) -> i128 {
    let contracts = i128::from(contracts);
    let value = contracts * i128::from(row.mark);
    let due = contracts.abs() * i128::from(row.forward) * i128::from(penalty_ppm);
    value + (-due).div_euclid(PPM.into())
}

impl Ledger<'_> {
    /// Answers a request: the contracts change hands, or one of the reasons not to is shown.
    pub(super) fn reduce(
        &mut self,
        index: AccountIndex,
        terms: Reduction,
    ) -> Result<Reduced, Reject> {
        self.judge(check_terms(index, &terms))?;
        self.account(terms.counterparty)?;
        // A batch has no order: contracts that come in are not those that were asked for.
        let contracts = terms.contracts_of(self.found(index)?.positions.quantity(terms.instrument));
        let mut answer = Reduced { terms, contracts, proceeds: 0, refusal: None };
        if contracts == Quantity::default() {
            return Ok(answer);
        }
        let penalty_ppm = self.market.parameters().forced_penalty_ppm;
        let row = self.market.live_row(terms.instrument, self.time)?;
        answer.proceeds = proceeds_floor(contracts, row, penalty_ppm);
        answer.refusal = self.liberties.refusal(|| self.refusal(index, &answer))?;
        if answer.refusal.is_some() {
            return Ok(answer);
        }
        let Reduction { instrument, counterparty, .. } = terms;
        self.take_position(index, instrument, contracts)?;
        self.add_position(counterparty, instrument, contracts)?;
        self.add_cash(index, answer.proceeds)?;
        self.add_cash(counterparty, -answer.proceeds)?;
        Ok(answer)
    }

    /// The first reason for which a request cannot be honoured.
    fn refusal(&self, index: AccountIndex, answer: &Reduced) -> Result<Option<Refusal>, Reject> {
        for refusal in [Refusal::Unavailable, Refusal::Account, Refusal::Counterparty] {
            let refused = Reduced { refusal: Some(refusal), ..*answer };
            if self.is_refused_rightly(index, &refused)? {
                return Ok(refused.refusal);
            }
        }
        Ok(None)
    }

    /// What was done was taken by nobody in auction, and leaves the account's own margin covered if
    /// that is in auction; what was refused left its positions alone, and the reason holds still.
    ///
    /// # Errors
    /// [`Rule::ForcedReduction`], [`Rule::Frozen`], [`Rule::InitialMargin`].
    pub(crate) fn check_reduced(
        &self,
        index: AccountIndex,
        answer: &Reduced,
        after: &Margin,
    ) -> Result<(), Reject> {
        let found = self.found(index)?;
        if answer.is_done() {
            self.check_not_frozen(answer.terms.counterparty)?;
            return if found.auction.is_some() { after.check_initial() } else { Ok(()) };
        }
        if answer.refusal.is_none() {
            return Ok(());
        }
        if self.account(index)?.positions != found.positions {
            return Err(refuse("the refused forced reduction has moved contracts").of(index));
        }
        if self.is_refused_rightly(index, answer)? {
            return Ok(());
        }
        Err(refuse("the forced reduction can still be honoured").of(index))
    }

    /// What an account would be after the request, or the counterparty with nothing but the
    /// contracts: the book whose margin a refusal shows; `None` where it shows none.
    ///
    /// # Errors
    /// Those of a book that cannot be held.
    pub(crate) fn shown_book(
        &self,
        index: AccountIndex,
        answer: &Reduced,
    ) -> Result<Option<Account>, Reject> {
        let Reduction { instrument, counterparty, .. } = answer.terms;
        match answer.refusal {
            None | Some(Refusal::Unavailable) => Ok(None),
            Some(Refusal::Account) => {
                let mut account = self.account(index)?.clone();
                let underlying = account.book.underlying;
                account.positions.subtract(underlying, instrument, answer.contracts)?;
                account.cash = Cash::try_from(i128::from(account.cash) + answer.proceeds)?;
                Ok(Some(account))
            }
            Some(Refusal::Counterparty) => {
                let mut account = self.account(counterparty)?.clone();
                account.positions = Positions::default();
                account.positions.add(account.book.underlying, instrument, answer.contracts)?;
                account.cash = Cash::try_from(-answer.proceeds)?;
                Ok(Some(account))
            }
        }
    }

    /// Whether a refused request cannot be honoured for the reason given, at this point of the
    /// batch.
    ///
    /// The contracts by themselves need at least as much margin as they add to any book, so a
    /// counterparty who covers that covers its book with them.
    fn is_refused_rightly(&self, index: AccountIndex, answer: &Reduced) -> Result<bool, Reject> {
        let counterparty = answer.terms.counterparty;
        let Some(shown) = self.shown_book(index, answer)? else {
            let [account, other] = [self.account(index)?, self.account(counterparty)?];
            let is_full = other.positions.count() == SLOTS;
            let is_other_book = account.book.underlying != other.book.underlying;
            let is_frozen = self.check_not_frozen(counterparty).is_err();
            let margins = [self.market.margin_of(account)?, self.market.margin_of(other)?];
            let is_wide = margins.iter().any(|margin| margin.wide_spreads() > 0);
            return Ok(is_full || is_other_book || is_frozen || is_wide);
        };
        let excess_of =
            |account| Ok::<_, Reject>(self.market.margin_of(account)?.initial_excess_e12);
        let shown_e12 = excess_of(&shown)?;
        if answer.refusal == Some(Refusal::Counterparty) {
            return Ok(excess_of(self.account(counterparty)?)? + shown_e12 < 0);
        }
        let is_in_auction = self.found(index)?.auction.is_some();
        let is_worse = is_in_auction || shown_e12 < excess_of(self.account(index)?)?;
        Ok(shown_e12 < 0 && is_worse)
    }
}

fn refuse(sentence: &'static str) -> Reject {
    Reject::because(Rule::ForcedReduction, sentence)
}

/// Somebody else takes the contracts, and not the insurance fund, whose cash is for deficits and
/// would be bound, or owed, by a book that nobody can put up.
fn check_terms(index: AccountIndex, terms: &Reduction) -> Result<(), Reject> {
    if terms.counterparty == index {
        return Err(refuse("the account is its own counterparty").of(index));
    }
    if terms.counterparty == INSURANCE_FUND {
        return Err(refuse("the insurance fund is the counterparty").of(index));
    }
    Ok(())
}
