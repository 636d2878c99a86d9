//! The withdrawals of a batch and what they get. Spec:
//! `docs/spec/ledger/liquidation.md#WithdrawalShare`.

use crate::value::custody::Share;
use crate::value::units::{AccountIndex, Cash};

/// A withdrawal of the batch, signed or forced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Withdrawal {
    pub account: AccountIndex,
    pub amount: Cash,
    pub least: Cash,
}

/// What all withdrawals of the batch get, as its operations so far have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    pub share: Share,
    /// What leaves for L1, micro-USDC.
    pub left: i128,
    /// What the insurance fund keeps.
    pub kept: i128,
    /// Whether withdrawals wait for what the insurance fund has.
    pub is_waiting: bool,
}
