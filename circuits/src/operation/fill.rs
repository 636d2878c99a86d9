//! The terms of a trade that both orders are held against.

use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::market::instrument::SPEC_BITS;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{INSTRUMENT_BITS, PRICE_BITS, Price, QUANTITY_BITS};

use crate::Cs;
use crate::gadgets::boolean::Bool;
use crate::gadgets::element::{Deferred, Element};
use crate::gadgets::integer::Uint;
use crate::value::header::HeaderVar;

/// What the witness of one trade row is made from.
#[derive(Clone, Debug)]
pub struct TradeInput {
    /// Whether the row is in use.
    pub is_active: bool,
    /// The trade.
    pub trade: Trade,
    /// The buying and the selling account, before the batch.
    pub signers: [Account; 2],
    /// Forward of the instrument.
    pub forward: Price,
}

/// Terms both orders are held against.
#[derive(Getters)]
pub struct FillVar {
    /// Whether the row is in use.
    is_active: Bool,
    /// Domain of signatures.
    domain: Element,
    /// Time of the batch.
    time: Uint,
    /// Instrument index.
    instrument: Uint,
    /// Specification both orders sign; `argument` looks it up.
    spec: Deferred,
    /// Forward of the instrument; `argument` looks it up.
    forward: Uint,
    /// Price per contract.
    price: Uint,
    /// Contracts, not zero in a row in use.
    quantity: Deferred,
    /// Whether the buyer's order was quoted; the seller took it, or the other way round.
    is_buyer_maker: Bool,
    /// Fee per contract of the buyer.
    buyer_fee: Uint,
    /// Fee per contract of the seller.
    seller_fee: Uint,
}

impl FillVar {
    /// Allocates the terms of a fill; nothing but their widths is enforced.
    pub fn external(cs: &mut Cs, input: &TradeInput, header: &HeaderVar) -> Self {
        let TradeInput { is_active, trade, forward, .. } = input;
        let is_active = Bool::witness(cs, "trade row in use", *is_active);
        let price =
            |cs: &mut Cs, name, value: u32| Uint::external(cs, name, value.into(), PRICE_BITS);
        let order = &trade.buy.order;
        let index = u128::from(order.instrument.get());
        let instrument = Uint::external(cs, "traded instrument", index, INSTRUMENT_BITS);
        Self {
            is_active,
            domain: header.domain().clone(),
            time: header.time().clone(),
            instrument,
            spec: Deferred::external(
                cs,
                "traded specification",
                order.spec.field(),
                SPEC_BITS,
                Rule::InstrumentSpec,
            ),
            forward: price(cs, "forward of a trade", forward.get()),
            price: price(cs, "price", trade.price.get()),
            quantity: Deferred::external(
                cs,
                "quantity",
                trade.quantity.get().max(0) as u64,
                QUANTITY_BITS,
                Rule::FillQuantity,
            ),
            is_buyer_maker: Bool::external(cs, "buyer is the maker", trade.maker == Side::Buy),
            buyer_fee: price(cs, "buyer's fee", trade.buyer_fee.get()),
            seller_fee: price(cs, "seller's fee", trade.seller_fee.get()),
        }
    }

    /// Fee per contract of one side.
    pub fn fee(&self, side: Side) -> &Uint {
        match side {
            Side::Buy => &self.buyer_fee,
            Side::Sell => &self.seller_fee,
        }
    }
}
