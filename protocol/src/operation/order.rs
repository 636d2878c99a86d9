//! Signed orders and the limits they set on a fill. Spec: `docs/spec/operation/operations.md`.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::crypto::domain::Tag;
use crate::crypto::eddsa::{self, PublicKey, SecretKey, Signature};
use crate::crypto::poseidon;
use crate::market::instrument::InstrumentSpec;
use crate::value::packing::Layout;
use crate::value::units::{
    ACCOUNT_BITS, AccountIndex, INSTRUMENT_BITS, InstrumentIndex, NONCE_BITS, Nonce, OrderQuantity,
    PRICE_BITS, Price, QUANTITY_BITS, Quantity, TIME_BITS, Time,
};
use crate::{Reject, Rule};

/// Which side of a trade an order takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Pays the price, receives the option.
    Buy,
    /// Receives the price, writes the option.
    Sell,
}

/// What a trader agrees to: at most one fill, at the limit or better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Account that trades.
    pub account: AccountIndex,
    /// Side taken.
    pub side: Side,
    /// Index of the instrument.
    pub instrument: InstrumentIndex,
    /// Specification of the instrument: the index cannot be pointed at another option.
    pub spec: InstrumentSpec,
    /// Highest price to pay, or lowest price to receive.
    pub limit: Price,
    /// Highest fee per contract.
    pub fee_limit: Price,
    /// Smallest quantity to fill.
    pub quantity_min: OrderQuantity,
    /// Largest quantity to fill; an order of none is never filled.
    pub quantity_max: OrderQuantity,
    /// Number of the order in the account's window.
    pub nonce: Nonce,
    /// Last second at which the order may be filled.
    pub expiry: Time,
}

/// Bits of a limit, fee limit or expiry in the signed message: one more than the unit's, because
/// the circuit opens each as a ranged value plus a ranged difference.
const SLACK: u32 = 1;

/// What an order signs besides its specification.
pub const TERMS: Layout<7> = Layout([
    ("account", ACCOUNT_BITS),
    ("instrument", INSTRUMENT_BITS),
    ("sells", 1),
    ("limit", PRICE_BITS + SLACK),
    ("fee limit", PRICE_BITS + SLACK),
    ("expiry", TIME_BITS + SLACK),
    ("nonce", NONCE_BITS),
]);

/// The quantities that an order signs.
pub const QUANTITIES: Layout<2> =
    Layout([("minimum", QUANTITY_BITS), ("maximum", QUANTITY_BITS + SLACK)]);

impl Order {
    /// The message signed: Poseidon of tag, domain, instrument specification and the packed terms.
    pub fn message(&self, domain: Fr) -> Fr {
        let [terms, quantities] = self.packed_terms();
        poseidon::hash(&[Tag::Order.field(), domain, self.spec.field(), terms, quantities])
    }

    /// [`TERMS`] and [`QUANTITIES`].
    fn packed_terms(&self) -> [Fr; 2] {
        let terms = TERMS.pack([
            self.account.get().into(),
            self.instrument.get().into(),
            (self.side == Side::Sell).into(),
            self.limit.get().into(),
            self.fee_limit.get().into(),
            self.expiry.get().into(),
            self.nonce.get().into(),
        ]);
        let quantities = [self.quantity_min, self.quantity_max];
        [terms, QUANTITIES.pack(quantities.map(|quantity| quantity.get().into()))]
    }

    /// Signs the order for `domain`.
    pub fn sign(self, key: &SecretKey, domain: Fr) -> SignedOrder {
        let signature = key.sign(self.message(domain));
        SignedOrder { order: self, signature }
    }

    /// The order may still be filled at `time`.
    ///
    /// # Errors
    /// [`Rule::OrderExpiry`].
    pub fn check_expiry(&self, time: Time) -> Result<(), Reject> {
        if time > self.expiry {
            let reject = Reject::new(Rule::OrderExpiry, "expiry of the order", self.expiry);
            return Err(reject.at_least(time).of(self.account));
        }
        Ok(())
    }

    /// `price` is the limit or better.
    ///
    /// # Errors
    /// [`Rule::LimitPrice`].
    pub fn check_limit(&self, price: Price) -> Result<(), Reject> {
        let is_within = match self.side {
            Side::Buy => price <= self.limit,
            Side::Sell => price >= self.limit,
        };
        if !is_within {
            let reject = Reject::new(Rule::LimitPrice, "price", price).of(self.account);
            return Err(match self.side {
                Side::Buy => reject.at_most(self.limit),
                Side::Sell => reject.at_least(self.limit),
            });
        }
        Ok(())
    }

    /// `quantity` lies between the order's minimum and maximum and is positive.
    ///
    /// # Errors
    /// [`Rule::FillQuantity`].
    pub fn check_quantity(&self, quantity: Quantity) -> Result<(), Reject> {
        let least = Quantity::from(self.quantity_min).max(Quantity::new(1)?);
        let reject = Reject::new(Rule::FillQuantity, "fill quantity", quantity).of(self.account);
        if quantity > self.quantity_max.into() {
            return Err(reject.at_most(self.quantity_max));
        }
        if quantity < least {
            return Err(reject.at_least(least));
        }
        Ok(())
    }

    /// `fee` per contract is at most what the order allows.
    ///
    /// # Errors
    /// [`Rule::FeeLimit`].
    pub fn check_fee(&self, fee: Price) -> Result<(), Reject> {
        if fee > self.fee_limit {
            let reject = Reject::new(Rule::FeeLimit, "fee per contract", fee);
            return Err(reject.at_most(self.fee_limit).of(self.account));
        }
        Ok(())
    }
}

/// An order and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedOrder {
    /// The order.
    pub order: Order,
    /// EdDSA signature over [`Order::message`].
    pub signature: Signature,
}

impl SignedOrder {
    /// The order is signed by `key` for `domain`.
    ///
    /// # Errors
    /// [`Rule::Signature`].
    pub fn check_signature(&self, key: &PublicKey, domain: Fr) -> Result<(), Reject> {
        let Self { order, signature } = self;
        let verdict = eddsa::verify(key, order.message(domain), signature);
        verdict.map_err(|reject| reject.of(order.account))
    }
}
