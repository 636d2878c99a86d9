//! Twin of `protocol::operation::trade`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::value::units::{PRICE_BITS, QUANTITY_BITS, TIER_BITS};

use crate::gadgets::comparator::enforce_nonzero_if;
use crate::market::fee_schedule::FeeScheduleVar;
use crate::operation::fill::{FillVar, TradeInput};
use crate::operation::order::OrderVar;
use crate::value::header::HeaderVar;
use crate::value::packing::Part;
use crate::{Cs, Wire};

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
        let fees = [(&fill.buyer_fee, &buy.tier), (&fill.seller_fee, &sell.tier)];
        schedule.enforce_fees(cs, fees, &fill.is_buyer_maker, [&fill.forward, &fill.price]);
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

    /// Flag, price, fees, quantity, forward, tiers and roles; a quantity is a ranged minimum plus a
    /// ranged difference ([`OrderVar::enforce_quantity`]). What the orders signed is fixed by their
    /// challenges.
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
