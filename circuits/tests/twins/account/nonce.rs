//! The window of nonces: marking and sliding.

use ark_bn254::Fr;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::account::nonce::{NonceInput, consume};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::nonce::NonceWindow;
use zkmargin_protocol::value::units::Nonce;

use super::super::draw::{Verdict, agree, circuit, native, near, witness};

/// A window and the nonces a batch uses, as a bit set above its base: mostly disjoint from those
/// used before, often completing the lower half, sometimes at the end of all nonces.
fn random_use(rng: &mut ChaCha8Rng) -> (NonceWindow, u64) {
    let last = i128::from(Nonce::MAX);
    let bound = if rng.gen_ratio(1, 3) { last - 32 } else { 1_000 };
    let base = Nonce::try_from(near(rng, bound, 0, last)).expect("clamped");
    let lower_half = (1 << 32) - 1;
    let mut bits = rng.r#gen::<u64>() & rng.r#gen::<u64>();
    if rng.r#gen() {
        bits |= lower_half;
    }
    // Windows are stored slid: at least one nonce of the lower half is free.
    let hole = 1 << rng.gen_range(0..32);
    bits &= !hole;
    let mut used = rng.r#gen::<u64>() & !bits;
    if rng.gen_ratio(2, 3) {
        used |= hole;
    }
    if rng.gen_ratio(1, 4) {
        used |= 1 << rng.gen_range(0..64);
    }
    (NonceWindow { base, bits }, used)
}

/// The base of a cancel-all, a quarter of the time. Whether it is above the window is judged in the
/// request's row.
fn random_cancel(rng: &mut ChaCha8Rng, window: NonceWindow) -> Option<Nonce> {
    let least = i128::from(window.base) + 64;
    let base = Nonce::try_from(near(rng, least, least, i128::from(Nonce::MAX).max(least))).ok();
    base.filter(|_| rng.gen_ratio(1, 4))
}

fn judge(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let (window, used) = random_use(rng);
    let mut after = window;
    let offsets = (0..64).filter(|k| used >> k & 1 == 1);
    // A nonce beyond the last has no number: no order can carry it.
    let mut numbered = offsets.map_while(|k| Nonce::new(window.base.get() + k).ok());
    let mask = numbered.clone().fold(0, |mask, n| mask | 1 << (n.get() - window.base.get()));
    let consumed = numbered.try_for_each(|nonce| after.consume(nonce));
    let cancelled_to = random_cancel(rng, window);
    let slid = consumed.and_then(|()| match cancelled_to {
        Some(base) => Ok(NonceWindow { base, bits: 0 }),
        None => after.slid(),
    });
    let mut cs = witness();
    let input = NonceInput { old: window, used: mask, cancelled_to };
    let var = cs.under(Rule::Nonce, |cs| consume(cs, &input));
    if let Ok(slid) = slid {
        assert_eq!(var.new_base().value(), Fr::from(slid.base.get()));
        assert_eq!(var.new_bits().value(), Fr::from(slid.bits));
    }
    [native(slid), circuit(&cs)]
}

#[test]
fn agree_on_nonces() {
    agree(2_000, &[Rule::Nonce], judge);
}
