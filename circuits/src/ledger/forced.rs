//! Twin of `protocol::ledger::forced`: the answer to a forced request, in the two-sided row of
//! its account.

pub mod counterparty;
pub mod reduction;

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::nonce::WINDOW;
use zkmargin_protocol::operation::forced::{ANSWER, CONTRACTS, ForcedAnswer, KIND_BITS};
use zkmargin_protocol::value::units::{CASH_BITS, NONCE_BITS, PPM};

use crate::account::AccountVar;
use crate::account::auction_step::AuctionStepVar;
use crate::account::margin::EXCESS_BITS;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::{enforce_nonzero_if, is_zero};
use crate::gadgets::element::Unranged;
use crate::gadgets::integer::{Int, Uint, power_of_two};
use crate::ledger::forced::reduction::ForcedReductionVar;
use crate::value::header::HeaderVar;
use crate::value::packing::pack_as;
use crate::{Cs, shifted, sum};

/// Width in bits of an amount.
const AMOUNT_BITS: u32 = CASH_BITS - 1;
/// Width in bits of an answer in the statement.
pub const ANSWER_BITS: u32 = KIND_BITS + 2 * AMOUNT_BITS + 1;

/// The answer to a forced request; zeros in rows without one.
#[derive(Getters)]
pub struct ForcedVar {
    is_withdrawal: Bool,
    is_cancel: Bool,
    is_refused: Bool,
    /// Cash asked for.
    amount: Uint,
    /// Cash taken from the account, at most `amount`.
    paid: Uint,
    /// Whether initial margin has to be covered after the answer in any case.
    is_bound: Bool,
    /// Cash of it that leaves for L1.
    payout: Uint,
    /// Cash of it that does not leave: the insurance fund's.
    kept: Int,
    /// Whether the window of nonces is voided without a request that is signed.
    is_voided: Bool,
    /// Contracts that another account takes.
    reduction: ForcedReductionVar,
}

impl ForcedVar {
    /// Allocates the answer of a row and enforces it, but for the legs, which are for `argument`,
    /// and why a `reduction` is refused. `after` is the row's excess over initial margin after the
    /// batch; that it is covered where it has to be is for the row's side before the batch to show.
    pub fn new(
        cs: &mut Cs,
        input: Option<&ForcedAnswer>,
        account: &AccountVar,
        reduction: ForcedReductionVar,
        step: &AuctionStepVar,
        after: &Unranged,
        header: &HeaderVar,
    ) -> Self {
        let is_withdrawal = matches!(input, Some(ForcedAnswer::Withdrawal { .. }));
        let is_cancel = matches!(input, Some(ForcedAnswer::CancelAll { .. }));
        let is_withdrawal = Bool::external(cs, "withdrawal is forced", is_withdrawal);
        let is_cancel = Bool::external(cs, "cancel-all is forced", is_cancel);
        enforce_alone(cs, [&is_withdrawal, &is_cancel, reduction.is_asked()], account, step);
        let PaymentVar { amount, paid } = PaymentVar::new(cs, input, &is_withdrawal, after);
        let is_paying = is_zero(cs, &paid).not(cs);
        let (is_done, was_in_auction) = (reduction.is_done().lc(), step.was_in_auction().lc());
        let is_sold = cs.product("contracts of an account in auction", is_done, was_in_auction);
        let payout = header.custody().payout_floor(cs, &paid);
        let is_refused = enforce_cancel(cs, input, &is_cancel, account);
        Self {
            // Only a cancel-all is refused.
            is_voided: Bool::new_unchecked(is_cancel.minus(&is_refused)),
            kept: paid.sub(&payout),
            is_withdrawal,
            is_cancel,
            is_refused,
            amount,
            paid,
            // No row both pays and sells.
            is_bound: Bool::new_unchecked(is_paying.plus(&is_sold)),
            payout,
            reduction,
        }
    }

    /// [`ANSWER`]. Parts of other kinds are zero.
    pub fn word(&self, cs: &mut Cs) -> Uint {
        let reduction = &self.reduction;
        let kinds = [&self.is_withdrawal, &self.is_cancel, reduction.is_asked()].map(Bool::lc);
        let kind = kinds.iter().zip(1u64..).map(|(is_kind, k)| is_kind.scaled(Fr::from(k)));
        let kind = sum(&kind.collect::<Vec<_>>());
        let contracts = pack_as(&CONTRACTS, [reduction.instrument(), reduction.quantity()]);
        // One kind at most is set (`enforce_alone`), and fields of other kinds are zero: so each
        // sum is of one part, and fits its place.
        let kind = Uint::new_unchecked(kind, KIND_BITS);
        let asked = Uint::new_unchecked(self.amount.plus(&contracts), AMOUNT_BITS);
        let taker = reduction.counterparty().index();
        let done = Uint::new_unchecked(self.payout.plus(taker), AMOUNT_BITS);
        let is_refused = Bool::new_unchecked(self.is_refused.plus(reduction.is_refused()));
        let word = pack_as(&ANSWER, [&kind, &asked, &done, &is_refused]);
        cs.note_determined(&[&word], &[&kind, &asked, &done, &is_refused]);
        cs.note_determined(&[&kind], &kinds);
        word
    }
}

/// One request, of an account that was there before the batch, signs nothing in it and is not the
/// insurance fund; its auction takes no step.
fn enforce_alone(cs: &mut Cs, kinds: [&Bool; 3], account: &AccountVar, step: &AuctionStepVar) {
    let (zero, one) = (cs.zero(), cs.one());
    let is_forced = sum(kinds.map(Bool::lc));
    cs.under(Rule::AccountExists, |cs| {
        let is_missing = one.minus(account.is_active().lc()).plus(account.is_new().lc());
        cs.enforce("the account was there before", &is_forced, &is_missing, &zero);
    });
    cs.under(Rule::ForcedRequest, |cs| {
        // The sum is 0 to 3, and nothing but 0 or 1 is a bit.
        cs.enforce("one request a row", &is_forced, &one.minus(&is_forced), &zero);
        let is_forced = Bool::new_unchecked(is_forced.clone());
        enforce_nonzero_if(cs, "the insurance fund is nobody's", account.index(), &is_forced);
        // Both sums count flags, so they add up to zero only if there are none.
        let signed = account.nonces().used_count();
        let others = step.is_any().plus(&signed);
        cs.enforce("nothing signed, no step of an auction", is_forced.lc(), &others, &zero);
    });
}

/// What a forced withdrawal asks for and takes.
struct PaymentVar {
    amount: Uint,
    paid: Uint,
}

impl PaymentVar {
    /// What is taken leaves less than a micro-USDC above initial margin if it is less than what is
    /// asked for. `after` is the row's excess over initial margin after the batch.
    fn new(
        cs: &mut Cs,
        input: Option<&ForcedAnswer>,
        is_withdrawal: &Bool,
        after: &Unranged,
    ) -> Self {
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
            let unpaid = amount.minus(&paid);
            Uint::range_check(cs, "no more is paid than asked for", &unpaid, AMOUNT_BITS);
            let is_partial = is_zero(cs, &unpaid).not(cs);
            let room = shifted(cs, &after.negated(), Fr::from(PPM - 1));
            let room = cs.product("what is left of a part", is_partial.lc(), &room);
            Uint::range_check(cs, "nothing more could be paid", &room, EXCESS_BITS + 1);
            Self { amount, paid }
        })
    }
}

/// A cancel-all voids the whole window; it is refused, which is returned, where nonces would not
/// reach above it.
fn enforce_cancel(
    cs: &mut Cs,
    input: Option<&ForcedAnswer>,
    is_cancel: &Bool,
    account: &AccountVar,
) -> Bool {
    cs.under(Rule::ForcedCancel, |cs| {
        let is_refused = matches!(input, Some(ForcedAnswer::CancelAll { is_refused: true }));
        let is_refused = Bool::witness(cs, "cancel-all is refused", is_refused);
        let (zero, is_other) = (cs.zero(), is_cancel.not(cs));
        cs.enforce("refused is a cancel-all", is_refused.lc(), is_other.lc(), &zero);
        let nonces = account.nonces();
        let above = shifted(cs, nonces.base(), Fr::from(WINDOW));
        let over = shifted(cs, &above, -power_of_two::<Fr>(NONCE_BITS));
        let over = cs.product("base beyond the last nonce", is_refused.lc(), &over);
        Uint::range_check(cs, "nonces are exhausted", &over, WINDOW.ilog2());
        let is_voided = is_cancel.lc().minus(is_refused.lc());
        let is_kept = nonces.is_cancelled().not(cs);
        cs.enforce("the window is voided", &is_voided, is_kept.lc(), &zero);
        let raise = nonces.new_base().minus(&above);
        cs.enforce("by no more than itself", &is_voided, &raise, &zero);
        is_refused
    })
}
