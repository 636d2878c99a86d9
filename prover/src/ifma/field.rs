//! Field elements, eight at a time: arithmetic modulo a prime of 254 bits on limbs of 52 bits, and
//! the base fields of G1 and G2 on top of it.

use std::arch::x86_64::__m512i;
use std::sync::LazyLock;

use ark_bn254::{Fq, Fq2, FqConfig};
use ark_ff::{AdditiveGroup, BigInt, Field, Fp, MontBackend, MontConfig};
use pulp::bytemuck::cast;

use super::{Ifma, LANES};

const LIMB_BITS: u32 = 52;
const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;

/// Limbs of eight field elements.
pub(crate) type Limbs = [__m512i; 5];

pub(crate) fn limbs_of(words: [u64; 4]) -> [u64; 5] {
    let [a, b, c, d] = words;
    [
        a & LIMB_MASK,
        (a >> 52 | b << 12) & LIMB_MASK,
        (b >> 40 | c << 24) & LIMB_MASK,
        (c >> 28 | d << 36) & LIMB_MASK,
        d >> 16,
    ]
}

/// `−p^{-1} mod 2^52`.
fn minus_inverse(p: u64) -> u64 {
    // Newton's iteration doubles the number of correct low bits, from 3.
    let inverse = (0..5).fold(p, |x, _| x.wrapping_mul(2u64.wrapping_sub(p.wrapping_mul(x))));
    inverse.wrapping_neg() & LIMB_MASK
}

/// A prime field of 254 bits in arkworks' representation.
type Native<C> = Fp<MontBackend<C, 4>, 4>;

/// What arithmetic modulo a prime needs.
pub(crate) struct Modulus {
    /// `p`, `2p`, `4p` in limbs.
    multiples: [[u64; 5]; 3],
    minus_inverse: u64,
    one: [u64; 5],
}

impl Modulus {
    pub(crate) fn of<C: MontConfig<4>>() -> Self {
        let multiple = |exponent: u32| {
            let mut limbs = limbs_of(C::MODULUS.0).map(|limb| limb << exponent);
            for k in 0..4 {
                limbs[k + 1] += limbs[k] >> LIMB_BITS;
                limbs[k] &= LIMB_MASK;
            }
            limbs
        };
        Self {
            multiples: [0, 1, 2].map(multiple),
            minus_inverse: minus_inverse(C::MODULUS.0[0]),
            one: limbs_of(words_of(Native::<C>::ONE)),
        }
    }
}

/// The base field of G1.
pub(super) static BASE: LazyLock<Modulus> = LazyLock::new(Modulus::of::<FqConfig>);

/// Constants in every lane.
#[derive(Clone, Copy)]
pub(crate) struct Field52 {
    pub(super) simd: Ifma,
    /// `p`, `2p`, `4p`.
    multiples: [Limbs; 3],
    minus_inverse: __m512i,
    mask: __m512i,
    one: Limbs,
}

/// The words of an element in the kernel's form.
pub(crate) fn words_of<C: MontConfig<4>>(element: Native<C>) -> [u64; 4] {
    // ark keeps a·2^256; sixteen times that is a·2^260.
    element.double().double().double().double().0.0
}

static SIXTEENTH: LazyLock<Fq> =
    LazyLock::new(|| Fq::from(16).inverse().expect("sixteen is not zero"));

/// Sixteen times the element of words below `2p`.
pub(crate) fn sixteenfold_of<C: MontConfig<4>>(words: [u64; 4]) -> Native<C> {
    let mut value = BigInt(words);
    if value >= C::MODULUS {
        ark_ff::BigInteger::sub_with_borrow(&mut value, &C::MODULUS);
    }
    Fp::new_unchecked(value)
}

/// The element of words below `2p`.
fn element_of(words: [u64; 4]) -> Fq {
    sixteenfold_of::<FqConfig>(words) * *SIXTEENTH
}

impl Field52 {
    #[inline(always)]
    pub(crate) fn new(simd: Ifma, modulus: &Modulus) -> Self {
        Self {
            simd,
            multiples: modulus.multiples.map(|limbs| limbs.map(|limb| cast([limb; LANES]))),
            minus_inverse: cast([modulus.minus_inverse; LANES]),
            mask: cast([LIMB_MASK; LANES]),
            one: modulus.one.map(|limb| cast([limb; LANES])),
        }
    }

    /// Limbs of packed words.
    #[inline(always)]
    fn unpack(self, [a, b, c, d]: [__m512i; 4]) -> Limbs {
        let f = self.simd.avx512f;
        let low = |v| f._mm512_and_si512(v, self.mask);
        [
            low(a),
            low(f._mm512_or_si512(f._mm512_srli_epi64::<52>(a), f._mm512_slli_epi64::<12>(b))),
            low(f._mm512_or_si512(f._mm512_srli_epi64::<40>(b), f._mm512_slli_epi64::<24>(c))),
            low(f._mm512_or_si512(f._mm512_srli_epi64::<28>(c), f._mm512_slli_epi64::<36>(d))),
            f._mm512_srli_epi64::<16>(d),
        ]
    }

    /// Packed words of limbs.
    #[inline(always)]
    fn pack(self, [a, b, c, d, e]: Limbs) -> [__m512i; 4] {
        let f = self.simd.avx512f;
        [
            f._mm512_or_si512(a, f._mm512_slli_epi64::<52>(b)),
            f._mm512_or_si512(f._mm512_srli_epi64::<12>(b), f._mm512_slli_epi64::<40>(c)),
            f._mm512_or_si512(f._mm512_srli_epi64::<24>(c), f._mm512_slli_epi64::<28>(d)),
            f._mm512_or_si512(f._mm512_srli_epi64::<36>(d), f._mm512_slli_epi64::<16>(e)),
        ]
    }

    /// Moves what exceeds 52 bits, with its sign, from each limb to the next.
    #[inline(always)]
    fn carry(self, mut limbs: Limbs) -> Limbs {
        let f = self.simd.avx512f;
        for k in 0..4 {
            let over = f._mm512_srai_epi64::<LIMB_BITS>(limbs[k]);
            limbs[k] = f._mm512_and_si512(limbs[k], self.mask);
            limbs[k + 1] = f._mm512_add_epi64(limbs[k + 1], over);
        }
        limbs
    }

    /// Limb by limb.
    #[inline(always)]
    fn limbwise(a: Limbs, b: Limbs, operation: impl Fn(__m512i, __m512i) -> __m512i) -> Limbs {
        [
            operation(a[0], b[0]),
            operation(a[1], b[1]),
            operation(a[2], b[2]),
            operation(a[3], b[3]),
            operation(a[4], b[4]),
        ]
    }

    /// `a + b`, for a factor.
    #[inline(always)]
    pub(crate) fn plus(self, a: Limbs, b: Limbs) -> Limbs {
        self.carry(Self::limbwise(a, b, |x, y| self.simd.avx512f._mm512_add_epi64(x, y)))
    }

    /// `a − b + 2^exponent·p` with limbs that may be negative or long.
    #[inline(always)]
    fn loose_minus(self, a: Limbs, b: Limbs, exponent: usize) -> Limbs {
        let f = self.simd.avx512f;
        let raised = Self::limbwise(a, self.multiples[exponent], |x, y| f._mm512_add_epi64(x, y));
        Self::limbwise(raised, b, |x, y| f._mm512_sub_epi64(x, y))
    }

    /// `a − b + 2p` below `4p`, for a factor; `a` and `b` below `2p`.
    #[inline(always)]
    pub(crate) fn minus(self, a: Limbs, b: Limbs) -> Limbs {
        self.carry(self.loose_minus(a, b, 1))
    }

    /// `a` less `2^exponent·p` unless that is negative.
    #[inline(always)]
    pub(crate) fn reduce(self, a: Limbs, exponent: usize) -> Limbs {
        let f = self.simd.avx512f;
        let less = Self::limbwise(a, self.multiples[exponent], |x, y| f._mm512_sub_epi64(x, y));
        let less = self.carry(less);
        let negative = f._mm512_cmplt_epi64_mask(less[4], f._mm512_setzero_si512());
        Self::limbwise(less, a, |x, y| f._mm512_mask_blend_epi64(negative, x, y))
    }

    /// Montgomery product, below `2p` for factors below `8p` and below `2p`, or both below `4p` or
    /// `8p`.
    #[inline(always)]
    pub(crate) fn times(self, a: Limbs, b: Limbs) -> Limbs {
        let (f, m) = (self.simd.avx512f, self.simd.avx512ifma);
        let p = self.multiples[0];
        let zero = f._mm512_setzero_si512();
        let mut t = [zero; 5];
        for b in b {
            for j in 0..5 {
                t[j] = m._mm512_madd52lo_epu64(t[j], a[j], b);
            }
            let quotient = m._mm512_madd52lo_epu64(zero, t[0], self.minus_inverse);
            for j in 0..5 {
                t[j] = m._mm512_madd52lo_epu64(t[j], quotient, p[j]);
            }
            let over = f._mm512_srli_epi64::<LIMB_BITS>(t[0]);
            t = [f._mm512_add_epi64(t[1], over), t[2], t[3], t[4], zero];
            for j in 0..5 {
                t[j] = m._mm512_madd52hi_epu64(t[j], a[j], b);
                t[j] = m._mm512_madd52hi_epu64(t[j], quotient, p[j]);
            }
        }
        self.carry(t)
    }

    /// Lanes in which a difference below `4p` may be zero modulo `p`; others certainly are not.
    #[inline(always)]
    fn maybe_zero(self, difference: Limbs) -> u8 {
        let f = self.simd.avx512f;
        let three = f._mm512_and_si512(
            f._mm512_add_epi64(self.multiples[0][0], self.multiples[1][0]),
            self.mask,
        );
        let zero = f._mm512_setzero_si512();
        [zero, self.multiples[0][0], self.multiples[1][0], three]
            .into_iter()
            .fold(0, |lanes, low| lanes | f._mm512_cmpeq_epi64_mask(difference[0], low))
    }

    #[inline(always)]
    fn select(self, lanes: u8, a: Limbs, b: Limbs) -> Limbs {
        let f = self.simd.avx512f;
        Self::limbwise(a, b, |x, y| f._mm512_mask_blend_epi64(lanes, x, y))
    }

    /// Exchanges rows and columns of eight by eight words.
    #[inline(always)]
    pub(crate) fn transpose(self, rows: [__m512i; 8]) -> [__m512i; 8] {
        let f = self.simd.avx512f;
        let low = |k: usize| f._mm512_unpacklo_epi64(rows[k], rows[k + 1]);
        let high = |k: usize| f._mm512_unpackhi_epi64(rows[k], rows[k + 1]);
        let even = |a, b| f._mm512_shuffle_i64x2::<0x88>(a, b);
        let odd = |a, b| f._mm512_shuffle_i64x2::<0xdd>(a, b);
        let quarter = |t: [__m512i; 4]| {
            let (a, b) = (even(t[0], t[1]), odd(t[0], t[1]));
            let (c, d) = (even(t[2], t[3]), odd(t[2], t[3]));
            [even(a, c), even(b, d), odd(a, c), odd(b, d)]
        };
        let evens = quarter([low(0), low(2), low(4), low(6)]);
        let odds = quarter([high(0), high(2), high(4), high(6)]);
        [evens[0], odds[0], evens[1], odds[1], evens[2], odds[2], evens[3], odds[3]]
    }
}

/// Eight elements of the base field of G1 or G2.
pub(super) trait Lanes: Copy {
    /// The field.
    type Element: Field;
    /// Rows of eight words in a point.
    const ROWS: usize;

    fn one(field: Field52) -> Self;
    fn load(field: Field52, words: &[__m512i]) -> Self;
    fn store(self, field: Field52, words: &mut [__m512i]);
    /// A difference, only for use as a factor.
    fn minus(self, field: Field52, other: Self) -> Self;
    /// A product of factors, below `2p`.
    fn times(self, field: Field52, other: Self) -> Self;
    fn square(self, field: Field52) -> Self;
    /// A reduced difference.
    fn less(self, field: Field52, other: Self) -> Self;
    /// `self − one − other`, reduced.
    fn less_both(self, field: Field52, one: Self, other: Self) -> Self;
    /// The opposite in the lanes given.
    fn negated(self, field: Field52, lanes: u8) -> Self;
    fn maybe_zero(self, field: Field52) -> u8;
    fn select(field: Field52, lanes: u8, a: Self, b: Self) -> Self;
    fn element(words: &[u64]) -> Self::Element;
    fn words(element: Self::Element, words: &mut [u64]);
}

/// Elements of Fq.
#[derive(Clone, Copy)]
pub(super) struct One(Limbs);

impl Lanes for One {
    type Element = Fq;
    const ROWS: usize = 1;

    #[inline(always)]
    fn one(field: Field52) -> Self {
        Self(field.one)
    }

    #[inline(always)]
    fn load(field: Field52, words: &[__m512i]) -> Self {
        Self(field.unpack([words[0], words[1], words[2], words[3]]))
    }

    #[inline(always)]
    fn store(self, field: Field52, words: &mut [__m512i]) {
        words[..4].copy_from_slice(&field.pack(self.0));
    }

    #[inline(always)]
    fn minus(self, field: Field52, other: Self) -> Self {
        Self(field.minus(self.0, other.0))
    }

    #[inline(always)]
    fn times(self, field: Field52, other: Self) -> Self {
        Self(field.times(self.0, other.0))
    }

    #[inline(always)]
    fn square(self, field: Field52) -> Self {
        Self(field.times(self.0, self.0))
    }

    #[inline(always)]
    fn less(self, field: Field52, other: Self) -> Self {
        Self(field.reduce(field.minus(self.0, other.0), 1))
    }

    #[inline(always)]
    fn less_both(self, field: Field52, one: Self, other: Self) -> Self {
        // Below 2p + 4p.
        let f = field.simd.avx512f;
        let first = field.loose_minus(self.0, one.0, 2);
        let both = Field52::limbwise(first, other.0, |x, y| f._mm512_sub_epi64(x, y));
        Self(field.reduce(field.reduce(field.carry(both), 2), 1))
    }

    #[inline(always)]
    fn negated(self, field: Field52, lanes: u8) -> Self {
        let f = field.simd.avx512f;
        let negative =
            Field52::limbwise(field.multiples[1], self.0, |x, y| f._mm512_sub_epi64(x, y));
        Self(field.select(lanes, self.0, field.carry(negative)))
    }

    #[inline(always)]
    fn maybe_zero(self, field: Field52) -> u8 {
        field.maybe_zero(self.0)
    }

    #[inline(always)]
    fn select(field: Field52, lanes: u8, a: Self, b: Self) -> Self {
        Self(field.select(lanes, a.0, b.0))
    }

    fn element(words: &[u64]) -> Fq {
        element_of([words[0], words[1], words[2], words[3]])
    }

    fn words(element: Fq, words: &mut [u64]) {
        words[..4].copy_from_slice(&words_of(element));
    }
}

/// Elements of Fq2 = Fq[i], i² = −1.
#[derive(Clone, Copy)]
pub(super) struct Two(One, One);

impl Lanes for Two {
    type Element = Fq2;
    const ROWS: usize = 2;

    #[inline(always)]
    fn one(field: Field52) -> Self {
        Self(One(field.one), One([field.simd.avx512f._mm512_setzero_si512(); 5]))
    }

    #[inline(always)]
    fn load(field: Field52, words: &[__m512i]) -> Self {
        Self(One::load(field, &words[..4]), One::load(field, &words[4..]))
    }

    #[inline(always)]
    fn store(self, field: Field52, words: &mut [__m512i]) {
        self.0.store(field, &mut words[..4]);
        self.1.store(field, &mut words[4..]);
    }

    #[inline(always)]
    fn minus(self, field: Field52, other: Self) -> Self {
        Self(self.0.minus(field, other.0), self.1.minus(field, other.1))
    }

    #[inline(always)]
    fn times(self, field: Field52, other: Self) -> Self {
        // Karatsuba: three products.
        let real = self.0.times(field, other.0);
        let imaginary = self.1.times(field, other.1);
        let left = One(field.plus(self.0.0, self.1.0));
        let right = One(field.plus(other.0.0, other.1.0));
        let cross = left.times(field, right).less_both(field, real, imaginary);
        Self(real.less(field, imaginary), cross)
    }

    #[inline(always)]
    fn square(self, field: Field52) -> Self {
        // (a + b)(a − b) and 2ab; squares are of reduced elements only.
        let real = One(field.plus(self.0.0, self.1.0)).times(field, self.0.minus(field, self.1));
        let double = One(field.plus(self.0.0, self.0.0));
        Self(real, double.times(field, self.1))
    }

    #[inline(always)]
    fn less(self, field: Field52, other: Self) -> Self {
        Self(self.0.less(field, other.0), self.1.less(field, other.1))
    }

    #[inline(always)]
    fn less_both(self, field: Field52, one: Self, other: Self) -> Self {
        Self(self.0.less_both(field, one.0, other.0), self.1.less_both(field, one.1, other.1))
    }

    #[inline(always)]
    fn negated(self, field: Field52, lanes: u8) -> Self {
        Self(self.0.negated(field, lanes), self.1.negated(field, lanes))
    }

    #[inline(always)]
    fn maybe_zero(self, field: Field52) -> u8 {
        self.0.maybe_zero(field) & self.1.maybe_zero(field)
    }

    #[inline(always)]
    fn select(field: Field52, lanes: u8, a: Self, b: Self) -> Self {
        Self(One::select(field, lanes, a.0, b.0), One::select(field, lanes, a.1, b.1))
    }

    fn element(words: &[u64]) -> Fq2 {
        Fq2::new(One::element(&words[..4]), One::element(&words[4..]))
    }

    fn words(element: Fq2, words: &mut [u64]) {
        One::words(element.c0, &mut words[..4]);
        One::words(element.c1, &mut words[4..]);
    }
}
