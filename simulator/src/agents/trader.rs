//! Trades at about the mark.

use rand::Rng;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::order::{Order, Side};
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{AccountIndex, OrderQuantity, Price, Quantity};

use super::venue;
use crate::desk::{Desk, later};
use crate::view::View;

/// Contracts of a usual trade, 1/1000.
const QUANTITY_E3_MAX: i64 = 3_000;

/// A trade between two traders of a book.
pub fn draft(desk: &mut Desk, view: &View) -> Option<Operation> {
    let buyer = desk.anyone();
    let seller = desk.fellow(buyer);
    let instrument = instrument(desk, view, buyer)?;
    let held =
        |index| view.accounts.get(&index).map(|a| a.positions.quantity(instrument.instrument));
    let (short, long) = (-held(buyer)?.get(), held(seller)?.get());
    let quantity_e3 = match desk.rng.gen_range(0..4) {
        0 if short > 0 => short,
        1 if long > 0 => long,
        2 => desk.rng.gen_range(1..50),
        _ => desk.rng.gen_range(1..QUANTITY_E3_MAX),
    };
    let price = about(desk, instrument.mark, 50);
    trade(desk, view, [buyer, seller], Terms { row: instrument, price, quantity_e3 })
}

/// Some option an account may trade.
pub fn instrument<'v>(
    desk: &mut Desk,
    view: &'v View,
    account: AccountIndex,
) -> Option<&'v RiskRow> {
    let live = view.live(desk.book(account).underlying);
    desk.pick(&live)
}

/// A price near `mark`, off by at most `permille`.
pub fn about(desk: &mut Desk, mark: Price, permille: u64) -> Price {
    let factor = desk.rng.gen_range(1_000 - permille..=1_000 + permille);
    let units = u64::from(mark.get()) * factor / 1_000;
    Price::new(u32::try_from(units).unwrap_or(u32::MAX)).expect("every 32-bit number")
}

/// What the orders of a trade are about.
#[derive(Clone, Copy)]
pub struct Terms<'v> {
    /// The option.
    pub row: &'v RiskRow,
    /// Its price.
    pub price: Price,
    /// 1/1000 contracts.
    pub quantity_e3: i64,
}

/// An order with room on its limits, or none.
pub fn order(
    desk: &mut Desk,
    view: &View,
    account: AccountIndex,
    side: Side,
    terms: Terms,
) -> Option<Order> {
    let Terms { row, price, quantity_e3 } = terms;
    let nonce = desk.nonce(view.accounts.get(&account)?)?;
    let is_tight = desk.rng.r#gen::<bool>();
    let limit = match side {
        _ if is_tight => price.get(),
        Side::Buy => price.get().saturating_add(price.get() / 20),
        Side::Sell => price.get() - price.get() / 20,
    };
    let quantity = OrderQuantity::try_from(i128::from(quantity_e3)).ok()?;
    Some(Order {
        account,
        side,
        instrument: row.instrument,
        spec: row.spec,
        limit: Price::new(limit).ok()?,
        fee_limit: Price::new(desk.rng.gen_range(0..3) * 500).ok()?,
        quantity_min: if is_tight { quantity } else { OrderQuantity::MIN },
        quantity_max: quantity,
        nonce,
        expiry: later(view.time, desk.rng.gen_range(0..7_200)),
    })
}

/// A trade of two fresh orders.
pub fn trade(
    desk: &mut Desk,
    view: &View,
    [buyer, seller]: [AccountIndex; 2],
    terms: Terms,
) -> Option<Operation> {
    let buy = order(desk, view, buyer, Side::Buy, terms)?;
    let sell = order(desk, view, seller, Side::Sell, terms)?;
    let Terms { price, quantity_e3, .. } = terms;
    let maker = if desk.one_in(2) { Side::Buy } else { Side::Sell };
    let fees = venue::fees(view, [&buy, &sell], maker, price);
    let [buyer_fee, seller_fee] = if desk.one_in(3) { [Price::MIN; 2] } else { fees };
    let quantity = Quantity::new(quantity_e3).ok()?;
    let (buy, sell) = (desk.sign_order(buy)?, desk.sign_order(sell)?);
    let trade = Trade { buy, sell, price, quantity, maker, buyer_fee, seller_fee };
    Some(Operation::Trade(Box::new(trade)))
}
