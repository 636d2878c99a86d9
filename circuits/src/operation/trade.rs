//! Twin of `protocol::trade`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{
    INSTRUMENT_BITS, PRICE_BITS, Price, QUANTITY_BITS, TIER_BITS,
};

use crate::batch::statement::HeaderVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::Uint;
use crate::market::fee_schedule::FeeScheduleVar;
use crate::operation::order::OrderVar;
use crate::value::packing::Part;
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
    buyer_fee: Wire,
    seller_fee: Wire,
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

/// One trade.
pub struct TradeVar {
    /// Terms of the fill.
    pub fill: FillVar,
    /// The buying order.
    pub buy: OrderVar,
    /// The selling order.
    pub sell: OrderVar,
    /// Challenges of the two signatures, which fix key and message of each.
    pub challenges: [Wire; 2],
    /// Contracts that change hands; 0 in padding.
    pub quantity: Wire,
    /// Cash the buyer pays; 0 in padding.
    pub cash_of_buyer: Wire,
    /// Cash the seller receives; 0 in padding.
    pub cash_of_seller: Wire,
}

impl TradeVar {
    /// Allocates a trade and enforces everything but its look-ups and legs.
    pub fn new(
        cs: &mut Cs,
        input: &TradeInput,
        header: &HeaderVar,
        schedule: &FeeScheduleVar,
    ) -> Self {
        let trade = &input.trade;
        let fill = FillVar::external(cs, input, header);
        let [buyer, seller] = &input.signers;
        let buy = OrderVar::external(cs, &trade.buy, buyer, Side::Buy);
        let sell = OrderVar::external(cs, &trade.sell, seller, Side::Sell);
        let orders = [&buy, &sell];
        enforce_sides(cs, &fill, &orders);
        let challenges = orders.map(|order| order.enforce_signature(cs, &fill));
        enforce_limits(cs, &fill, &orders);
        enforce_spec(cs, &fill, &orders);
        schedule.enforce_fees(cs, &fill, [&buy.tier, &sell.tier]);
        let quantity = cs.product("contracts of a row in use", fill.is_active.lc(), &fill.quantity);
        let paid = fill.price.plus(&fill.buyer_fee);
        let received = fill.price.minus(&fill.seller_fee);
        let cash_of_buyer = cs.product("cash of the buyer", &paid, &quantity);
        let cash_of_seller = cs.product("cash of the seller", &received, &quantity);
        Self { fill, buy, sell, challenges, quantity, cash_of_buyer, cash_of_seller }
    }

    /// Cash the fee account receives.
    pub fn fees(&self) -> Wire {
        self.cash_of_buyer.minus(&self.cash_of_seller)
    }

    /// Flag, price, fees, quantity, forward, tiers and roles; a quantity is a ranged minimum plus a ranged difference
    /// ([`OrderVar::enforce_quantity`]). What the orders signed is fixed by their challenges.
    pub fn fill_parts(&self) -> [Part; 9] {
        let FillVar { is_active, price, quantity, buyer_fee, seller_fee, forward, .. } = &self.fill;
        let [buyers, sellers] = [&self.buy, &self.sell].map(|order| order.tier.lc());
        let parts = [
            (is_active.lc(), 1),
            (price, PRICE_BITS),
            (buyer_fee, PRICE_BITS),
            (seller_fee, PRICE_BITS),
            (quantity, QUANTITY_BITS),
            (forward, PRICE_BITS),
            (&buyers, TIER_BITS),
            (&sellers, TIER_BITS),
            (self.fill.is_buyer_maker.lc(), 1),
        ];
        parts.map(|(part, bits)| (part.clone(), bits))
    }
}

/// One buying and one selling order for the same instrument, of different accounts.
pub fn enforce_sides(cs: &mut Cs, fill: &FillVar, orders: &[&OrderVar; 2]) {
    cs.under(Rule::OrderSides, |cs| {
        for order in orders {
            let sells = cs.constant(Fr::from((order.side == Side::Sell) as u64));
            cs.enforce_equal("order is on its side", order.sells.lc(), &sells);
            cs.enforce_equal("one instrument", &order.instrument, &fill.instrument);
        }
        let difference = orders[0].account.minus(&orders[1].account);
        enforce_nonzero_if(cs, "two accounts", &difference, &fill.is_active);
    });
}

/// Price, quantity, fees and time are what both orders allow, and something is filled.
pub fn enforce_limits(cs: &mut Cs, fill: &FillVar, orders: &[&OrderVar; 2]) {
    orders.iter().for_each(|order| order.enforce_expiry(cs, fill));
    orders.iter().for_each(|order| order.enforce_limit(cs, fill));
    cs.under(Rule::FillQuantity, |cs| {
        enforce_nonzero_if(cs, "quantity is not zero", &fill.quantity, &fill.is_active);
    });
    orders.iter().for_each(|order| order.enforce_quantity(cs, fill));
    orders.iter().for_each(|order| order.enforce_fee(cs, fill));
}

/// Both orders sign one specification.
pub fn enforce_spec(cs: &mut Cs, fill: &FillVar, orders: &[&OrderVar; 2]) {
    cs.under(Rule::InstrumentSpec, |cs| {
        for order in orders {
            cs.enforce_equal("one specification", &order.spec, &fill.spec);
        }
    });
}

/// `value ≠ 0` if the flag is set: the flag is the value times a hinted inverse.
pub fn enforce_nonzero_if(cs: &mut Cs, what: &'static str, value: &Wire, flag: &Bool<Fr>) {
    use ark_ff::{AdditiveGroup, Field};
    let inverse = value.value().inverse().unwrap_or(Fr::ZERO) * flag.lc().value();
    let inverse = cs.free_hint("inverse of a guarded value", inverse);
    cs.enforce(what, value, &inverse, flag.lc());
}
