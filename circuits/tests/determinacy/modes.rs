//! The modes in which a row can stand.

use std::collections::BTreeSet;

use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::operation::forced::ForcedAnswer;
use zkmargin_protocol::operation::forced::reduction::Refusal;

/// Every mode that the argument treats on its own.
pub const ALL: [&str; 42] = [
    "account: in padding",
    "account: is new",
    "account: is rekeyed",
    "account: all orders cancelled",
    "account: window kept",
    "account: window slides",
    "account: slots settled",
    "account: the insurance fund",
    "account: two-sided, in padding",
    "account: two-sided, of no auction",
    "auction: starts",
    "auction: starts anew",
    "auction: ends",
    "auction: bid with equity",
    "auction: bid without equity",
    "auction: deficit counted",
    "forced: withdrawal paid in full",
    "forced: withdrawal paid in part",
    "forced: cancel-all",
    "forced: cancel-all refused",
    "forced: reduction done",
    "forced: reduction of nothing held",
    "forced: refused, counterparty unavailable",
    "forced: refused, of the account",
    "forced: refused, of the counterparty",
    "trade: in use",
    "trade: in padding",
    "request: transfer",
    "request: withdrawal",
    "request: rekey",
    "request: cancel-all",
    "request: bid",
    "request: in padding",
    "deposit: opens an account",
    "deposit: to an account there before",
    "deposit: refused",
    "deposit: in padding",
    "instrument: live",
    "instrument: settled",
    "instrument: in padding",
    "node: in padding",
    "batch: a forward outside of its band",
];

/// The modes of a batch's rows.
pub fn of(trace: &BatchTrace) -> BTreeSet<&'static str> {
    let mut modes = BTreeSet::new();
    let shape = &trace.shape;
    let mut tell = |is_so: bool, mode| _ = is_so.then(|| modes.insert(mode));
    for row in &trace.accounts {
        account(row, &mut tell);
    }
    let two_sided = trace.two_sided().count();
    tell(trace.accounts.len() - two_sided < shape.accounts, "account: in padding");
    tell(two_sided < shape.two_sided, "account: two-sided, in padding");
    tell(!trace.trades.is_empty(), "trade: in use");
    tell(trace.trades.len() < shape.trades, "trade: in padding");
    for signed in &trace.requests {
        let mode = match signed.request.action {
            Action::Transfer { .. } => "request: transfer",
            Action::Withdrawal { .. } => "request: withdrawal",
            Action::Rekey { .. } => "request: rekey",
            Action::CancelAll { .. } => "request: cancel-all",
            Action::Bid(_) => "request: bid",
        };
        tell(true, mode);
    }
    tell(trace.requests.len() < shape.requests, "request: in padding");
    for row in &trace.deposits {
        let account = trace.accounts.iter().find(|a| a.index == row.deposit.account);
        let is_opening = !row.is_refused && account.is_some_and(|account| account.old.is_none());
        tell(is_opening, "deposit: opens an account");
        tell(!row.is_refused && !is_opening, "deposit: to an account there before");
        tell(row.is_refused, "deposit: refused");
    }
    tell(trace.deposits.len() < shape.deposits, "deposit: in padding");
    for row in &trace.instruments {
        tell(row.risk.is_settled, "instrument: settled");
        tell(!row.risk.is_settled, "instrument: live");
    }
    tell(trace.instruments.len() < shape.instruments, "instrument: in padding");
    tell(trace.nodes.len() < shape.nodes, "node: in padding");
    tell(trace.header().is_outside_band, "batch: a forward outside of its band");
    modes
}

fn account(row: &AccountRow, tell: &mut impl FnMut(bool, &'static str)) {
    let Some(old) = &row.old else { return tell(true, "account: is new") };
    let base = [old, &row.new].map(|account| account.nonces.base.get());
    tell(old.key != row.new.key, "account: is rekeyed");
    tell(row.index == INSURANCE_FUND, "account: the insurance fund");
    tell(base[0] == base[1] && old.nonces != row.new.nonces, "account: window kept");
    tell(base[1] == base[0] + 32, "account: window slides");
    tell(base[1] >= base[0] + 64, "account: all orders cancelled");
    tell(!row.settlement.instruments.is_empty(), "account: slots settled");
    let was = old.auction.is_some();
    match &row.step {
        Some(AuctionStep::Start { .. }) if was => tell(true, "auction: starts anew"),
        Some(AuctionStep::Start { .. }) => tell(true, "auction: starts"),
        Some(AuctionStep::End) => tell(true, "auction: ends"),
        Some(AuctionStep::Bid(_)) => {
            let is_insolvent = old.auction.as_ref().is_some_and(|auction| auction.is_insolvent);
            tell(!is_insolvent, "auction: bid with equity");
            tell(is_insolvent, "auction: bid without equity");
        }
        Some(AuctionStep::Count { .. }) => tell(true, "auction: deficit counted"),
        None => tell(row.old_margin.is_some() && !was, "account: two-sided, of no auction"),
    }
    match &row.answer {
        Some(ForcedAnswer::Withdrawal { amount, paid }) => {
            tell(amount == paid, "forced: withdrawal paid in full");
            tell(amount != paid, "forced: withdrawal paid in part");
        }
        Some(ForcedAnswer::CancelAll { is_refused }) => {
            tell(!is_refused, "forced: cancel-all");
            tell(*is_refused, "forced: cancel-all refused");
        }
        Some(ForcedAnswer::Reduction(reduced)) => match reduced.refusal {
            Some(Refusal::Unavailable) => tell(true, "forced: refused, counterparty unavailable"),
            Some(Refusal::Account) => tell(true, "forced: refused, of the account"),
            Some(Refusal::Counterparty) => tell(true, "forced: refused, of the counterparty"),
            None => {
                tell(reduced.is_done(), "forced: reduction done");
                tell(!reduced.is_done(), "forced: reduction of nothing held");
            }
        },
        None => {}
    }
}
