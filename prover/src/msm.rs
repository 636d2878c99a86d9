//! Multi-scalar multiplication for G1 and G2: buckets over signed digits, all bucket additions
//! affine in batches, zeros dropped and ±1 taken out before.
//!
//! Scalars are first replaced by the smaller of `s` and `r − s` with a sign, so that negative
//! amounts are as short as positive ones; short ones are then multiplied apart from wide ones with
//! few windows.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use rayon::prelude::*;

use crate::kernel::{Curve, Kernel, NEGATIVE, Sum, Task, Workspace};

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
        let count = scalars.len();
        let fold = |mut sorted: Self, (index, scalar): (usize, F)| {
            sorted.push(index as u32, scalar);
            sorted
        };
        let parts: Vec<Self> = scalars
            .enumerate()
            .with_min_len(count.div_ceil(4 * rayon::current_num_threads()))
            .fold(Self::default, fold)
            .collect();
        let mut all = Self {
            ones: Vec::with_capacity(parts.iter().map(|part| part.ones.len()).sum()),
            short: Vec::with_capacity(parts.iter().map(|part| part.short.len()).sum()),
            wide: Vec::with_capacity(parts.iter().map(|part| part.wide.len()).sum()),
        };
        for part in parts {
            all.ones.extend(part.ones);
            all.short.extend(part.short);
            all.wide.extend(part.wide);
        }
        all
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
        let mut workspace = Workspace::default();
        let sums = workspace.sum_groups(kernel, &packed, &all, &[0, chunk.len()]);
        Projective::from(kernel.unpack(&sums[0]))
    };
    entries.par_chunks(ONES_CHUNK).map(add).reduce(Projective::default, |left, right| left + right)
}

/// Width of a digit for `count` terms of `bits` bits; measured, see `docs/performance.md`.
fn digit_bits(count: usize, bits: u32) -> u32 {
    let wide = match count {
        0..64 => 5,
        64..512 => 7,
        512..4096 => 8,
        4096..32_768 => 10,
        32_768..131_072 => 12,
        131_072..524_288 => 14,
        524_288.. => 15,
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
    let mut packed = Vec::new();
    let mut scratches: Vec<Scratch<K::Point>> = Vec::new();
    scratches.resize_with(rayon::current_num_threads(), Scratch::default);
    for chunk in terms.chunks(CHUNK) {
        let pack = |term: &Term| pack(kernel, points, term.entry);
        chunk.par_iter().map(pack).collect_into_vec(&mut packed);
        let windows = Windows { kernel, points: &packed, width, windows, terms: chunk };
        total += windows.sum(&mut scratches);
    }
    total
}

/// The terms of a chunk: magnitudes shifted by the offset, points in the kernel's form with their
/// scalar's sign.
struct Windows<'a, K: Kernel> {
    kernel: K,
    points: &'a [K::Point],
    terms: &'a [Term],
    width: u32,
    windows: u32,
}

/// Memory of a thread that works on windows.
struct Scratch<T> {
    digits: Vec<u16>,
    starts: Vec<usize>,
    entries: Vec<u32>,
    additions: Vec<Sum>,
    workspace: Workspace<T>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self {
            digits: Vec::new(),
            starts: Vec::new(),
            entries: Vec::new(),
            additions: Vec::new(),
            workspace: Workspace::default(),
        }
    }
}

impl<K: Kernel> Windows<'_, K> {
    /// All windows together. Threads draw windows, and parts of windows if there are more threads,
    /// from one queue and keep their memory from one to the next.
    fn sum(&self, scratches: &mut [Scratch<K::Point>]) -> Projective<K::Config> {
        let count = self.terms.len();
        let threads = scratches.len();
        let part = count.div_ceil(threads.div_ceil(self.windows as usize)).max(1 << 10);
        let parts = count.div_ceil(part);
        let tasks = self.windows as usize * parts;
        let next = AtomicUsize::new(0);
        let work = |scratch: &mut Scratch<K::Point>| {
            let mut sums = Vec::new();
            loop {
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= tasks {
                    return sums;
                }
                let first = task % parts * part;
                let range = first..count.min(first + part);
                sums.push((task, self.window_sum((task / parts) as u32, range, scratch)));
            }
        };
        let mut sums: Vec<_> =
            scratches.par_iter_mut().with_max_len(1).flat_map_iter(work).collect();
        sums.sort_unstable_by_key(|&(task, _)| task);
        let mut total = Projective::default();
        for parts in sums.chunks(parts).rev() {
            for _ in 0..self.width {
                total.double_in_place();
            }
            total += parts.iter().map(|&(_, sum)| sum).sum::<Projective<K::Config>>();
        }
        total
    }

    /// `Σ digit·point` of one window over a range of terms.
    fn window_sum(
        &self,
        window: u32,
        range: Range<usize>,
        scratch: &mut Scratch<K::Point>,
    ) -> Projective<K::Config> {
        let points = &self.points[range.clone()];
        let buckets = self.sort(window, &self.terms[range], scratch);
        let Scratch { starts, entries, additions, workspace, .. } = scratch;
        let sums = workspace.sum_groups(self.kernel, points, entries, starts);
        weighted_sum(self.kernel, sums, buckets, additions)
    }

    /// Counting sort of the terms by bucket; the digit zero is counted and then left out. Returns
    /// the number of buckets.
    fn sort(&self, window: u32, terms: &[Term], scratch: &mut Scratch<K::Point>) -> usize {
        let Scratch { digits, starts, entries, .. } = scratch;
        let buckets = 1usize << (self.width - 1);
        let offset = if window + 1 == self.windows { 0 } else { buckets as u32 };
        let bit = window * self.width;
        let (word, shift, mask) = ((bit / 64) as usize, bit % 64, (1u64 << self.width) - 1);
        digits.clear();
        if shift + self.width <= 64 || word == 3 {
            let digit = |term: &Term| (term.magnitude[word] >> shift & mask) as u16;
            digits.extend(terms.iter().map(digit));
        } else {
            let high = 64 - shift;
            digits.extend(terms.iter().map(|term| {
                let [low, high] = [term.magnitude[word] >> shift, term.magnitude[word + 1] << high];
                ((low | high) & mask) as u16
            }));
        }
        starts.clear();
        starts.resize(buckets + 2, 0);
        for &digit in &*digits {
            starts[u32::from(digit).abs_diff(offset) as usize + 1] += 1;
        }
        starts[1] = 0;
        for bucket in 1..=buckets + 1 {
            starts[bucket] += starts[bucket - 1];
        }
        entries.clear();
        entries.resize(starts[buckets + 1], 0);
        for (index, &digit) in digits.iter().enumerate() {
            let digit = u32::from(digit);
            if digit != offset {
                let sign = if digit < offset { NEGATIVE } else { 0 };
                let place = &mut starts[digit.abs_diff(offset) as usize];
                entries[*place] = index as u32 | sign;
                *place += 1;
            }
        }
        // Filling moved the start of each bucket to its end, which is the start of the next.
        starts.truncate(buckets + 1);
        buckets
    }
}

/// `Σ (k + 1)·work[k]` over the buckets, cut into segments whose running sums advance side by side
/// in one batch.
fn weighted_sum<K: Kernel>(
    kernel: K,
    work: &mut Vec<K::Point>,
    buckets: usize,
    additions: &mut Vec<Sum>,
) -> Projective<K::Config> {
    let segments = (buckets / 8).clamp(1, 512);
    let length = buckets / segments;
    debug_assert_eq!(segments * length, buckets, "the number of buckets is a power of two");
    // Behind the bucket sums: for each segment its running sum, twice, for steps write the one they
    // do not read; then the total of running sums.
    let (running, totals) = ([buckets, buckets + segments], buckets + 2 * segments);
    let size = work.len().max(totals + segments);
    work.resize(size, kernel.identity());
    work[buckets..totals + segments].fill(kernel.identity());
    for step in 0..=length {
        // The total takes the running sum of the step before, in the same batch.
        let (old, new) = (running[step % 2], running[1 - step % 2]);
        additions.clear();
        for segment in 0..segments {
            let left = (old + segment) as u32;
            if step < length {
                let right = (segment * length + length - 1 - step) as u32;
                additions.push(Sum { left, right, target: (new + segment) as u32 });
            }
            let total = (totals + segment) as u32;
            additions.push(Sum { left: total, right: left, target: total });
        }
        kernel.add(&[], work, additions);
    }
    // Bucket k of segment s weighs s·length + (k + 1).
    let point = |index: usize| kernel.unpack(&work[index]);
    let (mut suffix, mut heads) = (Projective::default(), Projective::default());
    for segment in (1..segments).rev() {
        suffix += point(running[length % 2] + segment);
        heads += suffix;
    }
    for _ in 0..length.trailing_zeros() {
        heads.double_in_place();
    }
    (0..segments).fold(heads, |sum, segment| sum + point(totals + segment))
}
