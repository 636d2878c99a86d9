//! Twin of `protocol::operation::trade`.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::value::units::{PRICE_BITS, QUANTITY_BITS};

use crate::Cs;
use crate::gadgets::comparator::enforce_nonzero_if;
use crate::gadgets::element::Element;
use crate::gadgets::integer::{Int, Uint};
use crate::market::fee_schedule::{ChargedVar, FeeScheduleVar};
use crate::operation::fill::{FillVar, TradeInput};
use crate::operation::order::OrderVar;
use crate::value::header::HeaderVar;

/// One trade.
#[derive(Getters)]
pub struct TradeVar {
    /// Terms of the fill.
    fill: FillVar,
    /// The buying order.
    buy: OrderVar,
    /// The selling order.
    sell: OrderVar,
    /// Challenges of the two signatures, which fix key and message of each.
    challenges: [Element; 2],
    /// Contracts that change hands; 0 in padding.
    quantity: Uint,
    /// Cash the buyer pays; 0 in padding.
    cash_of_buyer: Uint,
    /// Cash the seller receives; 0 in padding.
    cash_of_seller: Int,
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
        let fees = [
            ChargedVar { fee: fill.buyer_fee(), tier: buy.tier() },
            ChargedVar { fee: fill.seller_fee(), tier: sell.tier() },
        ];
        schedule.enforce_fees(cs, fees, fill.is_buyer_maker(), fill.forward(), fill.price());
        let is_active = fill.is_active().lc();
        let quantity = cs.product("contracts of a row in use", is_active, fill.quantity());
        // A ranged minimum plus a ranged difference, by `OrderVar::enforce_quantity`.
        let quantity = Uint::new_unchecked(quantity, QUANTITY_BITS);
        let paid = fill.price().add(fill.buyer_fee());
        let received = fill.price().minus(fill.seller_fee());
        let cash_of_buyer = paid.mul(cs, "cash of the buyer", &quantity);
        let cash_of_seller = cs.product("cash of the seller", &received, &quantity);
        // Prices differ by 32 bits and a sign.
        let cash_of_seller = Int::new_unchecked(cash_of_seller, PRICE_BITS + QUANTITY_BITS + 1);
        Self { fill, buy, sell, challenges, quantity, cash_of_buyer, cash_of_seller }
    }

    /// Cash the fee account receives.
    pub fn fees(&self) -> Int {
        self.cash_of_buyer.to_int().sub(&self.cash_of_seller)
    }

    /// Flag, price, fees, quantity, forward, tiers and roles. What the orders signed is fixed by
    /// their challenges.
    pub fn fill_parts(&self) -> [Uint; 9] {
        let fill = &self.fill;
        [
            Uint::from_bit(fill.is_active()),
            fill.price().clone(),
            fill.buyer_fee().clone(),
            fill.seller_fee().clone(),
            // Ranged as above.
            Uint::new_unchecked(fill.quantity().lc().clone(), QUANTITY_BITS),
            fill.forward().clone(),
            self.buy.tier().number(),
            self.sell.tier().number(),
            Uint::from_bit(fill.is_buyer_maker()),
        ]
    }
}

/// One buying and one selling order for the same instrument, of different accounts.
pub fn enforce_sides(cs: &mut Cs, fill: &FillVar, orders: &[&OrderVar; 2]) {
    cs.under(Rule::OrderSides, |cs| {
        for order in orders {
            let sells = cs.constant(Fr::from((*order.side() == Side::Sell) as u64));
            cs.enforce_equal("order is on its side", order.sells().lc(), &sells);
            cs.enforce_equal("one instrument", order.instrument(), fill.instrument());
        }
        let difference = orders[0].account().minus(orders[1].account());
        enforce_nonzero_if(cs, "two accounts", &difference, fill.is_active());
    });
}

/// Price, quantity, fees and time are what both orders allow, and something is filled.
pub fn enforce_limits(cs: &mut Cs, fill: &FillVar, orders: &[&OrderVar; 2]) {
    orders.iter().for_each(|order| order.enforce_expiry(cs, fill));
    orders.iter().for_each(|order| order.enforce_limit(cs, fill));
    cs.under(Rule::FillQuantity, |cs| {
        enforce_nonzero_if(cs, "quantity is not zero", fill.quantity(), fill.is_active());
    });
    orders.iter().for_each(|order| order.enforce_quantity(cs, fill));
    orders.iter().for_each(|order| order.enforce_fee(cs, fill));
}

/// Both orders sign one specification.
pub fn enforce_spec(cs: &mut Cs, fill: &FillVar, orders: &[&OrderVar; 2]) {
    cs.under(Rule::InstrumentSpec, |cs| {
        for order in orders {
            cs.enforce_equal("one specification", order.spec(), fill.spec());
        }
    });
}
