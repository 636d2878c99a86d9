//! What trades are charged, and who pays less. Spec:
//! `docs/spec/market/fee_schedule.md#FeeSchedule`.

use crate::Reject;
use crate::ledger::transition::Ledger;
use crate::operation::grant_tier::GrantTier;
use crate::operation::order::Side;
use crate::operation::trade::Trade;
use crate::value::units::{AccountIndex, Tier};

impl Ledger<'_> {
    /// The tier whose rates an account pays in this batch: the one before it, the first if the
    /// batch opens the account.
    fn tier(&self, index: AccountIndex) -> Tier {
        let before = self.opening(index).and_then(|opening| opening.account.as_ref());
        before.map_or(Tier::MIN, |account| account.tier)
    }

    /// The fees of a trade are what the schedule allows. An instrument without a row is another
    /// rule's to refuse.
    ///
    /// # Errors
    /// [`Rule::FeeSchedule`].
    pub(crate) fn check_fees(&self, trade: &Trade) -> Result<(), Reject> {
        let Some(row) = self.market.rows().get(&trade.buy.order.instrument) else { return Ok(()) };
        let schedule = &self.market.parameters().fees;
        let sides = [
            (Side::Buy, &trade.buy.order, trade.buyer_fee),
            (Side::Sell, &trade.sell.order, trade.seller_fee),
        ];
        for (side, order, fee) in sides {
            let (tier, prices) = (self.tier(order.account), [row.forward, trade.price]);
            let verdict = schedule.check_fee(fee, tier, trade.maker == side, prices);
            self.judge(verdict.map_err(|reject| reject.of(order.account)))?;
        }
        Ok(())
    }

    /// Raises an account's tier.
    ///
    /// # Errors
    /// [`Rule::AccountExists`], [`Rule::FeeSchedule`].
    pub(crate) fn grant_tier(&mut self, grant: GrantTier) -> Result<(), Reject> {
        let mut account = self.account(grant.account)?.clone();
        self.judge(grant.check(account.tier))?;
        account.tier = grant.tier;
        self.touched.insert(grant.account, account);
        Ok(())
    }
}
