//! Twin of `protocol::operation::action`.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::nonce::WINDOW;
use zkmargin_protocol::crypto::babyjubjub::Point;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::recipient::RECIPIENT_BITS;
use zkmargin_protocol::value::units::{ACCOUNT_BITS, CASH_BITS, NONCE_BITS, Nonce};

use crate::crypto::{cipher, eddsa};
use crate::gadgets::boolean::Bool;
use crate::gadgets::curve::PointVar;
use crate::gadgets::element::Element;
use crate::gadgets::integer::{Int, Signed, Uint, power_of_two};
use crate::value::packing::pack;
use crate::{Cs, Wire, shifted};

/// What a request asks for.
#[derive(Getters)]
pub struct ActionVar {
    /// Whether keys or nonce base change, or an account in auction, not cash.
    changes_account: Bool,
    /// Whether it is the second kind of either: a withdrawal or a cancel-all.
    is_second: Bool,
    /// Whether it is a bid, the third kind that changes an account.
    is_bid: Bool,
    is_rekey: Bool,
    is_cancel: Bool,
    /// Whether the cash leaves for L1.
    is_withdrawal: Bool,
    /// Cash moved; 0 where none moves.
    amount: Uint,
    /// Receiver (account index or L1 address), new nonce base or terms of a bid.
    number: Uint,
    /// Least amount of a withdrawal that must leave.
    least: Int,
    new_key: PointVar,
    /// New view key; 0 but for rekeys. What is signed is its commitment, which fixes it.
    new_view_key: Element,
    /// What is signed besides the terms.
    payload: [Element; 3],
    /// The account's nonce base before the batch; of a cancel-all `argument` holds it
    /// against the account.
    old_base: Uint,
}

impl ActionVar {
    /// Allocates an action of an account whose nonce base is `old_base`; [`Self::enforce_change`]
    /// is the caller's to call.
    pub fn external(cs: &mut Cs, action: &Action, old_base: Nonce) -> Self {
        let is_rekey = matches!(action, Action::Rekey { .. });
        let is_cancel = matches!(action, Action::CancelAll { .. });
        let is_bid = matches!(action, Action::Bid(_));
        let is_second = is_cancel || action.is_withdrawal();
        let changes_account = is_rekey || is_cancel || is_bid;
        let changes_account = Bool::external(cs, "changes the account", changes_account);
        let is_second = Bool::external(cs, "second kind", is_second);
        let is_bid = Bool::external(cs, "is a bid", is_bid);
        cs.under(Rule::AccountRequests, |cs| {
            let (moves_cash, zero) = (changes_account.not(cs), cs.zero());
            let others = moves_cash.lc().plus(is_second.lc());
            cs.enforce("a bid is no other kind", is_bid.lc(), &others, &zero);
        });
        let is_cancel = changes_account.and(cs, &is_second);
        let amount = action.amount().map_or(0, |amount| u128::from(amount.get().max(0) as u64));
        let amount = Uint::external(cs, "amount", amount, CASH_BITS - 1);
        let [first, second, _] = action.payload();
        let nothing = Fr::from(0u64);
        let [number, x] = if is_rekey { [nothing, first] } else { [first, nothing] };
        let y = if is_rekey { second } else { nothing };
        let least = match action {
            Action::Withdrawal { amount, least, .. } => least.unwrap_or(*amount).get(),
            _ => 0,
        };
        let least = Signed::external(cs, "least amount", least.into(), CASH_BITS);
        let number = cs.external("number", number);
        let number = Uint::range_check(cs, "number", &number, RECIPIENT_BITS);
        let new_key = PointVar::external(cs, "new key", &Point { x, y });
        let view_key = match action {
            Action::Rekey { view_key, .. } => *view_key,
            _ => nothing,
        };
        let view_key = Element::external(cs, "view key asked for", view_key);
        let commitment = cipher::view_commitment(cs, &view_key);
        let old_base = Uint::external(cs, "base to void", old_base.get().into(), NONCE_BITS);
        // Each of the two differences is one bit and not the others, so a bit.
        let is_rekey = changes_account.lc().minus(is_cancel.lc()).minus(is_bid.lc());
        let is_rekey = Bool::new_unchecked(is_rekey);
        let is_withdrawal = Bool::new_unchecked(is_second.lc().minus(is_cancel.lc()));
        let least_signed = cs.product("least amount signed", is_withdrawal.lc(), least.lc());
        let payload = [
            is_rekey.select(cs, &new_key.x, &number),
            is_rekey.select(cs, &new_key.y, &least_signed),
            cs.product("payload of a rekey", is_rekey.lc(), &commitment),
        ]
        .map(Element::new);
        let new_view_key = cs.product("view key of a rekey", is_rekey.lc(), &view_key);
        let moves_cash = changes_account.not(cs);
        Self {
            amount: amount.only_if(cs, "amount moved", &moves_cash),
            changes_account,
            is_second,
            is_bid,
            is_rekey,
            is_cancel,
            is_withdrawal,
            number,
            least: least.int().clone(),
            new_key,
            new_view_key: Element::new(new_view_key),
            payload,
            old_base,
        }
    }

    /// The tag of the message signed.
    pub fn tag(&self, cs: &Cs) -> Wire {
        let transfer = Tag::Transfer.field();
        cs.constant(transfer)
            .plus_scaled(self.is_withdrawal.lc(), Tag::Withdrawal.field() - transfer)
            .plus_scaled(self.is_rekey.lc(), Tag::Rekey.field() - transfer)
            .plus_scaled(self.is_cancel.lc(), Tag::CancelAll.field() - transfer)
            .plus_scaled(self.is_bid.lc(), Tag::Bid.field() - transfer)
    }

    /// A new key is in the prime-order subgroup and not the identity; a new base leaves the whole
    /// window behind.
    pub fn enforce_change(&self, cs: &mut Cs) {
        eddsa::enforce_key_valid(cs, &self.is_rekey, &self.new_key);
        cs.under(Rule::Nonce, |cs| {
            let above = shifted(cs, &self.number.minus(&self.old_base), -Fr::from(WINDOW));
            let above = cs.product("base above the window", self.is_cancel.lc(), &above);
            Uint::range_check(cs, "base above the window", &above, NONCE_BITS);
        });
    }

    /// Account or L1 address that receives cash. The signature's challenge fixes it whatever the
    /// kind; of a rekey, where nobody receives anything and the number is free, it is a part of the
    /// new key.
    pub fn recipient(&self, cs: &Cs) -> Element {
        if cs.is_planted("free recipient of a rekey") {
            return Element::new(self.number.lc().clone());
        }
        self.payload[0].clone()
    }

    /// What changes in `account`: (account, key x, key y, view key), or of a cancel-all
    /// (account + 2^24, new base, old base, 0), or of a bid (account + 2^25, terms, 0, 0).
    /// The signature's challenge fixes the view key by its commitment, whatever the kind and in
    /// padding.
    pub fn change(&self, cs: &mut Cs, account: &Uint) -> [Wire; 4] {
        let place = account
            .plus_scaled(self.is_cancel.lc(), power_of_two(ACCOUNT_BITS))
            .plus_scaled(self.is_bid.lc(), power_of_two(ACCOUNT_BITS + 1));
        let [first, second, _] = &self.payload;
        let voided = cs.product("base of a cancel-all", self.is_cancel.lc(), &self.old_base);
        [place, first.lc().clone(), second.plus(&voided), self.new_view_key.lc().clone()]
    }

    /// The kind (3) ‖ base to void (40): what the signature's challenge does not fix.
    pub fn absorbed(&self) -> Uint {
        pack(&[&self.changes_account, &self.is_second, &self.is_bid, &self.old_base])
    }
}
