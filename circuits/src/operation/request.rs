//! Twin of `protocol::operation::request`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::operation::recipient::RECIPIENT_BITS;
use zkmargin_protocol::operation::request::SignedRequest;
use zkmargin_protocol::value::units::{ACCOUNT_BITS, CASH_BITS, NONCE_BITS, TIER_BITS, TIME_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::enforce_nonzero_if;
use crate::gadgets::curve::PointVar;
use crate::gadgets::eddsa::{self, SignatureVar};
use crate::gadgets::integer::{Uint, power_of_two};
use crate::gadgets::poseidon;
use crate::market::fee_schedule::TierVar;
use crate::operation::action::ActionVar;
use crate::value::custody;
use crate::value::header::HeaderVar;
use crate::value::packing::pack;
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
    /// Account that asks, 24 bits.
    pub account: Wire,
    /// The account's key; `argument` looks it up.
    pub key: PointVar,
    /// The account's tier before the batch, which nothing here depends on; `argument` looks it up
    /// with the key.
    pub tier: TierVar,
    /// What is asked for.
    pub action: ActionVar,
    /// Nonce, 40 bits.
    pub nonce: Wire,
    expiry: Wire,
    /// The signature's challenge.
    pub challenge: Wire,
    /// Cash that leaves `account`; 0 where none moves and in padding.
    pub paid: Wire,
    /// Cash that arrives at the account `action.recipient()` within the rollup; 0 but for
    /// transfers.
    pub transferred: Wire,
    /// Cash that leaves for L1; 0 but for withdrawals.
    pub payout: Wire,
    /// Cash of a withdrawal that does not leave: the insurance fund's.
    pub kept: Wire,
    /// Word of the statement; 0 but for withdrawals.
    pub word: Wire,
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
        let paid = cs.product("cash paid", is_active.lc(), &action.amount);
        let withdrawn = cs.product("cash withdrawn", action.is_withdrawal.lc(), &paid);
        let transferred = paid.minus(&withdrawn);
        let payout = header.custody.payout_floor(cs, &withdrawn);
        let is_withdrawn = is_active.and(cs, &action.is_withdrawal);
        custody::enforce_accepted(cs, &is_withdrawn, &payout, &action.least);
        let zero = cs.zero();
        let mut row = Self {
            is_active,
            account: account.lc().clone(),
            key: PointVar::external(cs, "request key", &point),
            tier: TierVar::external(cs, input.signer.tier),
            nonce: nonce.lc().clone(),
            action,
            expiry: cs.external("request expiry", Fr::from(request.expiry.get())),
            challenge: zero.clone(),
            paid,
            transferred,
            kept: withdrawn.minus(&payout),
            payout,
            word: zero,
        };
        row.enforce_terms(cs, header);
        row.challenge = cs.under(Rule::Signature, |cs| {
            let message = row.message(cs, header);
            let signature = SignatureVar::external(cs, &input.signed.signature);
            eddsa::enforce_signature(cs, &row.key, &message, &signature, &row.is_active)
        });
        row.action.enforce_change(cs);
        row.word = row.withdrawal_word(cs);
        row
    }

    /// The message signed: Poseidon of tag, domain, packed terms and payload.
    fn message(&self, cs: &mut Cs, header: &HeaderVar) -> Wire {
        let tag = self.action.tag(cs);
        // account (24) ‖ amount (64) ‖ nonce (40) ‖ expiry (41)
        let terms = pack(&[
            (&self.account, ACCOUNT_BITS),
            (&self.action.amount, CASH_BITS),
            (&self.nonce, NONCE_BITS),
            (&self.expiry, TIME_BITS + 1),
        ]);
        let mut inputs = vec![tag, header.domain.clone(), terms];
        inputs.extend(self.action.payload.iter().cloned());
        poseidon::hash(cs, &inputs)
    }

    /// An amount is positive and the request has not expired.
    fn enforce_terms(&self, cs: &mut Cs, header: &HeaderVar) {
        cs.under(Rule::Range, |cs| {
            let moves_cash = self.action.changes_account.not(cs);
            let is_paying = self.is_active.and(cs, &moves_cash);
            enforce_nonzero_if(cs, "amount is positive", &self.action.amount, &is_paying);
        });
        cs.under(Rule::OrderExpiry, |cs| {
            let left = self.expiry.minus(&header.time);
            Uint::range_check(cs, "request has not expired", &left, TIME_BITS);
        });
    }

    /// amount that leaves (64) ‖ recipient (160) ‖ is used (1) of a withdrawal; zero for other
    /// requests.
    fn withdrawal_word(&self, cs: &mut Cs) -> Wire {
        let one = cs.one();
        let ActionVar { is_withdrawal, .. } = &self.action;
        let recipient = (self.action.recipient(cs), RECIPIENT_BITS);
        let word = pack(&[(&self.payout, CASH_BITS), recipient, (&one, 1)]);
        let is_paid_out = self.is_active.and(cs, is_withdrawal);
        cs.product("withdrawal word", is_paid_out.lc(), &word)
    }

    /// The signature's challenge, which fixes the request; the flag ‖ tier (2) ‖ what the challenge
    /// does not fix of the action.
    pub fn absorbed(&self) -> [Wire; 2] {
        let flags = self
            .is_active
            .lc()
            .plus_scaled(&self.tier.lc(), power_of_two(1))
            .plus_scaled(&self.action.absorbed(), power_of_two(1 + TIER_BITS));
        [self.challenge.clone(), flags]
    }
}
