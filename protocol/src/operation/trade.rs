//! A trade: two signed orders, a price, a quantity, roles and two fees. Spec:
//! `docs/spec/operation/operations.md#Trade`.

use serde::{Deserialize, Serialize};

use crate::operation::order::{Side, SignedOrder};
use crate::value::units::{Price, Quantity, Time};
use crate::{Reject, Rule};

/// One fill between two orders, matched anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trade {
    /// The buying order.
    pub buy: SignedOrder,
    /// The selling order.
    pub sell: SignedOrder,
    /// Price per contract.
    pub price: Price,
    /// Contracts, > 0.
    pub quantity: Quantity,
    /// The side whose order was quoted; the other took it. The venue's word: each order's fee limit
    /// holds all the same.
    pub maker: Side,
    /// Fee per contract charged to the buyer.
    pub buyer_fee: Price,
    /// Fee per contract charged to the seller.
    pub seller_fee: Price,
}

impl Trade {
    /// One buying and one selling order for the same instrument, of different accounts.
    ///
    /// # Errors
    /// [`Rule::OrderSides`].
    pub fn check_sides(&self) -> Result<(), Reject> {
        let (buy, sell) = (&self.buy.order, &self.sell.order);
        let refuse = |sentence| Reject::because(Rule::OrderSides, sentence);
        if buy.side != Side::Buy {
            return Err(refuse("the buying order sells").of(buy.account));
        }
        if sell.side != Side::Sell {
            return Err(refuse("the selling order buys").of(sell.account));
        }
        if buy.account == sell.account {
            return Err(refuse("the account is on both sides of the trade").of(buy.account));
        }
        if buy.instrument != sell.instrument {
            let what = "instrument of the selling order";
            let reject = Reject::new(Rule::OrderSides, what, sell.instrument);
            return Err(reject.only(buy.instrument).of(sell.account));
        }
        Ok(())
    }

    /// Price, quantity, fees and time are what both orders allow.
    ///
    /// # Errors
    /// [`Rule::OrderExpiry`], [`Rule::LimitPrice`], [`Rule::FillQuantity`], [`Rule::FeeLimit`], in
    /// this order.
    pub fn check_limits(&self, time: Time) -> Result<(), Reject> {
        let sides = [(&self.buy.order, self.buyer_fee), (&self.sell.order, self.seller_fee)];
        for (order, _) in sides {
            order.check_expiry(time)?;
        }
        for (order, _) in sides {
            order.check_limit(self.price)?;
        }
        for (order, _) in sides {
            order.check_quantity(self.quantity)?;
        }
        for (order, fee) in sides {
            order.check_fee(fee)?;
        }
        Ok(())
    }

    /// Cash the buyer pays, micro-USDC, exact: (price + fee) · quantity.
    pub fn cash_of_buyer(&self) -> i128 {
        (i128::from(self.price) + i128::from(self.buyer_fee)) * i128::from(self.quantity)
    }

    /// Cash the seller receives (may be negative), micro-USDC, exact: (price − fee) · quantity.
    pub fn cash_of_seller(&self) -> i128 {
        (i128::from(self.price) - i128::from(self.seller_fee)) * i128::from(self.quantity)
    }

    /// Cash the fee account receives, micro-USDC, exact.
    pub fn fees(&self) -> i128 {
        self.cash_of_buyer() - self.cash_of_seller()
    }
}
