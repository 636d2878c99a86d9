//! Twin of `protocol::account::nonce`.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::account::nonce::{NonceWindow, SLIDE, WINDOW};
use zkmargin_protocol::value::units::{NONCE_BITS, Nonce};

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::integer::{Uint, power_of_two};
use crate::value::packing::Part;
use crate::{Cs, Wire, sum};

/// The window before a batch, the nonces the batch uses, and the window it leaves behind.
pub struct NonceWindowVar {
    /// Lowest nonce before.
    pub base: Wire,
    /// Bits before, as a number.
    pub bits: Wire,
    /// `newly_used[k]` is set when the batch uses nonce `base + k`.
    pub newly_used: Vec<Bool<Fr>>,
    /// Whether the account cancels all its orders; `argument` asks for its request, unless it is
    /// forced.
    pub is_cancelled: Bool<Fr>,
    /// Lowest nonce after.
    pub new_base: Wire,
    /// Bits after, as a number.
    pub new_bits: Wire,
}

impl NonceWindowVar {
    /// The nonces newly used, a bit each: of a window that is voided no leaf tells them.
    pub fn used(&self) -> Part {
        let bits: Vec<_> = self.newly_used.iter().map(|bit| bit.lc().clone()).collect();
        (number(&bits), WINDOW as u32)
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
        let was = Bool::external(cs, "old nonce bit", old.bits >> k & 1 == 1);
        let is_new = Bool::witness(cs, "nonce newly used", used >> k & 1 == 1);
        let zero = cs.zero();
        cs.enforce("no nonce is used twice", was.lc(), is_new.lc(), &zero);
        after.push(was.lc().plus(is_new.lc()));
        bits.push(was.lc().clone());
        newly_used.push(is_new);
    }
    let (slid_base, slid_bits) = slid(cs, base.lc(), &after);
    let is_cancelled = Bool::witness(cs, "orders are cancelled", input.cancelled_to.is_some());
    let raise = input.cancelled_to.map_or(Fr::ZERO, |to| Fr::from(to.get()) - slid_base.value());
    let raise = cs.argued("raise of the nonce base", raise);
    let (is_kept, zero) = (is_cancelled.not(cs), cs.zero());
    cs.enforce("a base is raised by a cancel-all", is_kept.lc(), &raise, &zero);
    let new_base = Uint::range_check(cs, "new nonce base", &slid_base.plus(&raise), NONCE_BITS);
    NonceWindowVar {
        base: base.lc().clone(),
        bits: number(&bits),
        newly_used,
        new_base: new_base.lc().clone(),
        new_bits: cs.product("bits of a window kept", is_kept.lc(), &slid_bits),
        is_cancelled,
    }
}

/// The window moved by half if its lower half is all used.
fn slid(cs: &mut Cs, base: &Wire, after: &[Wire]) -> (Wire, Wire) {
    let half = SLIDE as usize;
    let unused = cs.constant(Fr::from(SLIDE)).minus(&sum(&after[..half]));
    let is_half_used = is_zero(cs, &unused);
    let bits = is_half_used.select(cs, &number(&after[half..]), &number(after));
    (base.plus_scaled(is_half_used.lc(), Fr::from(SLIDE)), bits)
}

/// `Σ bit_k · 2^k`.
fn number(bits: &[Wire]) -> Wire {
    let scaled: Vec<_> =
        bits.iter().enumerate().map(|(k, bit)| bit.scaled(power_of_two(k as u32))).collect();
    sum(&scaled)
}
