//! Account rows: what the batch says of an account before and after, and what it asked for.

use zkmargin_protocol::account::Account;
use zkmargin_protocol::account::nonce::{NonceWindow, SLIDE, WINDOW};
use zkmargin_protocol::account::positions::SLOTS;
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::forced::ForcedAnswer;
use zkmargin_protocol::operation::forced::reduction::Reduced;
use zkmargin_protocol::value::units::{AccountIndex, Price};

use crate::account::AccountInput;
use crate::ledger::forced::counterparty::CounterpartyInput;
use crate::ledger::forced::reduction::ForcedReductionInput;

/// The account before the batch, or as its deposit opens it.
pub(super) fn before(trace: &BatchTrace, row: &AccountRow) -> Account {
    let opened = || {
        let mut deposits = trace.deposits.iter().map(|row| &row.deposit);
        let deposit = deposits.find(|deposit| deposit.account == row.index);
        let keys = deposit.map_or((row.new.key, row.new.view_key), |d| (d.key, d.view_key));
        Account::open(keys.0, keys.1, row.new.book)
    };
    row.old.clone().unwrap_or_else(opened)
}

/// The account, before the batch, that signs for `index`.
pub(super) fn signer(trace: &BatchTrace, index: AccountIndex) -> Option<Account> {
    let row = trace.accounts.iter().find(|row| row.index == index)?;
    Some(before(trace, row))
}

pub(super) fn input(trace: &BatchTrace, row: &AccountRow) -> AccountInput {
    let old = before(trace, row);
    let asks = |is_meant: fn(&Action) -> bool| {
        let mut requests = trace.requests.iter().map(|signed| &signed.request);
        requests.any(|request| request.account == row.index && is_meant(&request.action))
    };
    let is_voided = matches!(row.answer, Some(ForcedAnswer::CancelAll { is_refused: false }));
    let is_cancelled = is_voided || asks(|action| matches!(action, Action::CancelAll { .. }));
    let nonces_used = if is_cancelled {
        // Nothing of the old window is left in the new one.
        nonces_signed(trace, row.index, old.nonces)
    } else {
        nonces_between(old.nonces, row.new.nonces)
    };
    AccountInput {
        is_active: true,
        is_new: row.old.is_none(),
        index: row.index,
        old,
        settlement: row.settlement.clone(),
        new: row.new.clone(),
        nonces_used,
        is_rekeyed: asks(|action| matches!(action, Action::Rekey { .. })),
        is_cancelled,
        is_two_sided: row.old_margin.is_some(),
    }
}

/// Whether the account was in auction or its auction takes a step.
pub(super) fn is_frozen(row: &AccountRow) -> bool {
    row.step.is_some() || row.old.as_ref().is_some_and(|old| old.auction.is_some())
}

fn reduced(row: &AccountRow) -> Option<Reduced> {
    match row.answer? {
        ForcedAnswer::Reduction(answer) => Some(answer),
        ForcedAnswer::Withdrawal { .. } | ForcedAnswer::CancelAll { .. } => None,
    }
}

/// Whether a forced reduction is refused.
pub(super) fn is_refused(row: &AccountRow) -> bool {
    reduced(row).is_some_and(|answer| answer.refusal.is_some())
}

/// A forced reduction with the prices of its instrument and its counterparty, as far as the batch
/// has them.
pub(super) fn forced_reduction(
    trace: &BatchTrace,
    row: &AccountRow,
) -> Option<ForcedReductionInput> {
    let answer = reduced(row)?;
    let priced = trace.risk_row(answer.terms.instrument);
    let index = answer.terms.counterparty;
    let other = trace.accounts.iter().find(|row| row.index == index);
    let counterparty = CounterpartyInput {
        index,
        book: other.map_or(row.new.book, |other| other.new.book),
        is_frozen: other.is_some_and(is_frozen),
        is_full: other.is_some_and(|other| other.new.positions.count() == SLOTS),
        wide: other.map_or(0, |other| other.margin.wide_spreads()),
        excess_e12: other.map_or(0, |other| other.margin.initial_excess_e12),
    };
    let prices = priced.map_or([Price::default(); 2], |row| [row.mark, row.forward]);
    Some(ForcedReductionInput { answer, prices, counterparty })
}

/// The nonces marked between two windows, bit `k` for `old.base + k`.
fn nonces_between(old: NonceWindow, new: NonceWindow) -> u64 {
    let after = if new.base == old.base {
        new.bits
    } else {
        // The window has moved, so its lower half had all been used.
        new.bits << SLIDE | ((1 << SLIDE) - 1)
    };
    after & !old.bits
}

/// The nonces of the window that the account's orders and requests carry, bit `k` for
/// `window.base + k`.
fn nonces_signed(trace: &BatchTrace, account: AccountIndex, window: NonceWindow) -> u64 {
    let orders = trace.trades.iter().flat_map(|trade| [&trade.buy.order, &trade.sell.order]);
    let orders = orders.map(|order| (order.account, order.nonce));
    let requests = trace.requests.iter().map(|signed| &signed.request);
    let requests = requests.map(|request| (request.account, request.nonce));
    let offsets = orders
        .chain(requests)
        .filter(|(signer, _)| *signer == account)
        .filter_map(|(_, nonce)| nonce.get().checked_sub(window.base.get()));
    offsets.filter(|&offset| offset < WINDOW).fold(0, |used, offset| used | 1 << offset)
}
