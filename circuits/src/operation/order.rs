//! Twin of `protocol::operation::order`.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::market::instrument::SPEC_BITS;
use zkmargin_protocol::operation::order::{QUANTITIES, Side, SignedOrder, TERMS};
use zkmargin_protocol::value::units::{
    ACCOUNT_BITS, INSTRUMENT_BITS, NONCE_BITS, PRICE_BITS, QUANTITY_BITS, TIME_BITS,
};

use crate::Cs;
use crate::crypto::eddsa::{self, SignatureVar};
use crate::crypto::poseidon;
use crate::gadgets::boolean::Bool;
use crate::gadgets::curve::PointVar;
use crate::gadgets::element::{Deferred, Element};
use crate::gadgets::integer::Uint;
use crate::market::fee_schedule::TierVar;
use crate::operation::fill::FillVar;
use crate::value::packing::{Packed, pack_as};

/// One order of a trade.
#[derive(Getters)]
pub struct OrderVar {
    /// Which side it takes; fixed by its place in the trade.
    side: Side,
    /// Account.
    account: Uint,
    /// Nonce.
    nonce: Uint,
    /// The account's key; `argument` looks it up.
    key: PointVar,
    /// The account's tier before the batch; `argument` looks it up.
    tier: TierVar,
    /// Instrument signed.
    instrument: Deferred,
    /// Specification signed.
    spec: Deferred,
    /// Whether the order signed sells.
    sells: Bool,
    limit: Deferred,
    fee_limit: Deferred,
    quantity_min: Deferred,
    quantity_max: Deferred,
    expiry: Deferred,
    signature: SignatureVar,
}

impl OrderVar {
    /// Allocates an order of `signer` that stands on `side` of a trade.
    pub fn external(cs: &mut Cs, signed: &SignedOrder, signer: &Account, side: Side) -> Self {
        let order = &signed.order;
        let point = signer.key.point();
        let account = Uint::external(cs, "order account", order.account.get().into(), ACCOUNT_BITS);
        let nonce = Uint::external(cs, "order nonce", order.nonce.get().into(), NONCE_BITS);
        let key = PointVar::external(cs, "order key", &point);
        let tier = TierVar::external(cs, signer.tier);
        let mut signed_term =
            |name, value: Fr, bits, rule| Deferred::external(cs, name, value, bits, rule);
        let instrument = order.instrument.get().into();
        let instrument =
            signed_term("order instrument", instrument, INSTRUMENT_BITS, Rule::OrderSides);
        let spec = order.spec.field();
        let spec = signed_term("order specification", spec, SPEC_BITS, Rule::InstrumentSpec);
        let sells = Bool::external(cs, "order sells", order.side == Side::Sell);
        let mut signed_term =
            |name, value: u64, bits, rule| Deferred::external(cs, name, value, bits, rule);
        let (limit, fee_limit) = (order.limit.get().into(), order.fee_limit.get().into());
        let [least, most] = [order.quantity_min, order.quantity_max].map(|quantity| quantity.get());
        Self {
            side,
            account,
            nonce,
            key,
            tier,
            instrument,
            spec,
            sells,
            limit: signed_term("limit", limit, PRICE_BITS + 1, Rule::LimitPrice),
            fee_limit: signed_term("fee limit", fee_limit, PRICE_BITS + 1, Rule::FeeLimit),
            quantity_min: signed_term("minimum quantity", least, QUANTITY_BITS, Rule::FillQuantity),
            quantity_max: signed_term(
                "maximum quantity",
                most,
                QUANTITY_BITS + 1,
                Rule::FillQuantity,
            ),
            expiry: signed_term(
                "order expiry",
                order.expiry.get(),
                TIME_BITS + 1,
                Rule::OrderExpiry,
            ),
            signature: SignatureVar::external(cs, &signed.signature),
        }
    }

    /// The order may still be filled at the batch's time.
    pub fn enforce_expiry(&self, cs: &mut Cs, fill: &FillVar) {
        cs.under(Rule::OrderExpiry, |cs| {
            let left = self.expiry.minus(fill.time());
            Uint::range_check(cs, "order has not expired", &left, TIME_BITS);
        });
    }

    /// The price is the limit or better. The limit of a seller is ranged on its own; that of a
    /// buyer is the price, which is ranged, plus a ranged difference.
    pub fn enforce_limit(&self, cs: &mut Cs, fill: &FillVar) {
        cs.under(Rule::LimitPrice, |cs| match self.side {
            Side::Buy => {
                let room = self.limit.minus(fill.price());
                Uint::range_check(cs, "price at most the buyer's limit", &room, PRICE_BITS);
            }
            Side::Sell => {
                Uint::range_check(cs, "seller's limit", &self.limit, PRICE_BITS);
                let room = fill.price().minus(&self.limit);
                Uint::range_check(cs, "price at least the seller's limit", &room, PRICE_BITS);
            }
        });
    }

    /// The quantity lies between the order's minimum and maximum.
    pub fn enforce_quantity(&self, cs: &mut Cs, fill: &FillVar) {
        let width = QUANTITY_BITS - 1;
        cs.under(Rule::FillQuantity, |cs| {
            Uint::range_check(cs, "minimum quantity", &self.quantity_min, width);
            let above = fill.quantity().minus(&self.quantity_min);
            Uint::range_check(cs, "quantity at least the minimum", &above, width);
            let below = self.quantity_max.minus(fill.quantity());
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

    /// The order is signed by its account's key. Returns the signature's challenge: it fixes key
    /// and message, and with them every term.
    pub fn enforce_signature(&self, cs: &mut Cs, fill: &FillVar) -> Element {
        cs.under(Rule::Signature, |cs| {
            let message = self.message(cs, fill);
            let (key, signature) = (&self.key, &self.signature);
            Element::new(eddsa::enforce_signature(cs, key, &message, signature, fill.is_active()))
        })
    }

    /// The message signed: Poseidon of tag, domain, instrument specification and the packed terms.
    fn message(&self, cs: &mut Cs, fill: &FillVar) -> Element {
        let [terms, quantities] = self.packed_terms();
        let tag = cs.constant(Tag::Order.field());
        let (domain, spec) = (fill.domain().lc(), self.spec.lc());
        let inputs = [&tag, domain, spec, terms.lc(), quantities.lc()].map(Clone::clone);
        Element::new(poseidon::hash(cs, &inputs))
    }

    /// The terms and the quantities.
    fn packed_terms(&self) -> [Uint; 2] {
        let Self { account, instrument, sells, limit, fee_limit, expiry, nonce, .. } = self;
        let parts: [&dyn Packed; 7] = [account, instrument, sells, limit, fee_limit, expiry, nonce];
        let quantities = [&self.quantity_min as _, &self.quantity_max as _];
        [pack_as(&TERMS, parts), pack_as(&QUANTITIES, quantities)]
    }
}
