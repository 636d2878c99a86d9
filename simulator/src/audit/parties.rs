//! Who an operation is about, and what its numbers come to.

use zkmargin_protocol::account::{INSURANCE_FUND, fee_account};
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::forced::ForcedAction;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::{AccountIndex, Nonce, Price};

/// The accounts an operation may change.
pub fn parties(operation: &Operation) -> Vec<AccountIndex> {
    match operation {
        Operation::Deposit(deposit) | Operation::RefuseDeposit(deposit) => vec![deposit.account],
        Operation::Forced(request) => match request.action {
            ForcedAction::Withdrawal { .. } => vec![request.account, INSURANCE_FUND],
            ForcedAction::CancelAll => vec![request.account],
            ForcedAction::Reduction(terms) => vec![request.account, terms.counterparty],
        },
        Operation::Trade(trade) => {
            vec![trade.buy.order.account, trade.sell.order.account, fee_account()]
        }
        Operation::Settle(settle) => vec![settle.account],
        Operation::GrantTier(grant) => vec![grant.account],
        Operation::StartAuction(account) | Operation::CountDeficit(account) => {
            vec![*account, INSURANCE_FUND]
        }
        Operation::EndAuction(account) => vec![*account],
        Operation::Request(signed) => match &signed.request.action {
            Action::Transfer { to, .. } => vec![signed.request.account, *to],
            Action::Bid(bid) => vec![signed.request.account, bid.account, INSURANCE_FUND],
            Action::Withdrawal { amount, least: Some(least), .. } if least < amount => {
                vec![signed.request.account, INSURANCE_FUND]
            }
            _ => vec![signed.request.account],
        },
    }
}

/// The account of whose auction an operation is a step.
pub fn auctioned(operation: &Operation) -> Option<AccountIndex> {
    match operation {
        Operation::StartAuction(account)
        | Operation::EndAuction(account)
        | Operation::CountDeficit(account) => Some(*account),
        Operation::Request(signed) => match &signed.request.action {
            Action::Bid(bid) => Some(bid.account),
            _ => None,
        },
        _ => None,
    }
}

/// The accounts that signed an operation, with the nonces they used.
pub fn signers(operation: &Operation) -> Vec<(AccountIndex, Nonce)> {
    match operation {
        Operation::Trade(trade) => {
            [&trade.buy.order, &trade.sell.order].map(|o| (o.account, o.nonce)).to_vec()
        }
        Operation::Request(signed) => vec![(signed.request.account, signed.request.nonce)],
        _ => Vec::new(),
    }
}

/// What one contract pays at a settlement price, 1/1000 USDC.
pub fn payoff(spec: &InstrumentSpec, price: Price) -> i128 {
    let over = i128::from(price.get()) - i128::from(spec.strike.get());
    match spec.kind {
        OptionKind::Call => over.max(0),
        OptionKind::Put => (-over).max(0),
    }
}

/// What leaves of a withdrawal, when L1 holds C and deficits D are counted: `⌊amount·C/(C + D)⌋`;
/// all of it, where there is neither.
pub fn payout(amount: i128, custody: Custody) -> i128 {
    let (held, all) = (custody.held(), custody.held() + custody.deficit());
    if all == 0 { amount } else { (amount * held).div_euclid(all) }
}
