//! The operations of a batch. Spec: `docs/spec/operation/operations.md`.

pub mod action;
pub mod bid;
pub mod deposit;
pub mod forced;
pub mod grant_tier;
pub mod order;
pub mod recipient;
pub mod request;
pub mod settle;
pub mod trade;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::account::{INSURANCE_FUND, fee_account};
use crate::operation::action::Action;
use crate::operation::bid::Bid;
use crate::operation::deposit::{Deposit, DepositRow};
use crate::operation::forced::{ForcedAction, ForcedRequest};
use crate::operation::grant_tier::GrantTier;
use crate::operation::request::SignedRequest;
use crate::operation::settle::Settle;
use crate::operation::trade::Trade;
use crate::value::units::AccountIndex;

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Cash received on L1.
    Deposit(Deposit),
    /// Cash received on L1 that goes back, for the account has other keys or another book.
    RefuseDeposit(Deposit),
    /// A fill between two signed orders.
    Trade(Box<Trade>),
    /// A signed request of one account.
    Request(SignedRequest),
    /// Touches an account that holds settled positions.
    Settle(Settle),
    /// The venue grants an account a better tier of its fee schedule.
    GrantTier(GrantTier),
    /// An account below maintenance margin is put up for auction, or anew after its equity changed
    /// its sign.
    StartAuction(AccountIndex),
    /// An auction ends, for equity covers buffered margin.
    EndAuction(AccountIndex),
    /// What stays negative of an account in auction is counted, after the insurance fund has given
    /// what it has.
    CountDeficit(AccountIndex),
    /// A request of an account's owner on L1.
    Forced(ForcedRequest),
}

impl From<DepositRow> for Operation {
    fn from(row: DepositRow) -> Self {
        if row.is_refused { Self::RefuseDeposit(row.deposit) } else { Self::Deposit(row.deposit) }
    }
}

impl Operation {
    /// The account that asks or is asked for. A trade has two, which its orders name.
    pub fn account(&self) -> Option<AccountIndex> {
        match self {
            Self::Deposit(deposit) | Self::RefuseDeposit(deposit) => Some(deposit.account),
            Self::Trade(_) => None,
            Self::Request(signed) => Some(signed.request.account),
            Self::Settle(settle) => Some(settle.account),
            Self::GrantTier(grant) => Some(grant.account),
            Self::StartAuction(account)
            | Self::EndAuction(account)
            | Self::CountDeficit(account) => Some(*account),
            Self::Forced(request) => Some(request.account),
        }
    }

    /// The accounts whose leaf the operation changes.
    pub fn accounts(&self) -> BTreeSet<AccountIndex> {
        match self {
            Self::Deposit(deposit) | Self::RefuseDeposit(deposit) => {
                BTreeSet::from([deposit.account])
            }
            Self::Trade(trade) => {
                BTreeSet::from([trade.buy.order.account, trade.sell.order.account, fee_account()])
            }
            Self::Request(signed) => {
                let mut accounts = BTreeSet::from([signed.request.account]);
                match signed.request.action {
                    Action::Transfer { to, .. } => _ = accounts.insert(to),
                    Action::Bid(Bid { account, .. }) => accounts.extend([account, INSURANCE_FUND]),
                    // What does not leave is for the fund.
                    Action::Withdrawal { amount, least: Some(least), .. } if least < amount => {
                        _ = accounts.insert(INSURANCE_FUND);
                    }
                    Action::Withdrawal { .. } | Action::Rekey { .. } | Action::CancelAll { .. } => {
                    }
                }
                accounts
            }
            Self::Settle(settle) => BTreeSet::from([settle.account]),
            Self::GrantTier(grant) => BTreeSet::from([grant.account]),
            Self::StartAuction(account) | Self::CountDeficit(account) => {
                BTreeSet::from([*account, INSURANCE_FUND])
            }
            Self::EndAuction(account) => BTreeSet::from([*account]),
            Self::Forced(ForcedRequest { account, action }) => match action {
                // What does not leave is for the fund.
                ForcedAction::Withdrawal { .. } => BTreeSet::from([*account, INSURANCE_FUND]),
                ForcedAction::CancelAll => BTreeSet::from([*account]),
                ForcedAction::Reduction(terms) => BTreeSet::from([*account, terms.counterparty]),
            },
        }
    }
}
