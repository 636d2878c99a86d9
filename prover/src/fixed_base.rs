//! Many multiples of one point, for key generation: a table of window multiples and batched affine
//! additions.

use std::cmp::Ordering;

use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use rayon::prelude::*;

use crate::kernel::{Curve, Kernel, NEGATIVE, Sum, Task};

/// Digits have this many bits; the table of G1 is then 6 MB, near the size of a core's share of the
/// cache.
const WIDTH: u32 = 13;
/// Scalars have at most 254 bits, and a signed digit may carry one further.
const WINDOWS: u32 = 255u32.div_ceil(WIDTH);
/// Multiples of one window: digits 1 to 2^(WIDTH − 1).
const DIGITS: usize = 1 << (WIDTH - 1);
/// Scalars multiplied side by side by one task.
const BATCH: usize = 2048;

/// The multiples `d·2^(WIDTH·w)` of a point for all windows `w` and digits `d`.
pub struct Table<P: Curve> {
    multiples: Vec<Affine<P>>,
}

impl<P: Curve> Table<P> {
    /// The table of `base`.
    pub fn new(base: Affine<P>) -> Self {
        let mut bases = vec![Projective::from(base)];
        for _ in 1..WINDOWS {
            let mut next = bases[bases.len() - 1];
            for _ in 0..WIDTH {
                next.double_in_place();
            }
            bases.push(next);
        }
        let multiples = bases.par_iter().flat_map_iter(|&base| {
            let chain = std::iter::successors(Some(base), move |&point| Some(point + base));
            Projective::normalize_batch(&chain.take(DIGITS).collect::<Vec<_>>())
        });
        Self { multiples: multiples.collect() }
    }

    /// `scalars[k]·base` for every `k`, over all cores.
    pub fn multiply(&self, scalars: &[P::ScalarField]) -> Vec<Affine<P>> {
        P::with_kernel(Products { table: self, scalars })
    }
}

/// Multiplications that wait for a kernel.
struct Products<'a, P: Curve> {
    table: &'a Table<P>,
    scalars: &'a [P::ScalarField],
}

impl<P: Curve> Task<P> for Products<'_, P> {
    type Output = Vec<Affine<P>>;

    fn run<K: Kernel<Config = P>>(self, kernel: K) -> Vec<Affine<P>> {
        let multiples: Vec<K::Point> =
            self.table.multiples.par_iter().map(|point| kernel.pack(point)).collect();
        let products = self.scalars.par_chunks(BATCH).flat_map_iter(|scalars| {
            let products = multiply_batch(kernel, &multiples, scalars);
            products.into_iter().map(move |point| kernel.unpack(&point))
        });
        products.collect()
    }
}

fn multiply_batch<K: Kernel, F: PrimeField<BigInt = BigInt<4>>>(
    kernel: K,
    multiples: &[K::Point],
    scalars: &[F],
) -> Vec<K::Point> {
    let half = DIGITS as u64;
    let mut offset = [0u64; 4];
    for window in 0..WINDOWS - 1 {
        let bit = window * WIDTH + WIDTH - 1;
        offset[(bit / 64) as usize] |= 1 << (bit % 64);
    }
    let shift = |scalar: &F| {
        let mut value = scalar.into_bigint();
        value.add_with_carry(&BigInt(offset));
        value.0
    };
    let shifted: Vec<[u64; 4]> = scalars.iter().map(shift).collect();
    let mut products = vec![kernel.identity(); scalars.len()];
    let mut sums = Vec::with_capacity(scalars.len());
    for window in 0..WINDOWS as usize {
        let bit = window * WIDTH as usize;
        let (word, shift) = (bit / 64, bit % 64);
        let offset = if window + 1 == WINDOWS as usize { 0 } else { half };
        sums.clear();
        for (k, value) in shifted.iter().enumerate() {
            let mut digit = value[word] >> shift;
            if shift + WIDTH as usize > 64 && word < 3 {
                digit |= value[word + 1] << (64 - shift);
            }
            digit &= 2 * half - 1;
            let (multiple, sign) = match digit.cmp(&offset) {
                Ordering::Equal => continue,
                Ordering::Greater => (digit - offset, 0),
                Ordering::Less => (offset - digit, NEGATIVE),
            };
            let right = (window * DIGITS + multiple as usize - 1) as u32 | sign;
            sums.push(Sum { left: (multiples.len() + k) as u32, right, target: k as u32 });
        }
        kernel.add(multiples, &mut products, &sums);
    }
    products
}
