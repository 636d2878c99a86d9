//! The tables that the argument ties together.

use crate::account::AccountVar;
use crate::account::margin::{MarginVar, RowMarginVar};
use crate::account::positions::SlotVar;
use crate::crypto::tree::NodeVar;
use crate::crypto::tree::opening::OpenedNodeVar;
use crate::gadgets::boolean::Bool;
use crate::ledger::open_interest::OpenInterestVar;
use crate::ledger::two_sided::TwoSidedVar;
use crate::market::risk_row::RiskRowVar;
use crate::operation::deposit::DepositVar;
use crate::operation::request::RequestVar;
use crate::operation::trade::TradeVar;

/// The rows of all tables.
pub struct Tables {
    /// Whether a forward has left its band.
    pub is_outside_band: Bool,
    /// Touched accounts, one-sided rows first.
    pub accounts: Vec<AccountVar>,
    /// Their margins after the batch.
    pub margins: Vec<RowMarginVar>,
    /// What the two-sided rows show besides, the last of the accounts.
    pub two_sided: Vec<TwoSidedVar>,
    /// Trades.
    pub trades: Vec<TradeVar>,
    /// Requests of accounts.
    pub requests: Vec<RequestVar>,
    /// Deposits.
    pub deposits: Vec<DepositVar>,
    /// Tree nodes, the root first.
    pub nodes: Vec<NodeVar>,
    /// Instruments.
    pub instruments: Vec<RiskRowVar>,
    /// Who holds the instruments.
    pub open_interest: Vec<OpenInterestVar>,
    /// Nodes of the risk table above them, the root first.
    pub risk_nodes: Vec<OpenedNodeVar>,
    /// Nodes of the open-interest tree above them, the root first.
    pub interest_nodes: Vec<NodeVar>,
}

impl Tables {
    /// The number of one-sided rows.
    pub fn one_sided(&self) -> usize {
        self.accounts.len() - self.two_sided.len()
    }

    /// What an account row shows besides, if it is two-sided.
    pub fn two_sided_row(&self, account: usize) -> Option<&TwoSidedVar> {
        self.two_sided.get(account.checked_sub(self.one_sided())?)
    }

    /// The two-sided rows with their accounts.
    pub fn two_sided_accounts(&self) -> Vec<(&AccountVar, &TwoSidedVar)> {
        self.accounts[self.one_sided()..].iter().zip(&self.two_sided).collect()
    }

    /// Everything margin is claimed for: all accounts after the batch, two-sided ones before it.
    pub fn books(&self) -> Vec<BookSide<'_>> {
        let after = self.accounts.iter().zip(&self.margins).map(|(account, margin)| BookSide {
            is_active: account.is_active(),
            slots: account.new_positions().slots(),
            margin: margin.claims(),
        });
        let before = self.two_sided_accounts().into_iter().map(|(account, row)| BookSide {
            is_active: account.is_active(),
            slots: row.before().slots(),
            margin: row.before().margin(),
        });
        after.chain(before).collect()
    }
}

/// The positions of one account at one end of the batch, and the margin claimed for them.
pub struct BookSide<'a> {
    /// Whether the row is in use.
    pub is_active: &'a Bool,
    /// The slots.
    pub slots: &'a [SlotVar],
    /// The claims.
    pub margin: &'a MarginVar,
}
