//! Twin of `protocol::operation::request`.

use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::batch::statement::WITHDRAWAL;
use zkmargin_protocol::operation::recipient::RECIPIENT_BITS;
use zkmargin_protocol::operation::request::{SignedRequest, TERMS};
use zkmargin_protocol::value::units::{ACCOUNT_BITS, CASH_BITS, NONCE_BITS, TIME_BITS};

use crate::crypto::eddsa::{self, SignatureVar};
use crate::crypto::poseidon;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::enforce_nonzero_if;
use crate::gadgets::curve::PointVar;
use crate::gadgets::element::{Deferred, Element};
use crate::gadgets::integer::{Int, Uint};
use crate::market::fee_schedule::TierVar;
use crate::operation::action::ActionVar;
use crate::value::custody;
use crate::value::header::HeaderVar;
use crate::value::packing::{pack, pack_as};
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
#[derive(Getters)]
pub struct RequestVar {
    /// Whether the row is in use.
    is_active: Bool,
    /// Account that asks.
    account: Uint,
    /// The account's key; `argument` looks it up.
    key: PointVar,
    /// The account's tier before the batch, which nothing here depends on; `argument` looks it up
    /// with the key.
    tier: TierVar,
    /// What is asked for.
    action: ActionVar,
    /// Nonce.
    nonce: Uint,
    expiry: Deferred,
    /// The signature's challenge.
    challenge: Element,
    /// Cash that leaves `account`; 0 where none moves and in padding.
    paid: Uint,
    /// Cash that arrives at the account `action.recipient()` within the rollup; 0 but for
    /// transfers.
    transferred: Int,
    /// Cash that leaves for L1; 0 but for withdrawals.
    payout: Uint,
    /// Cash of a withdrawal that does not leave: the insurance fund's.
    kept: Int,
    /// Word of the statement; 0 but for withdrawals.
    word: Uint,
}

impl RequestVar {
    /// Allocates a request and enforces everything but its look-up and legs.
    pub fn new(cs: &mut Cs, input: &RequestInput, header: &HeaderVar) -> Self {
        let request = &input.signed.request;
        let point = input.signer.key.point();
        let is_active = Bool::witness(cs, "request row in use", input.is_active);
        let account = request.account.get().into();
        let account = Uint::external(cs, "requesting account", account, ACCOUNT_BITS);
        let nonce = Uint::external(cs, "request nonce", request.nonce.get().into(), NONCE_BITS);
        let action = ActionVar::external(cs, &request.action, input.signer.nonces.base);
        let paid = action.amount().only_if(cs, "cash paid", &is_active);
        let withdrawn = paid.only_if(cs, "cash withdrawn", action.is_withdrawal());
        let transferred = paid.sub(&withdrawn);
        let payout = header.custody().payout_floor(cs, &withdrawn);
        let is_withdrawn = is_active.and(cs, action.is_withdrawal());
        custody::enforce_accepted(cs, &is_withdrawn, &payout, action.least());
        let expiry = request.expiry.get();
        let mut row = Self {
            is_active,
            account,
            key: PointVar::external(cs, "request key", &point),
            tier: TierVar::external(cs, input.signer.tier),
            nonce,
            action,
            expiry: Deferred::external(
                cs,
                "request expiry",
                expiry,
                TIME_BITS + 1,
                Rule::OrderExpiry,
            ),
            challenge: Element::new(cs.zero()),
            paid,
            transferred,
            kept: withdrawn.sub(&payout),
            payout,
            word: Uint::constant(cs, 0, 1),
        };
        row.enforce_terms(cs, header);
        row.challenge = cs.under(Rule::Signature, |cs| {
            let message = row.message(cs, header);
            let signature = SignatureVar::external(cs, &input.signed.signature);
            let (key, is_active) = (&row.key, &row.is_active);
            Element::new(eddsa::enforce_signature(cs, key, &message, &signature, is_active))
        });
        row.action.enforce_change(cs);
        row.word = row.withdrawal_word(cs);
        row
    }

    /// The message signed: Poseidon of tag, domain, packed terms and payload.
    fn message(&self, cs: &mut Cs, header: &HeaderVar) -> Element {
        let tag = self.action.tag(cs);
        let amount = self.action.amount().widened(CASH_BITS);
        let terms = pack_as(&TERMS, [&self.account, &amount, &self.nonce, &self.expiry]);
        let mut inputs = vec![tag, header.domain().lc().clone(), terms.lc().clone()];
        inputs.extend(self.action.payload().iter().map(|element| element.lc().clone()));
        Element::new(poseidon::hash(cs, &inputs))
    }

    /// An amount is positive and the request has not expired.
    fn enforce_terms(&self, cs: &mut Cs, header: &HeaderVar) {
        cs.under(Rule::Range, |cs| {
            let moves_cash = self.action.changes_account().not(cs);
            let is_paying = self.is_active.and(cs, &moves_cash);
            enforce_nonzero_if(cs, "amount is positive", self.action.amount(), &is_paying);
        });
        cs.under(Rule::OrderExpiry, |cs| {
            let left = self.expiry.minus(header.time());
            Uint::range_check(cs, "request has not expired", &left, TIME_BITS);
        });
    }

    /// [`WITHDRAWAL`] of a withdrawal, zero of other requests.
    fn withdrawal_word(&self, cs: &mut Cs) -> Uint {
        let is_used = Bool::constant(cs, true);
        let payout = self.payout.widened(CASH_BITS);
        // Of a withdrawal the number, which is ranged; of others anything, and the word is dropped.
        let recipient = self.action.recipient(cs).lc().clone();
        let recipient = Uint::new_unchecked(recipient, RECIPIENT_BITS);
        let word = pack_as(&WITHDRAWAL, [&payout, &recipient, &is_used]);
        let is_paid_out = self.is_active.and(cs, self.action.is_withdrawal());
        word.only_if(cs, "withdrawal word", &is_paid_out)
    }

    /// The signature's challenge, which fixes the request; the flag ‖ tier (2) ‖ what the challenge
    /// does not fix of the action.
    pub fn absorbed(&self) -> [Wire; 2] {
        let (tier, action) = (self.tier.number(), self.action.absorbed());
        let flags = pack(&[&self.is_active, &tier, &action]);
        [self.challenge.lc().clone(), flags.lc().clone()]
    }
}
