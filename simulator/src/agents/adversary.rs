//! What should be refused, and now and then is not: some attacks are honest operations in another
//! market.

use rand::Rng;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::Bid;
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::operation::order::{Order, Side};
use zkmargin_protocol::operation::request::Request;
use zkmargin_protocol::operation::settle::Settle;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{
    AccountIndex, Cash, InstrumentIndex, Nonce, OrderQuantity, Price, Quantity, Tier, Time,
};

use super::trader::Terms;
use super::{keeper, liquidator, trader, treasury};
use crate::desk::{Desk, account_index, later};
use crate::view::View;

/// One attack.
pub fn draft(desk: &mut Desk, view: &View) -> Option<Operation> {
    match desk.rng.gen_range(0..100) {
        0..18 => replay(desk),
        18..34 => bad_trade(desk, view),
        34..54 => bad_request(desk, view),
        54..64 => bad_deposit(desk, view),
        64..80 => bad_auction(desk, view),
        80..87 => tampered(desk),
        87..88 => bad_grant(desk, view),
        _ => bad_settlement(desk, view),
    }
}

/// A tier that an account has, had, or that is for nobody.
fn bad_grant(desk: &mut Desk, view: &View) -> Option<Operation> {
    let account = if desk.one_in(4) { account_index(1 << 20) } else { desk.anyone() };
    let held = view.accounts.get(&account).map_or(Tier::MAX, |account| account.tier);
    let tier = if desk.one_in(2) { held } else { Tier::MIN };
    Some(Operation::GrantTier(GrantTier { account, tier }))
}

/// What was accepted before, once more.
fn replay(desk: &mut Desk) -> Option<Operation> {
    let place = desk.rng.gen_range(0..desk.history.len().max(1));
    let operation = desk.history.get(place)?;
    // A deposit is no replay on this side of the bridge, and a start may be due anew.
    let is_signed = matches!(operation, Operation::Trade(_) | Operation::Request(_));
    is_signed.then(|| operation.clone())
}

/// What was signed before, with another term.
fn tampered(desk: &mut Desk) -> Option<Operation> {
    let mut operation = replay(desk)?;
    match &mut operation {
        Operation::Trade(trade) => match desk.rng.gen_range(0..4) {
            0 => trade.price = Price::new(trade.price.get().wrapping_add(1 << 20)).ok()?,
            1 => trade.buy.order.limit = Price::MAX,
            2 => trade.sell.order.nonce = Nonce::new(trade.sell.order.nonce.get() + 7).ok()?,
            _ => std::mem::swap(&mut trade.buy.signature, &mut trade.sell.signature),
        },
        Operation::Request(signed) => {
            signed.request.nonce = Nonce::new(signed.request.nonce.get() + 9).ok()?;
            signed.request.expiry = Time::MAX;
        }
        _ => return None,
    }
    Some(operation)
}

/// A trade with one thing wrong, signed as it is by both.
fn bad_trade(desk: &mut Desk, view: &View) -> Option<Operation> {
    let frozen = view.auctioned();
    let mut buyer = desk.anyone();
    if desk.one_in(4) {
        buyer = desk.pick(&frozen).unwrap_or(buyer);
    }
    let seller = desk.fellow(buyer);
    let row = trader::instrument(desk, view, buyer)?;
    let mut quantity_e3 = desk.rng.gen_range(1..500);
    if desk.one_in(8) {
        quantity_e3 = *[1 << 30, Quantity::MAX.get()].get(desk.rng.gen_range(0..2))?;
    }
    let terms = Terms { row, price: row.mark, quantity_e3 };
    let mut buy = trader::order(desk, view, buyer, Side::Buy, terms)?;
    let sell = trader::order(desk, view, seller, Side::Sell, terms)?;
    let quantity = Quantity::new(quantity_e3).ok()?;
    let mut fill = Fill { price: row.mark, quantity, fees: [Price::MIN; 2] };
    break_order(desk, view, &mut buy);
    break_fill(desk, &mut fill);
    if desk.one_in(12) {
        // As much as the order allows, and more than the schedule.
        (buy.fee_limit, fill.fees[0]) = (Price::MAX, row.forward);
    }
    let (buy, mut sell) = (desk.sign_order(buy)?, desk.sign_order(sell)?);
    if desk.one_in(8) {
        sell.signature = buy.signature;
    }
    let Fill { price, quantity, fees: [buyer_fee, seller_fee] } = fill;
    let maker = Side::Sell;
    let trade = Trade { buy, sell, price, quantity, maker, buyer_fee, seller_fee };
    Some(Operation::Trade(Box::new(trade)))
}

fn break_order(desk: &mut Desk, view: &View, order: &mut Order) {
    match desk.rng.gen_range(0..9) {
        0 => order.expiry = Time::new(view.time.get() - 1).unwrap_or_default(),
        1 => order.spec.strike = Price::new(order.spec.strike.get() + 1).unwrap_or_default(),
        2 => order.side = Side::Sell,
        3 => order.instrument = InstrumentIndex::MAX,
        4 => order.nonce = Nonce::new(order.nonce.get() + 64).unwrap_or_default(),
        5 => order.account = account_index(1 << 20),
        6 => order.limit = Price::MIN,
        7 => order.quantity_max = OrderQuantity::MIN,
        _ => {}
    }
}

/// What the venue adds to two orders.
struct Fill {
    price: Price,
    quantity: Quantity,
    /// The buyer's and the seller's.
    fees: [Price; 2],
}

fn break_fill(desk: &mut Desk, fill: &mut Fill) {
    match desk.rng.gen_range(0..8) {
        0 => fill.price = Price::MAX,
        1 => fill.price = Price::MIN,
        2 => fill.quantity = Quantity::new(-fill.quantity.get()).unwrap_or_default(),
        3 => fill.fees[0] = Price::new(1_001).unwrap_or_default(),
        4 => fill.fees[1] = Price::MAX,
        _ => {}
    }
}

/// A request for what is not there, or not in this way.
fn bad_request(desk: &mut Desk, view: &View) -> Option<Operation> {
    let frozen = view.auctioned();
    let mut account = desk.anyone();
    if desk.one_in(4) {
        account = desk.pick(&frozen).unwrap_or(account);
    }
    let nonce = desk.nonce(view.accounts.get(&account)?)?;
    let excess_e6 = view.excess_e6(account)?.max(0);
    let amounts = [excess_e6 + 1, i64::MAX, 0, -1, i64::MIN, excess_e6 / 2 + 1];
    let amount = Cash::new(desk.pick(&amounts)?).ok()?;
    let action = match desk.rng.gen_range(0..5) {
        0 => Action::Transfer { to: account_index(1 << 20), amount },
        1 => Action::Transfer { to: account, amount },
        2 => Action::CancelAll { base: nonce },
        _ => Action::Withdrawal { to: treasury::recipient(desk), amount, least: None },
    };
    let mut request = Request { account, action, nonce, expiry: later(view.time, 60) };
    if desk.one_in(6) {
        request.expiry = Time::new(view.time.get() - 1).ok()?;
    }
    if desk.one_in(4) {
        return forged_request(desk, request);
    }
    desk.sign_request(request)
}

/// A request in the name of an account, signed by another's key.
fn forged_request(desk: &mut Desk, request: Request) -> Option<Operation> {
    let thief = desk.anyone();
    let keys = desk.keys.get(&thief)?;
    // Nothing of it is told to the auditor, unless the thief is the owner.
    if thief == request.account {
        return desk.sign_request(request);
    }
    Some(Operation::Request(request.sign(&keys.secret, desk.domain)))
}

/// A deposit for another's account under other keys, of nothing, or of less; or one to the fund,
/// which a batch that has counted a deficit does not take.
fn bad_deposit(desk: &mut Desk, view: &View) -> Option<Operation> {
    let auctions = view.accounts.values().filter_map(|account| account.auction);
    let stands = auctions.map(|auction| auction.counted()).sum::<i128>() > 0;
    if stands && desk.one_in(4) {
        return treasury::deposit(desk, view, INSURANCE_FUND);
    }
    let account = desk.anyone();
    let mut operation = treasury::deposit(desk, view, account)?;
    if let Operation::Deposit(deposit) = &mut operation {
        match desk.rng.gen_range(0..5) {
            3 if view.accounts.contains_key(&account) => {
                deposit.key = desk.spare().secret.public();
                return Some(Operation::RefuseDeposit(deposit.clone()));
            }
            4 => return Some(Operation::RefuseDeposit(deposit.clone())),
            0 if view.accounts.contains_key(&account) => {
                deposit.key = desk.spare().secret.public();
            }
            1 => deposit.amount = Cash::default(),
            _ => deposit.amount = Cash::MIN,
        }
    }
    Some(operation)
}

/// An auction of an account that is well, the end of one that is not, a bid without right.
fn bad_auction(desk: &mut Desk, view: &View) -> Option<Operation> {
    let auctioned = view.auctioned();
    let account = desk.pick(&auctioned);
    let anyone = desk.anyone();
    match desk.rng.gen_range(0..7) {
        6 => Some(Operation::CountDeficit(account.unwrap_or(anyone))),
        0 => Some(Operation::StartAuction(anyone)),
        1 => Some(Operation::EndAuction(account.unwrap_or(anyone))),
        2 => Some(Operation::StartAuction(account.unwrap_or(INSURANCE_FUND))),
        3 => bid(desk, view, [anyone, anyone]),
        4 => bid(desk, view, [account?, account?]),
        _ => {
            let account = account?;
            let mut bid = liquidator::terms(desk, view, account)?;
            match desk.rng.gen_range(0..4) {
                0 => bid.fraction_max_ppm = 1_000_001,
                1 => bid.fraction_max_ppm = 0,
                2 => bid.fraction_min_ppm = 1_000_000,
                _ => bid.limit = Cash::MIN,
            }
            desk.request(view, anyone, Action::Bid(bid))
        }
    }
}

fn bid(desk: &mut Desk, view: &View, [bidder, account]: [AccountIndex; 2]) -> Option<Operation> {
    let bid = Bid { account, fraction_min_ppm: 0, fraction_max_ppm: 500_000, limit: Cash::MAX };
    desk.request(view, bidder, Action::Bid(bid))
}

/// A settlement that is not due, or of a wrong expiry.
fn bad_settlement(desk: &mut Desk, view: &View) -> Option<Operation> {
    let mut settle = match keeper::settle(desk, view) {
        Some(Operation::Settle(settle)) if desk.one_in(2) => settle,
        _ => Settle { account: desk.anyone(), expiry: view.time },
    };
    if desk.one_in(2) {
        settle.expiry = Time::new(settle.expiry.get() - 1).ok()?;
    }
    Some(Operation::Settle(settle))
}
