//! Twin of `protocol::operation::order`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::operation::order::{Side, SignedOrder};
use zkmargin_protocol::value::units::{
    ACCOUNT_BITS, INSTRUMENT_BITS, NONCE_BITS, PRICE_BITS, QUANTITY_BITS, TIME_BITS,
};

use crate::gadgets::boolean::Bool;
use crate::gadgets::curve::PointVar;
use crate::gadgets::eddsa::{self, SignatureVar};
use crate::gadgets::integer::Uint;
use crate::gadgets::poseidon;
use crate::market::fee_schedule::TierVar;
use crate::operation::fill::FillVar;
use crate::value::packing::pack;
use crate::{Cs, Wire};

/// One order of a trade.
pub struct OrderVar {
    /// Which side it takes; fixed by its place in the trade.
    pub side: Side,
    /// Account, 24 bits.
    pub account: Wire,
    /// Nonce, 40 bits.
    pub nonce: Wire,
    /// The account's key; `argument` looks it up.
    pub key: PointVar,
    /// The account's tier before the batch; `argument` looks it up.
    pub tier: TierVar,
    /// Instrument signed.
    pub instrument: Wire,
    /// Specification signed.
    pub spec: Wire,
    /// Whether the order signed sells.
    pub sells: Bool<Fr>,
    limit: Wire,
    fee_limit: Wire,
    quantity_min: Wire,
    quantity_max: Wire,
    expiry: Wire,
    signature: SignatureVar,
}

impl OrderVar {
    /// Allocates an order of `signer` that stands on `side` of a trade.
    pub fn external(cs: &mut Cs, signed: &SignedOrder, signer: &Account, side: Side) -> Self {
        let order = &signed.order;
        let point = signer.key.point();
        let account = Uint::external(cs, "order account", order.account.get().into(), ACCOUNT_BITS);
        let nonce = Uint::external(cs, "order nonce", order.nonce.get().into(), NONCE_BITS);
        let [quantity_min, quantity_max] =
            [order.quantity_min, order.quantity_max].map(|q| Fr::from(q.get()));
        Self {
            side,
            account: account.lc().clone(),
            nonce: nonce.lc().clone(),
            key: PointVar::external(cs, "order key", &point),
            tier: TierVar::external(cs, signer.tier),
            instrument: cs.external("order instrument", Fr::from(order.instrument.get())),
            spec: cs.external("order specification", order.spec.field()),
            sells: Bool::external(cs, "order sells", order.side == Side::Sell),
            limit: cs.external("limit", Fr::from(order.limit.get())),
            fee_limit: cs.external("fee limit", Fr::from(order.fee_limit.get())),
            quantity_min: cs.external("minimum quantity", quantity_min),
            quantity_max: cs.external("maximum quantity", quantity_max),
            expiry: cs.external("order expiry", Fr::from(order.expiry.get())),
            signature: SignatureVar::external(cs, &signed.signature),
        }
    }

    /// The order is signed by its account's key. Returns the signature's challenge: it fixes key
    /// and message, and with them every term.
    pub fn enforce_signature(&self, cs: &mut Cs, fill: &FillVar) -> Wire {
        cs.under(Rule::Signature, |cs| {
            let message = self.message(cs, fill);
            eddsa::enforce_signature(cs, &self.key, &message, &self.signature, &fill.is_active)
        })
    }

    /// The message signed: Poseidon of tag, domain, instrument specification and the packed terms.
    fn message(&self, cs: &mut Cs, fill: &FillVar) -> Wire {
        let [terms, quantities] = self.packed_terms();
        let tag = cs.constant(Tag::Order.field());
        poseidon::hash(cs, &[tag, fill.domain.clone(), self.spec.clone(), terms, quantities])
    }

    /// account (24) ‖ instrument (16) ‖ sells (1) ‖ limit (33) ‖ fee limit (33) ‖ expiry (41) ‖
    /// nonce (40), and minimum (40) ‖ maximum quantity (41).
    fn packed_terms(&self) -> [Wire; 2] {
        let terms = [
            (&self.account, ACCOUNT_BITS),
            (&self.instrument, INSTRUMENT_BITS),
            (self.sells.lc(), 1),
            (&self.limit, PRICE_BITS + 1),
            (&self.fee_limit, PRICE_BITS + 1),
            (&self.expiry, TIME_BITS + 1),
            (&self.nonce, NONCE_BITS),
        ];
        let quantities =
            [(&self.quantity_min, QUANTITY_BITS), (&self.quantity_max, QUANTITY_BITS + 1)];
        [pack(&terms), pack(&quantities)]
    }

    /// The order may still be filled at the batch's time.
    pub fn enforce_expiry(&self, cs: &mut Cs, fill: &FillVar) {
        cs.under(Rule::OrderExpiry, |cs| {
            let left = self.expiry.minus(&fill.time);
            Uint::range_check(cs, "order has not expired", &left, TIME_BITS);
        });
    }

    /// The price is the limit or better. The limit of a seller is ranged on its own; that of a
    /// buyer is the price, which is ranged, plus a ranged difference.
    pub fn enforce_limit(&self, cs: &mut Cs, fill: &FillVar) {
        cs.under(Rule::LimitPrice, |cs| match self.side {
            Side::Buy => {
                let room = self.limit.minus(&fill.price);
                Uint::range_check(cs, "price at most the buyer's limit", &room, PRICE_BITS);
            }
            Side::Sell => {
                Uint::range_check(cs, "seller's limit", &self.limit, PRICE_BITS);
                let room = fill.price.minus(&self.limit);
                Uint::range_check(cs, "price at least the seller's limit", &room, PRICE_BITS);
            }
        });
    }

    /// The quantity lies between the order's minimum and maximum.
    pub fn enforce_quantity(&self, cs: &mut Cs, fill: &FillVar) {
        let width = QUANTITY_BITS - 1;
        cs.under(Rule::FillQuantity, |cs| {
            Uint::range_check(cs, "minimum quantity", &self.quantity_min, width);
            let above = fill.quantity.minus(&self.quantity_min);
            Uint::range_check(cs, "quantity at least the minimum", &above, width);
            let below = self.quantity_max.minus(&fill.quantity);
            Uint::range_check(cs, "quantity at most the maximum", &below, width);
        });
    }

    /// The fee per contract is at most what the order allows.
    pub fn enforce_fee(&self, cs: &mut Cs, fill: &FillVar) {
        cs.under(Rule::FeeLimit, |cs| {
            let room = self.fee_limit.minus(fill.fee(self.side));
            Uint::range_check(cs, "fee at most the limit", &room, PRICE_BITS);
        });
    }
}
