//! Quotes on both sides of the mark, and those who take them.

use rand::Rng;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::order::{Order, Side};
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{AccountIndex, OrderQuantity, Price, Quantity};

use super::trader::instrument;
use super::venue;
use crate::desk::{Desk, later};
use crate::view::View;

/// Quotes kept.
const QUOTES: usize = 32;

/// Puts up quotes where there are few, and takes one.
pub fn draft(desk: &mut Desk, view: &View) -> Option<Operation> {
    if desk.resting.len() < QUOTES / 2 || desk.one_in(16) {
        quote(desk, view);
    }
    let place = desk.rng.gen_range(0..desk.resting.len().max(1));
    let maker = desk.resting.remove(place)?;
    let taker = taker(desk, view, &maker.order)?;
    let most = maker.order.quantity_max.get() as i64;
    let quantity = Quantity::new(desk.rng.gen_range(1..=most)).ok()?;
    let price = maker.order.limit;
    let taker = Order {
        quantity_min: OrderQuantity::try_from(quantity).ok()?,
        quantity_max: OrderQuantity::try_from(quantity).ok()?,
        ..taker
    };
    let taker = desk.sign_order(taker)?;
    let quoted = maker.order.side;
    let (buy, sell) = match quoted {
        Side::Buy => (maker, taker),
        Side::Sell => (taker, maker),
    };
    let orders = [&buy.order, &sell.order];
    let [buyer_fee, seller_fee] = venue::fees(view, orders, quoted, price);
    let trade = Trade { buy, sell, price, quantity, maker: quoted, buyer_fee, seller_fee };
    Some(Operation::Trade(Box::new(trade)))
}

/// The order of somebody who takes `quote`.
fn taker(desk: &mut Desk, view: &View, quote: &Order) -> Option<Order> {
    let account = desk.fellow(quote.account);
    Some(Order {
        account,
        side: if quote.side == Side::Buy { Side::Sell } else { Side::Buy },
        nonce: desk.nonce(view.accounts.get(&account)?)?,
        expiry: later(view.time, 60),
        ..quote.clone()
    })
}

/// A bid and an offer of one maker, one to three per cent around the mark.
fn quote(desk: &mut Desk, view: &View) -> Option<()> {
    let makers: Vec<AccountIndex> = desk.roster.iter().copied().take(6).collect();
    let account = desk.pick(&makers)?;
    let row = instrument(desk, view, account)?;
    let spread = row.mark.get() / 1_000 * desk.rng.gen_range(10..30);
    let quantity_max = OrderQuantity::new(desk.rng.gen_range(100..4_000)).ok()?;
    let (mut window, expiry_s) =
        (view.accounts.get(&account)?.clone(), desk.rng.gen_range(0..8_000));
    for side in [Side::Buy, Side::Sell] {
        let nonce = desk.nonce(&window)?;
        window.nonces.consume(nonce).ok()?;
        let limit = match side {
            Side::Buy => row.mark.get() - spread,
            Side::Sell => row.mark.get().saturating_add(spread),
        };
        let order = Order {
            account,
            side,
            instrument: row.instrument,
            spec: row.spec,
            limit: Price::new(limit).ok()?,
            fee_limit: Price::new(500).ok()?,
            quantity_min: OrderQuantity::MIN,
            quantity_max,
            nonce,
            expiry: later(view.time, expiry_s),
        };
        let signed = desk.sign_order(order)?;
        desk.resting.push_back(signed);
        if desk.resting.len() > QUOTES {
            desk.resting.pop_front();
        }
    }
    Some(())
}
