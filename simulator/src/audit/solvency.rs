//! Margin: who must cover it, and what it is.

use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::account::positions::SLOTS;
use zkmargin_protocol::batch::trace::AccountRow;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::forced::reduction::Refusal;

use super::margin::{ONE_PPM, Standing};
use super::memory::Memory;
use super::observation::{Holding, Seal, Step};
use super::parties::parties;
use super::{Finding, demand};

/// Whether `after` has more of some option than `before`, or the other side of it.
fn grown(before: &Holding, after: &Holding) -> bool {
    after.contracts.iter().any(|(&instrument, &left)| {
        let held = before.held(instrument);
        held.signum() != left.signum() || held.abs() < left.abs()
    })
}

/// [`crate::invariants::Invariant::CoveredOrNoWorse`]
pub fn covered_or_no_worse(memory: &Memory, step: &Step) -> Finding {
    for index in parties(step.operation) {
        let Some(account) = step.after.get(&index) else { continue };
        let (held, method) = (Holding::of(account), account.book.method);
        let Some(standing) = Standing::of(&held, step.market, method) else {
            return Err(format!("account {index} holds an option without a row"));
        };
        let was_frozen = step.opening.get(&index).is_some_and(|a| a.auction.is_some());
        if standing.excess_e12() >= 0 || was_frozen || memory.steps.contains_key(&index) {
            continue;
        }
        let Some(opened) = memory.opened.get(&index) else {
            return Err(format!("new account {index} is short by {}", -standing.excess_e12()));
        };
        let before = Standing::of(opened, step.market, method).map_or(0, |s| s.excess_e12());
        let after = standing.excess_e12();
        demand!(before < 0, "account {index} was covered and is short by {}", -after);
        demand!(before <= after, "account {index} short by {} and by {}", -before, -after);
        demand!(!grown(opened, &held), "account {index}, short, has a larger position");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::BandShrinks`]
pub fn band_shrinks(memory: &Memory, step: &Step) -> Finding {
    if !step.market.attestation().message.is_outside_band {
        return Ok(());
    }
    for index in parties(step.operation) {
        let Some(account) = step.after.get(&index) else { continue };
        let opened = memory.opened.get(&index).cloned().unwrap_or_default();
        let is_grown = grown(&opened, &Holding::of(account));
        demand!(!is_grown, "a position of account {index} has grown outside of the band");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::LiveOnly`]
pub fn live_only(_: &Memory, step: &Step) -> Finding {
    let is_live = |instrument| {
        let row = step.market.rows().get(&instrument);
        row.is_some_and(|row| !row.is_settled && row.spec.expiry > step.time)
    };
    if let Operation::Trade(trade) = step.operation {
        for order in [&trade.buy.order, &trade.sell.order] {
            let row = step.market.rows().get(&order.instrument);
            let is_listed = row.is_some_and(|row| row.spec == order.spec);
            demand!(is_listed && is_live(order.instrument), "{} traded", order.instrument);
        }
    }
    for index in parties(step.operation) {
        let Some(account) = step.after.get(&index) else { continue };
        demand!(account.positions.count() <= SLOTS, "too many positions of account {index}");
        for (instrument, _) in account.positions.iter() {
            demand!(is_live(instrument), "account {index} is left with {instrument}");
            let is_of_book = instrument.underlying() == account.book.underlying;
            demand!(is_of_book, "account {index} holds {instrument} of another book");
        }
    }
    Ok(())
}

/// [`crate::invariants::Invariant::FundNotNegative`]
pub fn fund_not_negative(_: &Memory, step: &Step) -> Finding {
    let Some(fund) = step.after.get(&INSURANCE_FUND) else { return Ok(()) };
    demand!(fund.cash.get() >= 0, "the fund has {}", fund.cash);
    Ok(())
}

/// What the other margin of a two-sided row is of: what the batch found, or the book that a refused
/// reduction would have made.
fn shown(memory: &Memory, seal: &Seal, row: &AccountRow) -> Option<(Holding, MarginMethod)> {
    let own = row.new.book.method;
    let found = memory.opened.get(&row.index).map(|held| (held.clone(), own));
    let Some(outcome) = memory.reductions.get(&row.index) else { return found };
    match outcome.refusal {
        None | Some(Refusal::Unavailable) => found,
        Some(Refusal::Account) => Some((outcome.left(&Holding::of(&row.new)), own)),
        Some(Refusal::Counterparty) => {
            let other = seal.after.accounts.get(&outcome.terms.counterparty)?;
            Some((outcome.taken(&Holding::default()), other.book.method))
        }
    }
}

/// [`crate::invariants::Invariant::MarginAgrees`]
pub fn margin_agrees(memory: &Memory, seal: &Seal) -> Finding {
    for row in &seal.trace.accounts {
        let before = row.old_margin.as_ref().zip(shown(memory, seal, row));
        let after = (&row.margin, (Holding::of(&row.new), row.new.book.method));
        for (found, (held, method)) in before.into_iter().chain([after]) {
            let Some(own) = Standing::of(&held, seal.market, method) else {
                return Err(format!("account {} holds an option without a row", row.index));
            };
            let excesses = [found.initial_excess_e12, found.maintenance_excess_e12];
            let expected = [own.excess_e12(), own.equity * ONE_PPM - own.maintenance_e12];
            demand!(found.equity == own.equity, "equity {} and {}", found.equity, own.equity);
            demand!(excesses == expected, "account {}: {excesses:?}, {expected:?}", row.index);
        }
        let is_known = row.old_margin.is_none() || memory.opened.contains_key(&row.index);
        demand!(is_known, "a margin of account {} before it was", row.index);
    }
    Ok(())
}

/// [`crate::invariants::Invariant::MergeNeverRaises`]
pub fn merge_never_raises(_: &Memory, seal: &Seal) -> Finding {
    let rows = &seal.trace.accounts;
    for (k, a) in rows.iter().enumerate() {
        // Neighbours may be of another underlying; one further on is not, where there are two.
        for b in rows.iter().skip(k + 1).take(2).filter(|b| b.new.book == a.new.book) {
            let mut merged = Holding::of(&a.new);
            for (instrument, quantity) in Holding::of(&b.new).contracts {
                merged.add(instrument, quantity);
            }
            let whole = Standing::of(&merged, seal.market, a.new.book.method);
            let whole = whole.map_or(0, |standing| standing.requirement);
            let parts = a.margin.requirement + b.margin.requirement;
            demand!(whole <= parts, "{} and {}: {whole} over {parts}", a.index, b.index);
        }
    }
    Ok(())
}
