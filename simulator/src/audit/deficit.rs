//! What is missing, and what those who leave get while it is.

use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::AuctionStep;

use super::auction::standing;
use super::memory::Memory;
use super::observation::{Seal, Step};
use super::parties::payout;
use super::{Finding, demand};

/// [`crate::invariants::Invariant::PayoutShare`]
pub fn payout_share(_: &Memory, step: &Step) -> Finding {
    let Operation::Request(signed) = step.operation else { return Ok(()) };
    let Action::Withdrawal { amount, least, .. } = signed.request.action else { return Ok(()) };
    let paid = payout(amount.into(), step.custody);
    let least = i128::from(least.unwrap_or(amount));
    demand!(paid >= least, "{paid} leaves of {amount}, at least {least} was asked for");
    Ok(())
}

/// [`crate::invariants::Invariant::DeficitCount`]
pub fn deficit_count(memory: &Memory, step: &Step) -> Finding {
    let Operation::CountDeficit(index) = step.operation else { return Ok(()) };
    let Some(AuctionStep::Count { cover }) = step.auction else {
        return Err(format!("no count of account {index}"));
    };
    let missing = -standing(memory, step, *index)?.equity;
    let was = step.opening.get(index).and_then(|account| account.auction);
    demand!(was.is_some_and(|a| a.is_insolvent), "account {index} is in no such auction");
    let fund = memory.start(INSURANCE_FUND, step.before).cash;
    demand!(missing > 0, "account {index} is {missing} short of nothing");
    demand!(*cover == fund.clamp(0, missing), "the fund gives {cover} of {fund}");
    let counted = step.after.get(index).and_then(|account| account.auction);
    let counted = counted.map_or(0, |auction| i128::from(auction.reserve));
    demand!(counted == missing - cover, "{counted} counted, {} missing", missing - cover);
    Ok(())
}

/// [`crate::invariants::Invariant::FundGivesFirst`]
pub fn fund_gives_first(memory: &Memory, step: &Step) -> Finding {
    let fund = step.after.get(&INSURANCE_FUND).map_or(0, |fund| fund.cash.get());
    for index in &memory.counted {
        let auction = step.after.get(index).and_then(|account| account.auction);
        let stands = auction.is_some_and(|a| a.is_insolvent && a.reserve.get() > 0);
        demand!(!stands || fund == 0, "a deficit of {index} counted beside {fund} of the fund");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::CustodyHeld`]
pub fn custody_held(memory: &Memory, seal: &Seal) -> Finding {
    let expected = memory.deposited - memory.withdrawn;
    let found = seal.after.custody.held();
    demand!(found == expected, "L1 holds {found}, expected {expected}");
    let stated = seal.trace.custody_after();
    demand!(stated == seal.after.custody, "stated {stated:?}");
    Ok(())
}

/// [`crate::invariants::Invariant::DeficitsSum`]
pub fn deficits_sum(_: &Memory, seal: &Seal) -> Finding {
    let auctions = seal.after.accounts.values().filter_map(|account| account.auction);
    let counted = auctions.filter(|a| a.is_insolvent).map(|a| i128::from(a.reserve));
    let expected: i128 = counted.sum();
    let found = seal.after.custody.deficit();
    demand!(found == expected, "{found} counted, expected {expected}");
    Ok(())
}
