//! Affine additions on BN254, eight at a time, with the 52-bit multiply-add of AVX-512 IFMA.
//!
//! **Layout.** A field element `a` is kept as `a·2^260 mod p`, not always reduced but below
//! `2p < 2^255`, packed in four 64-bit words. A point is its coordinates' words one after the
//! other, a row of eight words for G1 and two for G2; the identity is all zeros, which no point of
//! these curves is. In registers an element is five vectors of 52-bit limbs, lane `k` for pair `k`.
//!
//! **Bounds.** Montgomery multiplication maps factors `a, b` to a value below `ab/2^260 + p`, and
//! `p/2^260 < 0.012`. Factors are below `8p` (a difference is below `4p`, the sum of two factors
//! below `8p`), so a product is below `64·0.012p + p < 2p`. Accumulators collect at most 20 terms
//! below `2^52` and a carry: below `2^57`.
//!
//! The crate `pulp` wraps the intrinsics in a token that exists only if the processor has the
//! instructions, so no line here is unsafe.

mod curve;
mod field;

pub use curve::{Packed, Vector};
pub(crate) use field::{Field52, Limbs, Modulus, limbs_of, sixteenfold_of, words_of};

pulp::simd_type! {
    /// Proof that the processor has the instructions.
    pub struct Ifma {
        avx512f: "avx512f",
        avx512ifma: "avx512ifma",
    }
}

pub(crate) const LANES: usize = 8;
