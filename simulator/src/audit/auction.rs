//! Steps of auctions by the specification's arithmetic, in exact integers.

use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::value::units::{AccountIndex, Cash};

use super::bid::{Sale, bid};
use super::margin::{ONE_PPM, Standing, ceil};
use super::memory::Memory;
use super::observation::{Holding, Step};
use super::parties::{parties, signers};
use super::{Finding, demand};

/// Equity and margin of an account as the batch found it.
pub fn standing(memory: &Memory, step: &Step, index: AccountIndex) -> Result<Standing, String> {
    let found = memory.opened.get(&index).ok_or("an account the batch did not find")?;
    let account = step.opening.get(&index).ok_or("an account the batch did not find")?;
    let standing = Standing::of(found, step.market, account.book.method);
    standing.ok_or_else(|| format!("account {index} holds an option without a row"))
}

/// [`crate::invariants::Invariant::FrozenPassive`]
pub fn frozen_passive(memory: &Memory, step: &Step) -> Finding {
    for (index, _) in signers(step.operation) {
        let was_frozen = step.opening.get(&index).is_some_and(|a| a.auction.is_some());
        demand!(!was_frozen, "account {index} in auction has signed");
        demand!(!memory.steps.contains_key(&index), "account {index} put up has signed");
    }
    if let Operation::StartAuction(index) = step.operation {
        let windows = [step.opening, step.before].map(|all| all.get(index).map(|a| a.nonces));
        demand!(windows[0] == windows[1], "account {index} put up has signed before");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::FrozenOnlySold`]
pub fn frozen_only_sold(memory: &Memory, step: &Step) -> Finding {
    let sold = bid(step).map(|(bid, _)| bid.account);
    for (index, before) in step.before {
        let was_frozen = step.opening.get(index).is_some_and(|a| a.auction.is_some());
        if !was_frozen && before.auction.is_none() {
            continue;
        }
        let start = memory.start(*index, step.before);
        let after = step.after.get(index).map(Holding::of).unwrap_or_default();
        if sold != Some(*index) {
            let own = memory.reduction(step).filter(|(of, o)| of == index && o.is_done());
            let left = own.map_or(start.contracts.clone(), |(_, o)| o.left(&start).contracts);
            let is_kept = left == after.contracts;
            demand!(is_kept, "positions of account {index} changed without a bid");
            let is_start = matches!(step.operation, Operation::StartAuction(of) if of == index);
            let is_forced = matches!(step.operation, Operation::Forced(of) if of.account == *index);
            let is_poorer = after.cash < start.cash && !is_start && !is_forced;
            demand!(!is_poorer, "account {index} in auction lost cash without a bid");
        }
        for (&instrument, &left) in &after.contracts {
            let held = start.held(instrument);
            let shrinks = held.signum() == left.signum() && left.abs() <= held.abs();
            demand!(shrinks, "{instrument} of account {index} from {held} to {left}");
        }
    }
    Ok(())
}

/// [`crate::invariants::Invariant::AuctionStartsBelow`]
pub fn auction_starts_below(memory: &Memory, step: &Step) -> Finding {
    let Operation::StartAuction(index) = step.operation else { return Ok(()) };
    let standing = standing(memory, step, *index)?;
    let is_insolvent = standing.equity <= 0;
    match step.opening.get(index).and_then(|account| account.auction) {
        None => {
            let excess = standing.equity * ONE_PPM - standing.maintenance_e12;
            demand!(excess < 0, "account {index} has {excess} over maintenance margin");
        }
        Some(auction) => {
            let has_turned = auction.is_insolvent != is_insolvent;
            demand!(has_turned, "auction of {index} anew at equity {}", standing.equity);
        }
    }
    Ok(())
}

/// [`crate::invariants::Invariant::ChangeWarns`]
pub fn change_warns(memory: &Memory, step: &Step) -> Finding {
    let Operation::StartAuction(index) = step.operation else { return Ok(()) };
    let is_new = step.opening.get(index).is_some_and(|account| account.auction.is_none());
    let is_same = memory.parameters.as_ref() == Some(step.market.parameters());
    demand!(is_same || !is_new, "account {index} is put up under other parameters");
    Ok(())
}

/// [`crate::invariants::Invariant::FundNeverSold`]
pub fn fund_never_sold(_: &Memory, step: &Step) -> Finding {
    let fund = step.after.get(&INSURANCE_FUND).and_then(|fund| fund.auction);
    demand!(fund.is_none(), "the fund is in an auction: {fund:?}");
    let is_put_up = matches!(step.operation, Operation::StartAuction(of) if *of == INSURANCE_FUND);
    demand!(!is_put_up, "the fund is put up");
    Ok(())
}

/// [`crate::invariants::Invariant::AuctionFee`]
pub fn auction_fee(memory: &Memory, step: &Step) -> Finding {
    let Operation::StartAuction(index) = step.operation else { return Ok(()) };
    let standing = standing(memory, step, *index)?;
    let parameters = &step.market.parameters().auction;
    let is_new = step.opening.get(index).is_some_and(|account| account.auction.is_none());
    let fee = if is_new && standing.equity > 0 {
        // Sold without discount, a fraction f leaves equity and takes f of the margin.
        let short = standing.shortfall_e18(parameters);
        let buffered = short + standing.equity * ONE_PPM * ONE_PPM;
        demand!(buffered > 0, "account {index} put up without margin");
        let fraction_ppm = ceil(short * ONE_PPM, buffered).clamp(0, ONE_PPM);
        let sold = standing.equity * fraction_ppm * i128::from(parameters.fee_ppm);
        sold.div_euclid(ONE_PPM * ONE_PPM)
    } else {
        0
    };
    for (index, sign) in [(*index, -1), (INSURANCE_FUND, 1)] {
        let start = memory.start(index, step.before).cash;
        let after = step.after.get(&index).map_or(0, |account| i128::from(account.cash));
        let found = after - start;
        demand!(found == sign * fee, "account {index} changed by {found}, the fee is {fee}");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::AuctionEndsCovered`]
pub fn auction_ends_covered(memory: &Memory, step: &Step) -> Finding {
    let Operation::EndAuction(index) = step.operation else { return Ok(()) };
    let standing = standing(memory, step, *index)?;
    let short = standing.shortfall_e18(&step.market.parameters().auction);
    demand!(short <= 0, "account {index} is {short} short of buffered margin");
    Ok(())
}

/// [`crate::invariants::Invariant::AuctionStepOnce`]
pub fn auction_step_once(memory: &Memory, step: &Step) -> Finding {
    for index in parties(step.operation) {
        let count = memory.steps.get(&index).copied().unwrap_or(0);
        demand!(count <= 1, "{count} steps of the auction of {index}");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::AuctionState`]
pub fn auction_state(memory: &Memory, step: &Step) -> Finding {
    for (index, account) in step.after {
        let mut expected = step.before.get(index).and_then(|before| before.auction);
        match step.operation {
            Operation::StartAuction(of) if of == index => {
                let is_insolvent = standing(memory, step, *index)?.equity <= 0;
                let reserve = Cash::default();
                expected = Some(Auction { start: step.time, is_insolvent, reserve });
            }
            Operation::EndAuction(of) if of == index => expected = None,
            _ => {}
        }
        let mut reserve = expected.map_or(0, |auction| i128::from(auction.reserve));
        if let Some((_, fill)) = bid(step).filter(|(bid, _)| bid.account == *index) {
            let sale = Sale::of(memory, step, *index)?;
            // What is counted of a deficit stands until it is counted anew.
            if !sale.auction.is_insolvent {
                reserve = sale.reserve + fill.price;
            }
        }
        if matches!(step.operation, Operation::CountDeficit(of) if of == index)
            && let Some(AuctionStep::Count { cover }) = step.auction
        {
            reserve = -standing(memory, step, *index)?.equity - cover;
        }
        let found = account.auction.map(|a| (a.start, a.is_insolvent, i128::from(a.reserve)));
        let expected = expected.map(|a| (a.start, a.is_insolvent, reserve));
        demand!(found == expected, "auction of {index} {found:?}, expected {expected:?}");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::ReserveBacked`]
pub fn reserve_backed(memory: &Memory, step: &Step) -> Finding {
    for (index, account) in step.after {
        let Some(auction) = account.auction.filter(|auction| !auction.is_insolvent) else {
            continue;
        };
        let reserve = i128::from(auction.reserve);
        let paid = memory.bids.get(index).copied().unwrap_or(0);
        demand!((0..=paid).contains(&reserve), "reserve {reserve} of {index}, bids paid {paid}");
    }
    Ok(())
}
