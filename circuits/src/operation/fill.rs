//! The terms of a trade that both orders are held against.

use ark_bn254::Fr;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{INSTRUMENT_BITS, PRICE_BITS, Price};

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::Uint;
use crate::value::header::HeaderVar;
use crate::{Cs, Wire};

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
pub struct FillVar {
    /// Whether the row is in use.
    pub is_active: Bool<Fr>,
    /// Domain of signatures.
    pub domain: Wire,
    /// Time of the batch.
    pub time: Wire,
    /// Instrument index, 16 bits.
    pub instrument: Wire,
    /// Specification both orders sign; `argument` looks it up.
    pub spec: Wire,
    /// Forward of the instrument, 32 bits; `argument` looks it up.
    pub forward: Wire,
    /// Price per contract, 32 bits.
    pub price: Wire,
    /// Contracts, 40 bits, not zero in a row in use.
    pub quantity: Wire,
    /// Whether the buyer's order was quoted; the seller took it, or the other way round.
    pub is_buyer_maker: Bool<Fr>,
    /// Fee per contract of the buyer, 32 bits.
    pub buyer_fee: Wire,
    /// Fee per contract of the seller, 32 bits.
    pub seller_fee: Wire,
}

impl FillVar {
    /// Allocates the terms of a fill; nothing but their widths is enforced.
    pub fn external(cs: &mut Cs, input: &TradeInput, header: &HeaderVar) -> Self {
        let TradeInput { is_active, trade, forward, .. } = input;
        let is_active = Bool::witness(cs, "trade row in use", *is_active);
        let price = |cs: &mut Cs, name, value: u32| {
            Uint::external(cs, name, value.into(), PRICE_BITS).lc().clone()
        };
        let order = &trade.buy.order;
        let index = u128::from(order.instrument.get());
        let instrument = Uint::external(cs, "traded instrument", index, INSTRUMENT_BITS);
        Self {
            is_active,
            domain: header.domain.clone(),
            time: header.time.clone(),
            instrument: instrument.lc().clone(),
            spec: cs.external("traded specification", order.spec.field()),
            forward: price(cs, "forward of a trade", forward.get()),
            price: price(cs, "price", trade.price.get()),
            quantity: cs.external("quantity", Fr::from(trade.quantity.get().max(0) as u64)),
            is_buyer_maker: Bool::external(cs, "buyer is the maker", trade.maker == Side::Buy),
            buyer_fee: price(cs, "buyer's fee", trade.buyer_fee.get()),
            seller_fee: price(cs, "seller's fee", trade.seller_fee.get()),
        }
    }

    /// Fee per contract of one side, 32 bits.
    pub fn fee(&self, side: Side) -> &Wire {
        match side {
            Side::Buy => &self.buyer_fee,
            Side::Sell => &self.seller_fee,
        }
    }
}
