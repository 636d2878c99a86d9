//! Multi-scalar multiplication for G1 and G2: buckets over signed digits, all bucket additions affine in
//! batches, zeros dropped and ±1 taken out before.
//!
//! Scalars are first replaced by the smaller of `s` and `r − s` with a sign, so that negative amounts are as
//! short as positive ones; short ones are then multiplied apart from wide ones with few windows.

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use rayon::prelude::*;

use crate::affine::{BatchAdder, NEGATIVE, sum_groups};

/// Magnitudes below `2^SHORT_BITS` are multiplied with the windows they need only.
const SHORT_BITS: u32 = 64;
/// Magnitudes are at most `(r − 1)/2 < 2^253`.
const WIDE_BITS: u32 = 253;
/// Terms in one bucket pass; bounds the work area to 64 MB in G1 for each thread.
const CHUNK: usize = 1 << 21;

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
    pub fn multiply<P: SWCurveConfig>(self, points: &[Affine<P>]) -> Projective<P> {
        let Self { ones, short, wide } = self;
        let small = || sum(points, &ones) + multiply_terms(points, short, SHORT_BITS);
        let (small, wide) = rayon::join(small, || multiply_terms(points, wide, WIDE_BITS));
        small + wide
    }
}

/// `Σ scalars[k]·points[k]`.
///
/// # Panics
/// If there are more scalars than points.
pub fn msm<P>(points: &[Affine<P>], scalars: &[P::ScalarField]) -> Projective<P>
where
    P: SWCurveConfig,
    P::ScalarField: PrimeField<BigInt = BigInt<4>>,
{
    Scalars::new(scalars.par_iter().copied()).multiply(points)
}

/// The sum of the entries' points.
fn sum<P: SWCurveConfig>(points: &[Affine<P>], entries: &[u32]) -> Projective<P> {
    entries
        .par_chunks(1 << 15)
        .map(|chunk| Projective::from(sum_groups(points, chunk, &[0, chunk.len()])[0]))
        .reduce(Projective::default, |left, right| left + right)
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
fn multiply_terms<P: SWCurveConfig>(
    points: &[Affine<P>],
    mut terms: Vec<Term>,
    bits: u32,
) -> Projective<P> {
    if terms.is_empty() {
        return Projective::default();
    }
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
    let spread = rayon::current_num_threads().div_ceil(windows as usize);
    let chunk = terms.len().div_ceil(spread).clamp(1 << 10, CHUNK);
    let tasks: Vec<(u32, &[Term])> =
        (0..windows).flat_map(|w| terms.chunks(chunk).map(move |part| (w, part))).collect();
    let sums: Vec<Projective<P>> = tasks
        .par_iter()
        .with_max_len(1)
        .map(|&(window, part)| window_sum(points, part, window, (width, windows)))
        .collect();
    let mut total = Projective::default();
    for parts in sums.chunks(terms.len().div_ceil(chunk)).rev() {
        for _ in 0..width {
            total.double_in_place();
        }
        total += parts.iter().sum::<Projective<P>>();
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

/// `Σ digit·point` of one window.
fn window_sum<P: SWCurveConfig>(
    points: &[Affine<P>],
    terms: &[Term],
    window: u32,
    shape: (u32, u32),
) -> Projective<P> {
    let buckets = 1usize << (shape.0 - 1);
    // Counting sort of the entries by bucket; the digit zero is counted and then left out.
    let mut starts = vec![0usize; buckets + 2];
    for term in terms {
        starts[digit(&term.magnitude, window, shape).0 as usize + 1] += 1;
    }
    starts[1] = 0;
    for bucket in 1..=buckets + 1 {
        starts[bucket] += starts[bucket - 1];
    }
    let mut entries = vec![0u32; starts[buckets + 1]];
    for term in terms {
        let (bucket, sign) = digit(&term.magnitude, window, shape);
        if bucket != 0 {
            let place = &mut starts[bucket as usize];
            entries[*place] = term.entry ^ sign;
            *place += 1;
        }
    }
    // Filling moved the start of each bucket to its end, which is the start of the next.
    starts.truncate(buckets + 1);
    weighted_sum(&sum_groups(points, &entries, &starts))
}

/// `Σ (k + 1)·sums[k]`, cut into segments whose running sums advance side by side in one batch.
fn weighted_sum<P: SWCurveConfig>(sums: &[Affine<P>]) -> Projective<P> {
    let segments = (sums.len() / 8).clamp(1, 256);
    let length = sums.len() / segments;
    debug_assert_eq!(segments * length, sums.len(), "the number of buckets is a power of two");
    let mut running = vec![Affine::identity(); segments];
    let mut totals = vec![Affine::identity(); segments];
    let mut adder = BatchAdder::default();
    for step in (0..length).rev() {
        for (segment, sums) in sums.chunks(length).enumerate() {
            adder.add(running[segment], sums[step], segment, &mut running);
        }
        adder.flush(&mut running);
        for segment in 0..segments {
            adder.add(totals[segment], running[segment], segment, &mut totals);
        }
        adder.flush(&mut totals);
    }
    // Bucket k of segment s weighs s·length + (k + 1).
    let (mut suffix, mut heads) = (Projective::default(), Projective::default());
    for head in running.iter().skip(1).rev() {
        suffix += head;
        heads += suffix;
    }
    for _ in 0..length.trailing_zeros() {
        heads.double_in_place();
    }
    heads + totals.iter().copied().map(Projective::from).sum::<Projective<P>>()
}
