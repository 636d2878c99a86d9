//! Twin of `protocol::request`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::domain::Tag;
use zkmargin_protocol::recipient::RECIPIENT_BITS;
use zkmargin_protocol::request::SignedRequest;
use zkmargin_protocol::units::{ACCOUNT_BITS, CASH_BITS, NONCE_BITS, TIME_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::curve::PointVar;
use crate::gadgets::eddsa::{self, SignatureVar};
use crate::gadgets::integer::Uint;
use crate::gadgets::poseidon;
use crate::packing::{pack, power_of_two};
use crate::statement::HeaderVar;
use crate::trade::enforce_nonzero_if;
use crate::{Cs, Wire};

/// What the witness of one request is made from.
#[derive(Clone, Debug)]
pub struct RequestInput {
    /// Whether the row is in use.
    pub is_active: bool,
    /// The request.
    pub signed: SignedRequest,
    /// The account that asks.
    pub signer: Account,
}

/// One request of an account.
pub struct RequestVar {
    /// Whether the row is in use.
    pub is_active: Bool<Fr>,
    /// Whether the cash leaves for L1.
    pub is_withdrawal: Bool<Fr>,
    /// Account that asks, 24 bits.
    pub account: Wire,
    /// The account's key; `argument` looks it up.
    pub key: PointVar,
    /// Receiver: account index or L1 address, 160 bits.
    pub target: Wire,
    /// Nonce, 40 bits.
    pub nonce: Wire,
    /// Amount, 63 bits.
    amount: Wire,
    expiry: Wire,
    /// The signature's challenge.
    pub challenge: Wire,
    /// Cash that leaves `account`; 0 in padding.
    pub paid: Wire,
    /// Cash that arrives at `target` within the rollup; 0 for withdrawals and padding.
    pub transferred: Wire,
    /// Word of the statement; 0 for transfers and padding.
    pub word: Wire,
}

impl RequestVar {
    /// Allocates a request and enforces everything but its look-up and legs.
    pub fn new(cs: &mut Cs, input: &RequestInput, header: &HeaderVar) -> Self {
        let request = &input.signed.request;
        let point = input.signer.key.point();
        let is_active = Bool::witness(cs, "request row in use", input.is_active);
        let is_withdrawal = Bool::external(cs, "is a withdrawal", request.action.is_withdrawal());
        let account = request.account.get().into();
        let account = Uint::external(cs, "requesting account", account, ACCOUNT_BITS);
        let nonce = Uint::external(cs, "request nonce", request.nonce.get().into(), NONCE_BITS);
        let amount = u128::from(request.action.amount().get().max(0) as u64);
        let amount = Uint::external(cs, "amount", amount, CASH_BITS - 1).lc().clone();
        let target = cs.external("target", request.action.target());
        Uint::range_check(cs, "target", &target, RECIPIENT_BITS);
        let paid = cs.product("cash paid", is_active.lc(), &amount);
        let withdrawn = cs.product("cash withdrawn", is_withdrawal.lc(), &paid);
        let transferred = paid.minus(&withdrawn);
        let zero = cs.zero();
        let mut row = Self {
            is_active,
            is_withdrawal,
            account: account.lc().clone(),
            key: PointVar::external(cs, "request key", &point),
            target,
            nonce: nonce.lc().clone(),
            amount,
            expiry: cs.external("request expiry", Fr::from(request.expiry.get())),
            challenge: zero.clone(),
            paid,
            transferred,
            word: zero,
        };
        row.enforce_terms(cs, header);
        row.challenge = cs.under(Rule::Signature, |cs| {
            let message = row.message(cs, header);
            let signature = SignatureVar::external(cs, &input.signed.signature);
            eddsa::enforce_signature(cs, &row.key, &message, &signature, &row.is_active)
        });
        row.word = row.withdrawal_word(cs);
        row
    }

    /// The message signed: Poseidon of tag, domain, packed terms and target.
    fn message(&self, cs: &mut Cs, header: &HeaderVar) -> Wire {
        let is_withdrawal = self.is_withdrawal.lc();
        let tag = cs
            .constant(Tag::Transfer.field())
            .plus_scaled(is_withdrawal, Tag::Withdrawal.field() - Tag::Transfer.field());
        // account (24) ‖ amount (64) ‖ nonce (40) ‖ expiry (41)
        let terms = pack(&[
            (&self.account, ACCOUNT_BITS),
            (&self.amount, CASH_BITS),
            (&self.nonce, NONCE_BITS),
            (&self.expiry, TIME_BITS + 1),
        ]);
        poseidon::hash(cs, &[tag, header.domain.clone(), terms, self.target.clone()])
    }

    /// The amount is positive and the request has not expired.
    fn enforce_terms(&self, cs: &mut Cs, header: &HeaderVar) {
        cs.under(Rule::Range, |cs| {
            enforce_nonzero_if(cs, "amount is positive", &self.amount, &self.is_active);
        });
        cs.under(Rule::OrderExpiry, |cs| {
            let left = self.expiry.minus(&header.time);
            Uint::range_check(cs, "request has not expired", &left, TIME_BITS);
        });
    }

    /// amount (64) ‖ recipient (160) ‖ is used (1) of a withdrawal; zero for a transfer.
    fn withdrawal_word(&self, cs: &mut Cs) -> Wire {
        let one = cs.one();
        let word = pack(&[(&self.amount, CASH_BITS), (&self.target, RECIPIENT_BITS), (&one, 1)]);
        let is_paid_out =
            cs.product("withdrawal in use", self.is_active.lc(), self.is_withdrawal.lc());
        cs.product("withdrawal word", &is_paid_out, &word)
    }

    /// The challenge fixes the request and its kind; the flag stands beside it.
    pub fn absorbed(&self) -> Vec<Wire> {
        let flags = self.is_active.lc().plus_scaled(self.is_withdrawal.lc(), power_of_two(1));
        vec![self.challenge.clone(), flags]
    }
}
