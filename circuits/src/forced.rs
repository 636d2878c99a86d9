//! Twin of `protocol::forced`: the answer to a forced request, in the two-sided row of its account.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::forced::{ForcedAnswer, KIND_BITS};
use zkmargin_protocol::nonce::WINDOW;
use zkmargin_protocol::parameters::PPM;
use zkmargin_protocol::units::{CASH_BITS, NONCE_BITS};

use crate::account::AccountVar;
use crate::auction::AuctionStepVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::integer::Uint;
use crate::margin::EXCESS_BITS;
use crate::packing::{pack, power_of_two};
use crate::statement::HeaderVar;
use crate::trade::enforce_nonzero_if;
use crate::{Cs, Wire, shifted, sum};

/// Width in bits of an amount.
const AMOUNT_BITS: u32 = CASH_BITS - 1;

/// The answer to a forced request; zeros in rows without one.
pub struct ForcedVar {
    is_withdrawal: Bool<Fr>,
    is_cancel: Bool<Fr>,
    is_refused: Bool<Fr>,
    /// Cash asked for, 63 bits.
    amount: Wire,
    /// Cash taken from the account, at most `amount`.
    pub paid: Wire,
    /// Whether any is.
    pub is_paying: Bool<Fr>,
    /// Cash of it that leaves for L1.
    pub payout: Wire,
    /// Cash of it that does not leave: the insurance fund's.
    pub kept: Wire,
    /// Whether the window of nonces is voided without a request that is signed.
    pub is_voided: Wire,
}

impl ForcedVar {
    /// Allocates the answer of a row and enforces it, but for the leg of what is paid, which is for `argument`. `after` is the
    /// row's excess over initial margin after the batch; that what pays covers it is for the row's reduction to show.
    pub fn new(
        cs: &mut Cs,
        input: Option<&ForcedAnswer>,
        account: &AccountVar,
        (step, after): (&AuctionStepVar, &Wire),
        header: &HeaderVar,
    ) -> Self {
        let is_withdrawal = matches!(input, Some(ForcedAnswer::Withdrawal { .. }));
        let is_cancel = matches!(input, Some(ForcedAnswer::CancelAll { .. }));
        let is_withdrawal = Bool::external(cs, "withdrawal is forced", is_withdrawal);
        let is_cancel = Bool::external(cs, "cancel-all is forced", is_cancel);
        enforce_alone(cs, [&is_withdrawal, &is_cancel], account, step);
        let [amount, paid] = pay(cs, input, &is_withdrawal, after);
        let is_paying = is_zero(cs, &paid).not(cs);
        let payout = header.custody.payout_floor(cs, &paid);
        let is_refused = cancel(cs, input, &is_cancel, account);
        Self {
            is_voided: is_cancel.lc().minus(is_refused.lc()),
            kept: paid.minus(&payout),
            is_withdrawal,
            is_cancel,
            is_refused,
            amount,
            paid,
            is_paying,
            payout,
        }
    }

    /// kind (2) ‖ amount asked for (63) ‖ amount that leaves (63) ‖ is refused (1).
    pub fn word(&self) -> Wire {
        let kind = self.is_withdrawal.lc().plus_scaled(self.is_cancel.lc(), Fr::from(2u64));
        pack(&[
            (&kind, KIND_BITS),
            (&self.amount, AMOUNT_BITS),
            (&self.payout, AMOUNT_BITS),
            (self.is_refused.lc(), 1),
        ])
    }

    /// What the transcript absorbs beside the statement, 63 bits.
    pub fn absorbed(&self) -> &Wire {
        &self.paid
    }
}

/// One request, of an account that was there before the batch, signs nothing in it and is not the insurance fund; its
/// auction takes no step.
fn enforce_alone(cs: &mut Cs, kinds: [&Bool<Fr>; 2], account: &AccountVar, step: &AuctionStepVar) {
    let (zero, one) = (cs.zero(), cs.one());
    let is_forced = sum(kinds.map(Bool::lc));
    cs.under(Rule::AccountExists, |cs| {
        let is_missing = one.minus(account.is_active.lc()).plus(account.is_new.lc());
        cs.enforce("the account was there before", &is_forced, &is_missing, &zero);
    });
    cs.under(Rule::ForcedRequest, |cs| {
        let [first, second] = kinds;
        cs.enforce("one request a row", first.lc(), second.lc(), &zero);
        let is_forced = Bool::new_unchecked(is_forced.clone());
        enforce_nonzero_if(cs, "the insurance fund is nobody's", &account.index, &is_forced);
        // Both sums count flags, so they add up to zero only if there are none.
        let signed = sum(account.nonces.newly_used.iter().map(Bool::lc));
        let others = step.flags().plus(&signed);
        cs.enforce("nothing signed, no step of an auction", is_forced.lc(), &others, &zero);
    });
}

/// The amount asked for and the one paid, which leaves less than a micro-USDC above initial margin if it is less.
fn pay(
    cs: &mut Cs,
    input: Option<&ForcedAnswer>,
    is_withdrawal: &Bool<Fr>,
    after: &Wire,
) -> [Wire; 2] {
    cs.under(Rule::ForcedWithdrawal, |cs| {
        let (amount, paid) = match input {
            Some(&ForcedAnswer::Withdrawal { amount, paid }) => (amount, paid),
            _ => Default::default(),
        };
        let [amount, paid] = [amount, paid].map(|cash| u128::from(cash.get().max(0) as u64));
        let amount = Uint::external(cs, "amount forced", amount, AMOUNT_BITS);
        let paid = Uint::witness(cs, "forced amount paid", paid, AMOUNT_BITS);
        let (zero, is_other) = (cs.zero(), is_withdrawal.not(cs));
        cs.enforce("an amount is of a withdrawal", is_other.lc(), amount.lc(), &zero);
        let unpaid = amount.lc().minus(paid.lc());
        Uint::range_check(cs, "no more is paid than asked for", &unpaid, AMOUNT_BITS);
        let is_partial = is_zero(cs, &unpaid).not(cs);
        let room = shifted(cs, &after.negated(), Fr::from(PPM - 1));
        let room = cs.product("what is left of a part", is_partial.lc(), &room);
        Uint::range_check(cs, "nothing more could be paid", &room, EXCESS_BITS + 1);
        [amount.lc().clone(), paid.lc().clone()]
    })
}

/// A cancel-all voids the whole window; it is refused, which is returned, where nonces would not reach above it.
fn cancel(
    cs: &mut Cs,
    input: Option<&ForcedAnswer>,
    is_cancel: &Bool<Fr>,
    account: &AccountVar,
) -> Bool<Fr> {
    cs.under(Rule::ForcedCancel, |cs| {
        let is_refused = matches!(input, Some(ForcedAnswer::CancelAll { is_refused: true }));
        let is_refused = Bool::witness(cs, "cancel-all is refused", is_refused);
        let (zero, is_other) = (cs.zero(), is_cancel.not(cs));
        cs.enforce("refused is a cancel-all", is_refused.lc(), is_other.lc(), &zero);
        let nonces = &account.nonces;
        let above = shifted(cs, &nonces.base, Fr::from(WINDOW));
        let over = shifted(cs, &above, -power_of_two(NONCE_BITS));
        let over = cs.product("base beyond the last nonce", is_refused.lc(), &over);
        Uint::range_check(cs, "nonces are exhausted", &over, WINDOW.ilog2());
        let is_voided = is_cancel.lc().minus(is_refused.lc());
        let is_kept = nonces.is_cancelled.not(cs);
        cs.enforce("the window is voided", &is_voided, is_kept.lc(), &zero);
        let raise = nonces.new_base.minus(&above);
        cs.enforce("by no more than itself", &is_voided, &raise, &zero);
        is_refused
    })
}
