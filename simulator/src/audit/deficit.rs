//! What is missing, and what those who leave get while it is.

use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::operation::Operation;

use super::margin::Standing;
use super::memory::Memory;
use super::observation::{Accounts, Holding, Seal, Step};
use super::{Finding, demand};

/// What all accounts in auction without equity owe, as their leaves say.
fn owed(accounts: &Accounts) -> i128 {
    let auctions = accounts.values().filter_map(|account| account.auction);
    auctions.filter(|a| a.is_insolvent).map(|a| i128::from(a.reserve)).sum()
}

/// What leaves of a withdrawal of a batch: `⌊amount·H/(H + M)⌋`, with H what L1 holds with the
/// batch's deposits and M what all owe beyond what the fund had before it kept a part of them.
pub fn payout(seal: &Seal, amount: i128) -> i128 {
    let brought = seal.operations.iter().filter_map(|operation| match operation {
        Operation::Deposit(deposit) => Some(i128::from(deposit.amount)),
        _ => None,
    });
    let held = seal.before.custody.held() + brought.sum::<i128>();
    let fund = seal.standing.get(&INSURANCE_FUND).map_or(0, |fund| i128::from(fund.cash));
    let missing = (owed(&seal.after.accounts) - fund).max(0);
    if missing == 0 { amount } else { (amount * held).div_euclid(held + missing) }
}

/// What the fund keeps of the withdrawals of a batch.
pub fn kept(memory: &Memory, seal: &Seal) -> i128 {
    memory.withdrawals.iter().map(|[amount, _]| amount - payout(seal, *amount)).sum()
}

/// [`crate::invariants::Invariant::PayoutShare`]
pub fn payout_share(memory: &Memory, seal: &Seal) -> Finding {
    for [amount, least] in &memory.withdrawals {
        let paid = payout(seal, *amount);
        demand!(paid >= *least, "{paid} leaves of {amount}, at least {least} was asked for");
    }
    let fund = |accounts: &Accounts| accounts.get(&INSURANCE_FUND).map_or(0, |f| f.cash.get());
    let found = i128::from(fund(&seal.after.accounts)) - i128::from(fund(seal.standing));
    let expected = kept(memory, seal);
    demand!(found == expected, "the fund keeps {found}, expected {expected}");
    Ok(())
}

/// [`crate::invariants::Invariant::DeficitCount`]
pub fn deficit_count(_: &Memory, step: &Step) -> Finding {
    let Operation::CountDeficit(index) = step.operation else { return Ok(()) };
    let was = step.opening.get(index).and_then(|account| account.auction);
    demand!(was.is_some_and(|a| a.is_insolvent), "account {index} is in no such auction");
    let fund = |accounts: &Accounts| accounts.get(&INSURANCE_FUND).map(|fund| fund.cash);
    demand!(fund(step.before) == fund(step.after), "the fund pays for a count");
    Ok(())
}

/// [`crate::invariants::Invariant::DeficitAsOwed`]
pub fn deficit_as_owed(_: &Memory, seal: &Seal) -> Finding {
    for row in &seal.trace.accounts {
        let Some(account) = seal.after.accounts.get(&row.index) else { continue };
        let Some(auction) = account.auction.filter(|auction| auction.is_insolvent) else {
            continue;
        };
        let held = Holding::of(account);
        let Some(own) = Standing::of(&held, seal.market, account.book.method) else {
            return Err(format!("account {} holds an option without a row", row.index));
        };
        let (found, expected) = (i128::from(auction.reserve), (-own.equity).max(0));
        demand!(found == expected, "{} counts {found}, owes {expected}", row.index);
    }
    Ok(())
}

/// [`crate::invariants::Invariant::CustodyHeld`]
pub fn custody_held(memory: &Memory, seal: &Seal) -> Finding {
    let expected = memory.deposited - memory.withdrawn + kept(memory, seal);
    let found = seal.after.custody.held();
    demand!(found == expected, "L1 holds {found}, expected {expected}");
    let stated = seal.trace.custody_after();
    demand!(stated == seal.after.custody, "stated {stated:?}");
    Ok(())
}

/// [`crate::invariants::Invariant::DeficitsSum`]
pub fn deficits_sum(_: &Memory, seal: &Seal) -> Finding {
    let (found, expected) = (seal.after.custody.deficit(), owed(&seal.after.accounts));
    demand!(found == expected, "{found} counted, expected {expected}");
    Ok(())
}
