//! Multi-scalar multiplication for G1 and G2: buckets over signed digits, all bucket additions affine in
//! batches, zeros dropped and ±1 taken out before.
//!
//! Scalars are first replaced by the smaller of `s` and `r − s` with a sign, so that negative amounts are as
//! short as positive ones; short ones are then multiplied apart from wide ones with few windows.

use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use rayon::prelude::*;

use crate::kernel::{Curve, Kernel, NEGATIVE, Sum, Task, sum_groups};

/// Magnitudes below `2^SHORT_BITS` are multiplied with the windows they need only.
const SHORT_BITS: u32 = 64;
/// Magnitudes are at most `(r − 1)/2 < 2^253`.
const WIDE_BITS: u32 = 253;
/// Terms in one bucket pass; bounds the work area to 64 MB in G1 for each thread.
const CHUNK: usize = 1 << 20;
/// Points added up at once where all scalars are one.
const ONES_CHUNK: usize = 1 << 14;

/// A scalar `±magnitude` at the entry of a point.
#[derive(Clone, Copy, Debug)]
struct Term {
    magnitude: [u64; 4],
    entry: u32,
}

/// Scalars by size, ready to be multiplied with points.
#[derive(Clone, Debug, Default)]
pub struct Scalars {
    ones: Vec<u32>,
    short: Vec<Term>,
    wide: Vec<Term>,
}

/// How many scalars of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Plus or minus one: one addition each.
    pub ones: usize,
    /// Magnitude below 2^64.
    pub short: usize,
    /// All others but zeros.
    pub wide: usize,
}

impl Scalars {
    /// Sorts scalars by size; scalar `k` of the iterator belongs to point `k`.
    ///
    /// # Panics
    /// If there are `2^31` scalars or more.
    pub fn new<F>(scalars: impl IndexedParallelIterator<Item = F>) -> Self
    where
        F: PrimeField<BigInt = BigInt<4>>,
    {
        assert!(scalars.len() < NEGATIVE as usize, "fewer than 2^31 points");
        let fold = |mut sorted: Self, (index, scalar): (usize, F)| {
            sorted.push(index as u32, scalar);
            sorted
        };
        let merge = |mut left: Self, right: Self| {
            left.ones.extend(right.ones);
            left.short.extend(right.short);
            left.wide.extend(right.wide);
            left
        };
        scalars.enumerate().fold(Self::default, fold).reduce(Self::default, merge)
    }

    fn push<F: PrimeField<BigInt = BigInt<4>>>(&mut self, index: u32, scalar: F) {
        if scalar.is_zero() {
            return;
        }
        let plain = scalar.into_bigint();
        let (magnitude, entry) = if plain > F::MODULUS_MINUS_ONE_DIV_TWO {
            ((-scalar).into_bigint(), index | NEGATIVE)
        } else {
            (plain, index)
        };
        match magnitude.num_bits() {
            1 => self.ones.push(entry),
            2..=SHORT_BITS => self.short.push(Term { magnitude: magnitude.0, entry }),
            _ => self.wide.push(Term { magnitude: magnitude.0, entry }),
        }
    }

    /// How many of each kind there are.
    pub fn census(&self) -> Census {
        Census { ones: self.ones.len(), short: self.short.len(), wide: self.wide.len() }
    }

    /// `Σ scalars[k]·points[k]`.
    ///
    /// # Panics
    /// If there is a scalar without a point.
    pub fn multiply<P: Curve>(self, points: &[Affine<P>]) -> Projective<P> {
        P::with_kernel(Multiplication { scalars: self, points })
    }

    /// [`Scalars::multiply`] with a kernel of choice.
    pub fn multiply_with<K: Kernel>(
        self,
        kernel: K,
        points: &[Affine<K::Config>],
    ) -> Projective<K::Config> {
        let Self { ones, short, wide } = self;
        let ones = || sum(kernel, points, &ones);
        let short = || multiply_terms(kernel, points, short, SHORT_BITS);
        let wide = || multiply_terms(kernel, points, wide, WIDE_BITS);
        let (wide, (ones, short)) = rayon::join(wide, || rayon::join(ones, short));
        ones + short + wide
    }
}

/// A multiplication that waits for a kernel.
struct Multiplication<'a, P: Curve> {
    scalars: Scalars,
    points: &'a [Affine<P>],
}

impl<P: Curve> Task<P> for Multiplication<'_, P> {
    type Output = Projective<P>;

    fn run<K: Kernel<Config = P>>(self, kernel: K) -> Projective<P> {
        self.scalars.multiply_with(kernel, self.points)
    }
}

/// `Σ scalars[k]·points[k]`.
///
/// # Panics
/// If there are more scalars than points.
pub fn msm<P: Curve>(points: &[Affine<P>], scalars: &[P::ScalarField]) -> Projective<P> {
    Scalars::new(scalars.par_iter().copied()).multiply(points)
}

/// An entry's point, with its sign, in the kernel's form.
fn pack<K: Kernel>(kernel: K, points: &[Affine<K::Config>], entry: u32) -> K::Point {
    let point = points[(entry & !NEGATIVE) as usize];
    kernel.pack(&if entry & NEGATIVE == 0 { point } else { -point })
}

/// The sum of the entries' points.
fn sum<K: Kernel>(
    kernel: K,
    points: &[Affine<K::Config>],
    entries: &[u32],
) -> Projective<K::Config> {
    let add = |chunk: &[u32]| {
        let packed: Vec<_> = chunk.iter().map(|&entry| pack(kernel, points, entry)).collect();
        let all: Vec<u32> = (0..chunk.len() as u32).collect();
        let sum = sum_groups(kernel, &packed, &all, &[0, chunk.len()])[0];
        Projective::from(kernel.unpack(&sum))
    };
    entries.par_chunks(ONES_CHUNK).map(add).reduce(Projective::default, |left, right| left + right)
}

/// Width of a digit for `count` terms of `bits` bits; measured, see `docs/performance.md`.
fn digit_bits(count: usize, bits: u32) -> u32 {
    let wide = match count {
        0..32 => 4,
        32..128 => 5,
        128..512 => 7,
        512..2048 => 8,
        2048..8192 => 10,
        8192..32768 => 11,
        32768..131_072 => 13,
        131_072..1_048_576 => 14,
        1_048_576.. => 16,
    };
    wide.min(bits + 1)
}

/// `Σ ±magnitude·point` for magnitudes below `2^bits`.
fn multiply_terms<K: Kernel>(
    kernel: K,
    points: &[Affine<K::Config>],
    mut terms: Vec<Term>,
    bits: u32,
) -> Projective<K::Config> {
    let width = digit_bits(terms.len(), bits);
    let windows = (bits + 1).div_ceil(width);
    // Adding 2^(width−1) in each window but the last makes the digits, less that offset, signed and
    // independent of each other: no carry runs through them.
    let mut offset = [0; 4];
    for window in 0..windows - 1 {
        let bit = window * width + width - 1;
        offset[(bit / 64) as usize] |= 1 << (bit % 64);
    }
    let offset = BigInt(offset);
    terms.par_iter_mut().for_each(|term| {
        let mut shifted = BigInt(term.magnitude);
        let carry = shifted.add_with_carry(&offset);
        debug_assert!(!carry, "the offset stays below 2^254");
        term.magnitude = shifted.0;
    });
    // One pass over the windows for each chunk, whose points are packed once.
    let mut total = Projective::default();
    for chunk in terms.chunks(CHUNK) {
        let packed: Vec<K::Point> =
            chunk.par_iter().map(|term| pack(kernel, points, term.entry)).collect();
        let parts = rayon::current_num_threads().div_ceil(windows as usize);
        let part = chunk.len().div_ceil(parts).max(1 << 10);
        let tasks: Vec<(u32, usize)> = (0..windows)
            .rev()
            .flat_map(|window| (0..chunk.len()).step_by(part).map(move |first| (window, first)))
            .collect();
        let sums: Vec<Projective<K::Config>> = tasks
            .par_iter()
            .with_max_len(1)
            .map(|&(window, first)| {
                let range = first..chunk.len().min(first + part);
                let (packed, terms) = (&packed[range.clone()], &chunk[range]);
                window_sum(kernel, packed, terms, window, (width, windows))
            })
            .collect();
        let mut sum = Projective::default();
        for parts in sums.chunks(chunk.len().div_ceil(part)) {
            for _ in 0..width {
                sum.double_in_place();
            }
            sum += parts.iter().sum::<Projective<K::Config>>();
        }
        total += sum;
    }
    total
}

/// The signed digit of a shifted magnitude: bucket (0 for the digit zero) and sign.
#[inline]
fn digit(magnitude: &[u64; 4], window: u32, (width, windows): (u32, u32)) -> (u32, u32) {
    let bit = window * width;
    let (word, shift) = ((bit / 64) as usize, bit % 64);
    let mut value = magnitude[word] >> shift;
    if shift + width > 64 && word < 3 {
        value |= magnitude[word + 1] << (64 - shift);
    }
    let value = (value & ((1 << width) - 1)) as u32;
    if window + 1 == windows {
        return (value, 0);
    }
    let half = 1 << (width - 1);
    if value >= half { (value - half, 0) } else { (half - value, NEGATIVE) }
}

/// `Σ digit·point` of one window; the points already have the signs of their scalars.
fn window_sum<K: Kernel>(
    kernel: K,
    points: &[K::Point],
    terms: &[Term],
    window: u32,
    shape: (u32, u32),
) -> Projective<K::Config> {
    let buckets = 1usize << (shape.0 - 1);
    // Counting sort of the points by bucket; the digit zero is counted and then left out.
    let mut starts = vec![0usize; buckets + 2];
    for term in terms {
        starts[digit(&term.magnitude, window, shape).0 as usize + 1] += 1;
    }
    starts[1] = 0;
    for bucket in 1..=buckets + 1 {
        starts[bucket] += starts[bucket - 1];
    }
    let mut entries = vec![0u32; starts[buckets + 1]];
    for (index, term) in terms.iter().enumerate() {
        let (bucket, sign) = digit(&term.magnitude, window, shape);
        if bucket != 0 {
            let place = &mut starts[bucket as usize];
            entries[*place] = index as u32 | sign;
            *place += 1;
        }
    }
    // Filling moved the start of each bucket to its end, which is the start of the next.
    starts.truncate(buckets + 1);
    weighted_sum(kernel, sum_groups(kernel, points, &entries, &starts))
}

/// `Σ (k + 1)·sums[k]`, cut into segments whose running sums advance side by side in one batch.
fn weighted_sum<K: Kernel>(kernel: K, sums: Vec<K::Point>) -> Projective<K::Config> {
    let buckets = sums.len();
    let segments = (buckets / 8).clamp(1, 256);
    let length = buckets / segments;
    debug_assert_eq!(segments * length, buckets, "the number of buckets is a power of two");
    // The work area: bucket sums, then for each segment its running sum, then the total of running sums.
    let mut work = sums;
    work.resize(buckets + 2 * segments, kernel.identity());
    let mut additions = Vec::with_capacity(segments);
    let mut add = |work: &mut [K::Point], left: usize, right: &dyn Fn(usize) -> usize| {
        additions.clear();
        additions.extend((0..segments).map(|segment| {
            let own = (left + segment) as u32;
            Sum { left: own, right: right(segment) as u32, target: own }
        }));
        kernel.add(&[], work, &additions);
    };
    for step in (0..length).rev() {
        add(&mut work, buckets, &|segment| segment * length + step);
        add(&mut work, buckets + segments, &|segment| buckets + segment);
    }
    // Bucket k of segment s weighs s·length + (k + 1).
    let point = |index: usize| kernel.unpack(&work[index]);
    let (mut suffix, mut heads) = (Projective::default(), Projective::default());
    for segment in (1..segments).rev() {
        suffix += point(buckets + segment);
        heads += suffix;
    }
    for _ in 0..length.trailing_zeros() {
        heads.double_in_place();
    }
    (0..segments).fold(heads, |sum, segment| sum + point(buckets + segments + segment))
}
