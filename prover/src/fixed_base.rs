//! Many multiples of one point, for key generation: a table of window multiples and batched affine additions.

use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use rayon::prelude::*;

use crate::affine::BatchAdder;

/// Digits have this many bits; the table of G1 is then 6 MB, near the size of a core's share of the cache.
const WIDTH: u32 = 13;
/// Scalars have at most 254 bits, and a signed digit may carry one further.
const WINDOWS: u32 = 255u32.div_ceil(WIDTH);
/// Multiples of one window: digits 1 to 2^(WIDTH − 1).
const DIGITS: usize = 1 << (WIDTH - 1);
/// Scalars multiplied side by side by one task.
const BATCH: usize = 2048;

/// The multiples `d·2^(WIDTH·w)` of a point for all windows `w` and digits `d`.
pub struct Table<P: SWCurveConfig> {
    multiples: Vec<Affine<P>>,
}

impl<P: SWCurveConfig> Table<P>
where
    P::ScalarField: PrimeField<BigInt = BigInt<4>>,
{
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
        let mut products = vec![Affine::identity(); scalars.len()];
        products
            .par_chunks_mut(BATCH)
            .zip(scalars.par_chunks(BATCH))
            .for_each(|(products, scalars)| self.multiply_batch(scalars, products));
        products
    }

    fn multiply_batch(&self, scalars: &[P::ScalarField], products: &mut [Affine<P>]) {
        let half = DIGITS as u64;
        let mut offset = [0u64; 4];
        for window in 0..WINDOWS - 1 {
            let bit = window * WIDTH + WIDTH - 1;
            offset[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        let shifted: Vec<[u64; 4]> = scalars
            .iter()
            .map(|scalar| {
                let mut value = scalar.into_bigint();
                value.add_with_carry(&BigInt(offset));
                value.0
            })
            .collect();
        let mut adder = BatchAdder::default();
        for (window, multiples) in self.multiples.chunks(DIGITS).enumerate() {
            let bit = window * WIDTH as usize;
            let (word, shift) = (bit / 64, bit % 64);
            let offset = if window + 1 == WINDOWS as usize { 0 } else { half };
            for (k, value) in shifted.iter().enumerate() {
                let mut digit = value[word] >> shift;
                if shift + WIDTH as usize > 64 && word < 3 {
                    digit |= value[word + 1] << (64 - shift);
                }
                digit &= 2 * half - 1;
                if digit > offset {
                    let multiple = multiples[(digit - offset) as usize - 1];
                    adder.add(products[k], multiple, k, products);
                } else if digit < offset {
                    let multiple = multiples[(offset - digit) as usize - 1];
                    adder.add(products[k], -multiple, k, products);
                }
            }
            adder.flush(products);
        }
    }
}
