//! What agents see of the batch being filled.

use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::value::units::{AccountIndex, Time, Underlying};

use crate::audit::observation::Accounts;

/// What agents see of the batch.
pub struct View<'v> {
    /// Market data.
    pub market: &'v Market,
    /// Time of the batch.
    pub time: Time,
    /// Accounts as they stand.
    pub accounts: &'v Accounts,
}

impl View<'_> {
    /// An account's equity above initial margin, micro-USDC.
    pub fn excess_e6(&self, index: AccountIndex) -> Option<i64> {
        let margin = self.market.margin_of(self.accounts.get(&index)?).ok()?;
        i64::try_from(margin.equity - margin.initial).ok()
    }

    /// Options of an underlying that may be traded.
    pub fn live(&self, underlying: Underlying) -> Vec<&RiskRow> {
        let rows = self.market.rows().values();
        let is_live = |row: &&RiskRow| {
            row.spec.underlying == underlying && !row.is_settled && row.spec.expiry > self.time
        };
        rows.filter(is_live).collect()
    }

    /// Accounts in auction.
    pub fn auctioned(&self) -> Vec<AccountIndex> {
        let in_auction = self.accounts.iter().filter(|(_, account)| account.auction.is_some());
        in_auction.map(|(&index, _)| index).collect()
    }
}
