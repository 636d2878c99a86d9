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

use std::arch::x86_64::__m512i;
use std::marker::PhantomData;
use std::sync::LazyLock;

use ark_bn254::{Fq, Fq2, FqConfig, g1, g2};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInt, Field, Fp, MontBackend, MontConfig};
use pulp::NullaryFnOnce;
use pulp::bytemuck::{Zeroable, cast};

use crate::kernel::{Curve, Kernel, NEGATIVE, Portable, Sum, Task};

pulp::simd_type! {
    /// Proof that the processor has the instructions.
    pub struct Ifma {
        avx512f: "avx512f",
        avx512ifma: "avx512ifma",
    }
}

/// Pairs that share an inversion: their points, denominators and products stay in the L2 cache.
const BATCH: usize = 2048;
pub(crate) const LANES: usize = 8;
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

static BASE: LazyLock<Modulus> = LazyLock::new(Modulus::of::<FqConfig>);

/// Constants in every lane.
#[derive(Clone, Copy)]
pub(crate) struct Field52 {
    simd: Ifma,
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
trait Lanes: Copy {
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
struct One(Limbs);

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
struct Two(One, One);

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

/// A point of `ROWS` rows: in G1 x and y in one row, in G2 a row each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Packed<const ROWS: usize>([[u64; LANES]; ROWS]);

/// The kernel of a curve.
#[derive(Debug)]
pub struct Vector<P>(Ifma, PhantomData<P>);

impl<P> Clone for Vector<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Vector<P> {}

impl<P> Vector<P> {
    /// The kernel, if the processor has the instructions.
    pub fn try_new() -> Option<Self> {
        Ifma::try_new().map(|simd| Self(simd, PhantomData))
    }
}

/// What the first pass leaves for the second: a denominator and the product of those before it.
struct Step<L> {
    denominator: L,
    prefix: L,
    /// Lanes that are no ordinary addition.
    special: u8,
}

/// A batch of additions.
struct Addition<'a, P, L, const ROWS: usize> {
    kernel: Vector<P>,
    base: &'a [Packed<ROWS>],
    work: &'a mut [Packed<ROWS>],
    sums: &'a [Sum],
    lanes: PhantomData<L>,
}

impl<P, L, const ROWS: usize> Addition<'_, P, L, ROWS>
where
    P: SWCurveConfig<BaseField = L::Element>,
    L: Lanes,
{
    #[inline(always)]
    fn operand(&self, operand: u32) -> &Packed<ROWS> {
        let index = (operand & !NEGATIVE) as usize;
        let base = self.base.len();
        if index < base { &self.base[index] } else { &self.work[index - base] }
    }

    /// Coordinates of the left or right operands of up to eight sums, and the lanes with the
    /// identity. Lanes without a sum repeat the first.
    #[inline(always)]
    fn gather(&self, field: Field52, operands: [u32; LANES]) -> (L, L, u8) {
        let f = field.simd.avx512f;
        let mut columns: [[__m512i; LANES]; ROWS] = [[__m512i::zeroed(); LANES]; ROWS];
        let mut negative = 0u8;
        for (lane, &operand) in operands.iter().enumerate() {
            negative |= ((operand >> 31) as u8) << lane;
            let point = self.operand(operand);
            for (columns, row) in columns.iter_mut().zip(&point.0) {
                columns[lane] = cast(*row);
            }
        }
        let mut any = f._mm512_setzero_si512();
        for columns in &mut columns {
            *columns = field.transpose(*columns);
            any = columns.iter().fold(any, |any, &word| f._mm512_or_si512(any, word));
        }
        let identity = !f._mm512_test_epi64_mask(any, any);
        let (x, y) = if ROWS == 1 {
            (L::load(field, &columns[0][..4]), L::load(field, &columns[0][4..]))
        } else {
            (L::load(field, &columns[0]), L::load(field, &columns[ROWS - 1]))
        };
        let y = if negative == 0 { y } else { y.negated(field, negative) };
        (x, y, identity)
    }

    /// Scatters the sums of the lanes which are ordinary.
    #[inline(always)]
    fn scatter(&mut self, field: Field52, sums: &[Sum], special: u8, (x, y): (L, L)) {
        let mut columns: [[__m512i; LANES]; ROWS] = [[__m512i::zeroed(); LANES]; ROWS];
        if ROWS == 1 {
            x.store(field, &mut columns[0][..4]);
            y.store(field, &mut columns[0][4..]);
        } else {
            x.store(field, &mut columns[0]);
            y.store(field, &mut columns[ROWS - 1]);
        }
        for columns in &mut columns {
            *columns = field.transpose(*columns);
        }
        for (lane, sum) in sums.iter().enumerate() {
            if special >> lane & 1 == 0 {
                let point = &mut self.work[sum.target as usize];
                for (row, columns) in point.0.iter_mut().zip(&columns) {
                    *row = cast(columns[lane]);
                }
            }
        }
    }

    #[inline(always)]
    fn operands(sums: &[Sum]) -> ([u32; LANES], [u32; LANES]) {
        let (mut left, mut right) = ([sums[0].left; LANES], [sums[0].right; LANES]);
        for (lane, sum) in sums.iter().enumerate() {
            left[lane] = sum.left;
            right[lane] = sum.right;
        }
        (left, right)
    }

    /// A sum with the identity, of equal or opposite points, or one that only looked like that.
    #[inline(never)]
    fn special(&self, sum: &Sum) -> Packed<ROWS> {
        let point = |operand: u32| {
            let point = read::<P, L, ROWS>(self.operand(operand));
            if operand & NEGATIVE == 0 { point } else { -point }
        };
        let zero = [[0; LANES]; ROWS];
        for (one, other) in [(sum.left, sum.right), (sum.right, sum.left)] {
            if self.operand(one).0 == zero && other & NEGATIVE == 0 {
                return *self.operand(other);
            }
        }
        let (left, right) = (point(sum.left), point(sum.right));
        written::<P, L, ROWS>(&(Projective::from(left) + right).into_affine())
    }

    /// Products of denominators, lane by lane.
    #[inline(always)]
    fn forward(
        &self,
        field: Field52,
        sums: &[Sum],
        steps: &mut Vec<Step<L>>,
        specials: &mut Vec<(u32, Packed<ROWS>)>,
    ) -> L {
        let mut product = L::one(field);
        for group in sums.chunks(LANES) {
            let (left, right) = Self::operands(group);
            let (left_x, _, left_identity) = self.gather(field, left);
            let (right_x, _, right_identity) = self.gather(field, right);
            let mut denominator = right_x.minus(field, left_x);
            let special = left_identity | right_identity | denominator.maybe_zero(field);
            if special != 0 {
                denominator = L::select(field, special, denominator, L::one(field));
                for (lane, sum) in group.iter().enumerate() {
                    if special >> lane & 1 == 1 {
                        specials.push((sum.target, self.special(sum)));
                    }
                }
            }
            steps.push(Step { denominator, prefix: product, special });
            product = denominator.times(field, product);
        }
        product
    }

    /// Eight inverses for one field inversion.
    #[inline(never)]
    fn inverted(field: Field52, product: L) -> L {
        let width = 4 * L::ROWS;
        let mut columns: [__m512i; LANES] = [__m512i::zeroed(); LANES];
        product.store(field, &mut columns);
        let mut words: [[u64; LANES]; LANES] = columns.map(cast);
        let element = |lane: usize| {
            let words: [u64; LANES] = std::array::from_fn(|k| words[k][lane]);
            L::element(&words[..width])
        };
        let mut elements: [L::Element; LANES] = std::array::from_fn(element);
        ark_ff::batch_inversion(&mut elements);
        for (lane, &element) in elements.iter().enumerate() {
            let mut inverse = [0u64; LANES];
            L::words(element, &mut inverse[..width]);
            for (words, word) in words.iter_mut().zip(inverse) {
                words[lane] = word;
            }
        }
        let columns: [__m512i; LANES] = words.map(cast);
        L::load(field, &columns)
    }

    /// Slopes and sums, last group first.
    #[inline(always)]
    fn backward(&mut self, field: Field52, sums: &[Sum], steps: &mut Vec<Step<L>>, product: L) {
        let mut inverse = product;
        for group in sums.chunks(LANES).rev() {
            let step = steps.pop().expect("a step for each group");
            let (left, right) = Self::operands(group);
            let (left_x, left_y, _) = self.gather(field, left);
            let (right_x, right_y, _) = self.gather(field, right);
            let own = inverse.times(field, step.prefix);
            inverse = step.denominator.times(field, inverse);
            let slope = right_y.minus(field, left_y).times(field, own);
            let x = slope.square(field).less_both(field, left_x, right_x);
            let y = left_x.minus(field, x).times(field, slope).less(field, left_y);
            self.scatter(field, group, step.special, (x, y));
        }
    }
}

impl<P, L, const ROWS: usize> NullaryFnOnce for Addition<'_, P, L, ROWS>
where
    P: SWCurveConfig<BaseField = L::Element>,
    L: Lanes,
{
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        let field = Field52::new(self.kernel.0, &BASE);
        let mut steps = Vec::with_capacity(BATCH.min(self.sums.len()).div_ceil(LANES));
        let mut specials = Vec::new();
        for sums in self.sums.chunks(BATCH) {
            let product = self.forward(field, sums, &mut steps, &mut specials);
            let inverse = Self::inverted(field, product);
            self.backward(field, sums, &mut steps, inverse);
            for (target, point) in specials.drain(..) {
                self.work[target as usize] = point;
            }
        }
    }
}

/// The point of packed words.
fn read<P, L, const ROWS: usize>(point: &Packed<ROWS>) -> Affine<P>
where
    P: SWCurveConfig<BaseField = L::Element>,
    L: Lanes,
{
    let words = point.0.as_flattened();
    if words.iter().all(|&word| word == 0) {
        return Affine::identity();
    }
    let (x, y) = words.split_at(4 * ROWS);
    Affine::new_unchecked(L::element(x), L::element(y))
}

/// The packed words of a point.
fn written<P, L, const ROWS: usize>(point: &Affine<P>) -> Packed<ROWS>
where
    P: SWCurveConfig<BaseField = L::Element>,
    L: Lanes,
{
    let mut packed = Packed([[0; LANES]; ROWS]);
    if let Some((x, y)) = point.xy() {
        let (x_words, y_words) = packed.0.as_flattened_mut().split_at_mut(4 * ROWS);
        L::words(x, x_words);
        L::words(y, y_words);
    }
    packed
}

macro_rules! kernel {
    ($config:ty, $lanes:ty, $rows:literal) => {
        impl Kernel for Vector<$config> {
            type Config = $config;
            type Point = Packed<$rows>;

            fn identity(self) -> Self::Point {
                Packed([[0; LANES]; $rows])
            }

            fn pack(self, point: &Affine<$config>) -> Self::Point {
                written::<_, $lanes, $rows>(point)
            }

            fn unpack(self, point: &Self::Point) -> Affine<$config> {
                read::<_, $lanes, $rows>(point)
            }

            fn add(self, base: &[Self::Point], work: &mut [Self::Point], sums: &[Sum]) {
                let lanes = PhantomData::<$lanes>;
                self.0.vectorize(Addition { kernel: self, base, work, sums, lanes });
            }
        }

        impl Curve for $config {
            fn with_kernel<T: Task<Self>>(task: T) -> T::Output {
                match Vector::<$config>::try_new() {
                    Some(kernel) => task.run(kernel),
                    None => task.run(Portable::default()),
                }
            }
        }
    };
}

kernel!(g1::Config, One, 1);
kernel!(g2::Config, Two, 2);
