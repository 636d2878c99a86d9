//! Twin of `protocol::nonce`.

use ark_bn254::Fr;
use zkmargin_protocol::nonce::{NonceWindow, SLIDE, WINDOW};
use zkmargin_protocol::units::NONCE_BITS;

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::integer::Uint;
use crate::packing::power_of_two;
use crate::{Cs, Wire, sum};

/// The window before a batch, the nonces the batch uses, and the window it leaves behind.
pub struct NonceWindowVar {
    /// Lowest nonce before.
    pub base: Wire,
    /// Bits before, as a number.
    pub bits: Wire,
    /// `newly_used[k]` is set when the batch uses nonce `base + k`.
    pub newly_used: Vec<Bool<Fr>>,
    /// Lowest nonce after.
    pub new_base: Wire,
    /// Bits after, as a number.
    pub new_bits: Wire,
}

/// Opens the window of a stored leaf, marks nonces used — none of them before — and slides it if its lower half is used up.
pub fn consume(cs: &mut Cs, old: NonceWindow, used: u64) -> NonceWindowVar {
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
    let (new_base, new_bits) = slid(cs, &base, &after);
    NonceWindowVar { base: base.lc().clone(), bits: number(&bits), newly_used, new_base, new_bits }
}

/// The window after the batch: moved by half if its lower half is all used.
fn slid(cs: &mut Cs, base: &Uint<Fr>, after: &[Wire]) -> (Wire, Wire) {
    let half = SLIDE as usize;
    let unused = cs.constant(Fr::from(SLIDE)).minus(&sum(&after[..half]));
    let is_half_used = is_zero(cs, &unused);
    let moved = base.lc().plus_scaled(is_half_used.lc(), Fr::from(SLIDE));
    let new_base = Uint::range_check(cs, "new nonce base", &moved, NONCE_BITS);
    let zero = cs.zero();
    let bits: Vec<_> = (0..after.len())
        .map(|k| {
            let moved = after.get(k + half).unwrap_or(&zero);
            is_half_used.select(cs, moved, &after[k])
        })
        .collect();
    (new_base.lc().clone(), number(&bits))
}

/// `Σ bit_k · 2^k`.
fn number(bits: &[Wire]) -> Wire {
    let scaled: Vec<_> =
        bits.iter().enumerate().map(|(k, bit)| bit.scaled(power_of_two(k as u32))).collect();
    sum(&scaled)
}
