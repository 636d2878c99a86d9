//! Auctions: started, bid for, ended.

use rand::Rng;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::Bid;
use zkmargin_protocol::value::units::{AccountIndex, Cash};

use crate::desk::Desk;
use crate::view::View;

/// Accounts bid for in full, to the last of their contracts, at any price.
const ALL_PPM: u32 = 1_000_000;

/// Starts where margin is short, bids where an auction runs, ends where it has done its work,
/// counts what is missing.
pub fn draft(desk: &mut Desk, view: &View) -> Option<Operation> {
    let auctioned = view.auctioned();
    match desk.rng.gen_range(0..7) {
        0 => start(desk, view),
        6 => count(desk, view, &auctioned),
        1 => end(desk, view, &auctioned).or_else(|| start(desk, view)),
        _ => bid(desk, view, &auctioned).or_else(|| start(desk, view)),
    }
}

fn start(desk: &mut Desk, view: &View) -> Option<Operation> {
    let is_due = |index: &AccountIndex| {
        let margin = view.market.margin_of(&view.accounts[index]);
        let is_solvent = margin.as_ref().is_ok_and(|margin| margin.equity > 0);
        match &view.accounts[index].auction {
            None => margin.is_ok_and(|margin| margin.maintenance_excess_e12 < 0),
            Some(auction) => auction.is_insolvent == is_solvent,
        }
    };
    let due: Vec<_> = view.accounts.keys().copied().filter(is_due).collect();
    desk.pick(&due).map(Operation::StartAuction)
}

fn end(desk: &mut Desk, view: &View, auctioned: &[AccountIndex]) -> Option<Operation> {
    let covers = |index: &AccountIndex| {
        let margin = view.market.margin_of(&view.accounts[index]);
        margin.is_ok_and(|margin| margin.equity * 100 >= margin.maintenance * 115)
    };
    let covered: Vec<_> = auctioned.iter().copied().filter(covers).collect();
    desk.pick(&covered).map(Operation::EndAuction)
}

fn count(desk: &mut Desk, view: &View, auctioned: &[AccountIndex]) -> Option<Operation> {
    let is_due = |index: &AccountIndex| {
        let account = &view.accounts[index];
        let margin = view.market.margin_of(account);
        account.auction.is_some_and(|auction| auction.is_insolvent)
            && margin.is_ok_and(|margin| margin.equity < 0)
    };
    let due: Vec<_> = auctioned.iter().copied().filter(is_due).collect();
    desk.pick(&due).map(Operation::CountDeficit)
}

fn bid(desk: &mut Desk, view: &View, auctioned: &[AccountIndex]) -> Option<Operation> {
    let account = desk.pick(auctioned)?;
    let book = desk.book(account).underlying;
    let rich: Vec<_> = desk
        .roster
        .iter()
        .rev()
        .copied()
        .filter(|index| desk.book(*index).underlying == book && *index != account)
        .take(3)
        .collect();
    let bidder = desk.pick(&rich)?;
    let action = Action::Bid(terms(desk, view, account)?);
    desk.request(view, bidder, action)
}

/// A part or the whole, at any price or at one that the auction may not have come down to.
pub fn terms(desk: &mut Desk, view: &View, account: AccountIndex) -> Option<Bid> {
    let equity = view.market.margin_of(view.accounts.get(&account)?).ok()?.equity;
    let fraction_max_ppm = match desk.rng.gen_range(0..3) {
        0 => ALL_PPM,
        _ => desk.rng.gen_range(10_000..=ALL_PPM),
    };
    let fraction_min_ppm = if desk.one_in(3) { fraction_max_ppm / 4 } else { 0 };
    let limit = match desk.rng.gen_range(0..4) {
        0 => Cash::try_from(equity * desk.rng.gen_range(50..100) / 100).ok()?,
        _ => Cash::MAX,
    };
    Some(Bid { account, fraction_min_ppm, fraction_max_ppm, limit })
}
