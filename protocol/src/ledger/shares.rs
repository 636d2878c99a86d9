//! What is missing when a batch ends, and what its withdrawals then get. Spec:
//! `docs/spec/ledger/liquidation.md#WithdrawalShare`.

use crate::account::{Account, INSURANCE_FUND};
use crate::ledger::transition::Ledger;
use crate::ledger::withdrawal::{Shared, Withdrawal};
use crate::value::custody::{Custody, Share};
use crate::value::units::{AccountIndex, Cash};
use crate::{Reject, Rule};

impl Ledger<'_> {
    /// Notes a withdrawal of `amount`, which has left the account already.
    pub(crate) fn withdraw(&mut self, account: AccountIndex, amount: Cash, least: Cash) {
        if amount > Cash::default() {
            self.withdrawals.push(Withdrawal { account, amount, least });
        }
    }

    /// An account as the operations so far leave it, but for keys and nonces: a deficit is counted
    /// after all of them, and the insurance fund has what it keeps of withdrawals.
    pub(crate) fn left(&self, index: AccountIndex) -> Result<Account, Reject> {
        let mut account = self.recounted(index, self.account(index)?)?;
        if index == INSURANCE_FUND && self.shared.kept != 0 {
            let cash = Cash::try_from(i128::from(account.cash) + self.shared.kept);
            account.cash = cash.map_err(|reject| reject.of(index))?;
        }
        Ok(account)
    }

    /// An account of the batch with the deficit that it has now.
    fn recounted(&self, index: AccountIndex, account: &Account) -> Result<Account, Reject> {
        let mut account = account.clone();
        let is_stale = self.liberties.waives(Rule::Deficit);
        let Some(auction) = account.auction.filter(|a| a.is_insolvent && !is_stale) else {
            return Ok(account);
        };
        let margin = self.market.margin_of(&account);
        let recounted = margin.and_then(|margin| auction.recounted(margin.equity));
        account.auction = Some(recounted.map_err(|reject| reject.of(index))?);
        Ok(account)
    }

    /// By how much the deficits of all accounts change.
    fn counted(&self) -> Result<i128, Reject> {
        let counted = |account: &Account| account.auction.map_or(0, |auction| auction.counted());
        let mut change = 0;
        for (index, account) in self.touched.iter() {
            let before = self.state.accounts().get(index).map_or(0, counted);
            change += counted(&self.recounted(*index, account)?) - before;
        }
        Ok(change)
    }

    /// Shares what L1 holds among the withdrawals of the batch. While a deficit is counted a
    /// withdrawal opens the insurance fund's account.
    ///
    /// # Errors
    /// [`Rule::Deficit`], [`Rule::Custody`]; [`Rule::AccountExists`] without an insurance fund;
    /// [`Rule::WithdrawalShare`] if less leaves than a withdrawal accepts.
    pub(crate) fn share_out(&mut self) -> Result<(), Reject> {
        let deficit = self.state.custody().deficit() + self.counted()?;
        let (mut missing, is_waiting) = (0, !self.withdrawals.is_empty() && deficit > 0);
        if is_waiting {
            if !self.liberties.waives(Rule::Deficit) {
                self.touch(INSURANCE_FUND)?;
            }
            missing = (deficit - i128::from(self.account(INSURANCE_FUND)?.cash)).max(0);
        }
        let share = self.state.custody().share(self.received, missing);
        let share = share.or_else(|reject| self.judge(Err(reject)).map(|()| Share::default()))?;
        let mut shared = Shared { share, is_waiting, ..Shared::default() };
        for withdrawal in &self.withdrawals {
            let payout = share.payout_floor(withdrawal.amount);
            if payout < withdrawal.least {
                let what = "payout of the withdrawal";
                let reject = Reject::new(Rule::WithdrawalShare, what, payout);
                let reject = reject.at_least(withdrawal.least).of(withdrawal.account);
                self.judge(Err(reject))?;
            }
            shared.left += i128::from(payout);
            shared.kept += i128::from(withdrawal.amount) - i128::from(payout);
        }
        self.shared = shared;
        Ok(())
    }

    /// Whether the batch has a withdrawal while a deficit is counted: its proof then shows what the
    /// insurance fund has.
    pub(crate) fn is_waiting(&self) -> bool {
        self.shared.is_waiting
    }

    /// What the withdrawals get.
    pub(crate) fn share(&self) -> Share {
        self.shared.share
    }

    /// What L1 holds after the batch and the deficits counted then.
    ///
    /// # Errors
    /// [`Rule::Custody`], [`Rule::Deficit`].
    pub(crate) fn custody(&self) -> Result<Custody, Reject> {
        let received = self.received - self.shared.left;
        let after = self.state.custody().after(received, self.counted()?);
        after.or_else(|reject| self.judge(Err(reject)).map(|()| self.state.custody()))
    }
}
