//! Twin of `protocol::account::nonce`.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::nonce::{NonceWindow, SLIDE, WINDOW};
use zkmargin_protocol::value::units::{NONCE_BITS, Nonce};

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::element::Deferred;
use crate::gadgets::integer::Uint;
use crate::value::packing::pack_all;
use crate::{Cs, sum};

/// The window before a batch, the nonces the batch uses, and the window it leaves behind.
#[derive(Getters)]
pub struct NonceWindowVar {
    /// Lowest nonce before.
    base: Uint,
    /// Bits before, as a number.
    bits: Uint,
    /// `newly_used[k]` is set when the batch uses nonce `base + k`.
    newly_used: Vec<Bool>,
    /// Whether the account cancels all its orders; `argument` asks for its request, unless it is
    /// forced.
    is_cancelled: Bool,
    /// Lowest nonce after.
    new_base: Uint,
    /// Bits after, as a number.
    new_bits: Uint,
}

impl NonceWindowVar {
    /// The nonces newly used, a bit each: of a window that is voided no leaf tells them.
    pub fn used(&self) -> Uint {
        pack_all(&self.newly_used)
    }

    /// How many these are.
    pub fn used_count(&self) -> Uint {
        // One for each of the window.
        Uint::new_unchecked(sum(self.newly_used.iter().map(Bool::lc)), WINDOW.ilog2() + 1)
    }
}

/// Nonces of one account in one batch.
#[derive(Clone, Copy, Debug)]
pub struct NonceInput {
    /// The window before the batch.
    pub old: NonceWindow,
    /// Nonces the batch uses, bit `k` for `old.base + k`.
    pub used: u64,
    /// The base named by a cancel-all.
    pub cancelled_to: Option<Nonce>,
}

/// Opens the window of a stored leaf, marks nonces used — none of them before — and slides it if
/// its lower half is used up, or leaves it behind if the account cancels all. That the base is then
/// above the window is shown in the request's row, or in the account's own by the answer to a
/// forced one.
pub fn consume(cs: &mut Cs, input: &NonceInput) -> NonceWindowVar {
    let NonceInput { old, used, .. } = *input;
    let base = Uint::external(cs, "old nonce base", old.base.get().into(), NONCE_BITS);
    let mut bits = Vec::new();
    let mut newly_used = Vec::new();
    let mut after = Vec::new();
    for k in 0..WINDOW {
        let before = Bool::external(cs, "old nonce bit", old.bits >> k & 1 == 1);
        let is_new = Bool::witness(cs, "nonce newly used", used >> k & 1 == 1);
        let zero = cs.zero();
        cs.enforce("no nonce is used twice", before.lc(), is_new.lc(), &zero);
        // Not both are 1.
        after.push(Bool::new_unchecked(before.lc().plus(is_new.lc())));
        bits.push(before);
        newly_used.push(is_new);
    }
    let slid = SlidVar::new(cs, &base, &after);
    let is_cancelled = Bool::witness(cs, "orders are cancelled", input.cancelled_to.is_some());
    let raise = input.cancelled_to.map_or(Fr::ZERO, |to| Fr::from(to.get()) - slid.base.value());
    let raise = cs.argued("raise of the nonce base", raise);
    let (is_kept, zero) = (is_cancelled.not(cs), cs.zero());
    cs.enforce("a base is raised by a cancel-all", is_kept.lc(), &raise, &zero);
    let new_base = Uint::range_check(cs, "new nonce base", &slid.base.plus(&raise), NONCE_BITS);
    NonceWindowVar {
        base,
        bits: pack_all(&bits),
        newly_used,
        new_base,
        new_bits: slid.bits.only_if(cs, "bits of a window kept", &is_kept),
        is_cancelled,
    }
}

/// The window moved by half if its lower half is all used.
struct SlidVar {
    /// Its lowest nonce, which is ranged with what a cancel-all adds.
    base: Deferred,
    bits: Uint,
}

impl SlidVar {
    fn new(cs: &mut Cs, base: &Uint, after: &[Bool]) -> Self {
        let (lower, upper) = after.split_at(SLIDE as usize);
        let unused = cs.constant(Fr::from(SLIDE)).minus(&sum(lower.iter().map(Bool::lc)));
        let is_half_used = is_zero(cs, &unused);
        let bits = Uint::select(cs, &is_half_used, &pack_all(upper), &pack_all(after));
        let base = base.plus_scaled(is_half_used.lc(), Fr::from(SLIDE));
        Self { base: Deferred::new(base, NONCE_BITS, Rule::Nonce), bits }
    }
}
