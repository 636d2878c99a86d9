//! What anybody may do: settle, start auctions, end them. And the bids of a round.

use std::collections::BTreeMap;

use zkmargin_protocol::account::auction::{check_end, check_start};
use zkmargin_protocol::account::{Account, INSURANCE_FUND};
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::bid::Bid;
use zkmargin_protocol::operation::settle::Settle;
use zkmargin_protocol::value::units::{AccountIndex, Time};

use crate::StressError;
use crate::bidders::{Abstention, Bidder, Decision, Sale};

/// Bids of a liquidator in a round at most: each takes one of the 64 nonces of its window.
const BIDS_MAX: usize = 16;

/// One operation for every account whose positions of an expiry at `time` are settled.
pub fn settlements(state: &State, market: &Market, time: Time) -> Vec<Operation> {
    let settle = |(&account, found): (&AccountIndex, &Account)| {
        let mut rows = found.positions.iter().map(|(k, _)| market.settled_row(k, time));
        let expiry = rows.find_map(|row| row.map(|row| row.spec.expiry))?;
        Some(Operation::Settle(Settle { account, expiry }))
    };
    state.accounts().iter().filter_map(settle).collect()
}

/// The auctions to start, or start anew, and to end.
///
/// # Errors
/// Those of the margin.
pub fn phases(state: &State, market: &Market) -> Result<Vec<Operation>, StressError> {
    let parameters = &market.parameters().auction;
    let mut operations = Vec::new();
    for (&index, account) in state.accounts() {
        let margin = market.margin_of(account)?;
        let auction = account.auction.as_ref();
        if check_start(auction, &margin, parameters).is_ok() {
            operations.push(Operation::StartAuction(index));
        } else if check_end(auction, &margin, parameters).is_ok() {
            operations.push(Operation::EndAuction(index));
        }
    }
    Ok(operations)
}

/// The deficits to count: of accounts whose auction without equity has run to its end, if another
/// one is counted or none.
///
/// # Errors
/// Those of the margin.
pub fn deficits(state: &State, market: &Market, time: Time) -> Result<Vec<Operation>, StressError> {
    let length_s = u64::from(market.parameters().auction.insolvent_s);
    let mut operations = Vec::new();
    for (&index, account) in state.accounts() {
        let Some(auction) = account.auction else { continue };
        let equity = market.margin_of(account)?.equity;
        let is_over = auction.is_insolvent && time.get() >= auction.start.get() + length_s;
        if is_over && equity < 0 && auction.counted() != -equity {
            operations.push(Operation::CountDeficit(index));
        }
    }
    Ok(operations)
}

/// The bids of a round: each account in auction goes to the first bidder, by hurdle, that wants and
/// can margin a part of it. A bidder's own account is counted as its bids of the round leave it.
///
/// # Errors
/// Those of the rules that price the accounts.
pub fn bids(
    state: &State,
    market: &Market,
    time: Time,
    bidders: &[Bidder],
) -> Result<Vec<(AccountIndex, Bid)>, StressError> {
    let mut own = BTreeMap::new();
    for bidder in bidders {
        own.insert(bidder.account, state.account(bidder.account)?.clone());
    }
    let mut fund = i128::from(state.account(INSURANCE_FUND)?.cash);
    let mut placed = Vec::new();
    let in_auction = state.accounts().iter().filter(|(_, account)| account.auction.is_some());
    for (&index, account) in in_auction {
        let has_nonce = |bidder: &&Bidder| {
            placed.iter().filter(|(index, _)| *index == bidder.account).count() < BIDS_MAX
        };
        for bidder in bidders.iter().filter(has_nonce).collect::<Vec<_>>() {
            let sale = Sale { index, account, market, time, fund };
            let decision = bidder.decide(&own[&bidder.account], sale)?;
            let Decision::Bids { bid, after } = decision else { continue };
            if account.auction.is_some_and(|auction| auction.is_insolvent) {
                // What the fund pays at most.
                fund += i128::from(bid.limit).min(0);
            }
            own.insert(bidder.account, after);
            placed.push((bidder.account, bid));
            break;
        }
    }
    Ok(placed)
}

/// Why nobody bids for an account in auction: what kept the liquidator who was nearest to bidding;
/// `None` if one would.
///
/// # Errors
/// Those of the rules that price the accounts.
pub fn abstention(
    state: &State,
    sale: Sale,
    bidders: &[Bidder],
) -> Result<Option<Abstention>, StressError> {
    let mut nearest = Abstention::Absent;
    for bidder in bidders {
        match bidder.decide(state.account(bidder.account)?, sale)? {
            Decision::Bids { .. } => return Ok(None),
            Decision::Abstains(abstention) => nearest = nearest.max(abstention),
        }
    }
    Ok(Some(nearest))
}
