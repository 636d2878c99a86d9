//! Number-theoretic transforms over the scalar field, eight elements at a time, for the quotient.
//!
//! From the values of a polynomial on the domain to its values on the coset, in place and without a
//! permutation: a transform from natural to bit-reversed order with `ω^{-1}`, the coset's powers at
//! the reversed places, and the mirrored transform back with `ω`. In the first, the butterflies of
//! a group share one factor, a power of the root at the reversed group number, and a group is a
//! contiguous half of its parent: so groups recurse, each thread on its own, until one fits the
//! cache, and there the whole rest is done in one visit.
//!
//! An element is five limbs below `2r` in the form of [`crate::ifma`]; a block holds eight
//! neighbours, limb by limb.

use ark_bn254::{Fr, FrConfig};
use ark_ff::{Field, PrimeField};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use pulp::NullaryFnOnce;
use pulp::bytemuck::cast;
use rayon::prelude::*;

use crate::ifma::{Field52, Ifma, LANES, Limbs, Modulus, limbs_of, sixteenfold_of, words_of};

/// Blocks of a group that is transformed within the cache: 2^13 elements, 320 KB.
const LEAF: usize = 1 << 10;
/// Blocks that a thread takes at a time from a large group.
const STRIP: usize = 1 << 10;

/// Eight neighbours.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Block([[u64; LANES]; 5]);

/// An element which all lanes use.
type Factor = [u64; 5];

fn factor(element: Fr) -> Factor {
    limbs_of(words_of(element))
}

/// `f(k) = first·Π steps[s]` over the bits `s` of `k`, for `k` below `2^steps.len()`.
fn products(first: Fr, steps: &[Fr]) -> Vec<Fr> {
    let mut table = Vec::with_capacity(1 << steps.len());
    table.push(first);
    for step in steps {
        let upper: Vec<Fr> = table.par_iter().map(|entry| *entry * step).collect();
        table.extend(upper);
    }
    table
}

/// Tables of a domain and its coset.
struct Plan {
    simd: Ifma,
    modulus: Modulus,
    /// `ω^{-reversed(group)}`.
    forward: Vec<Factor>,
    /// `ω^{reversed(group)}`.
    backward: Vec<Factor>,
    /// `g^{reversed(block)}/N`.
    scale: Vec<Factor>,
    /// `g^{reversed(place)}` for the places of a block.
    places: [Factor; LANES],
}

impl Plan {
    fn new(simd: Ifma, domain: Radix2EvaluationDomain<Fr>, shift: Fr) -> Self {
        let log = domain.log_size_of_group;
        let factors = |table: Vec<Fr>| table.par_iter().map(|&entry| factor(entry)).collect();
        let power = |base: Fr, exponent: u32| base.pow([1u64 << exponent]);
        // Bit s of a group number stands for the exponent N/4 / 2^s, of a block number for N/16 /
        // 2^s.
        let roots = |root: Fr| {
            let steps: Vec<Fr> = (0..log - 1).map(|s| power(root, log - 2 - s)).collect();
            factors(products(Fr::ONE, &steps))
        };
        let steps: Vec<Fr> = (0..log - 3).map(|s| power(shift, log - 4 - s)).collect();
        let places = products(Fr::ONE, &[log - 1, log - 2, log - 3].map(|e| power(shift, e)));
        Self {
            simd,
            modulus: Modulus::of::<FrConfig>(),
            forward: roots(domain.group_gen_inv),
            backward: roots(domain.group_gen),
            scale: factors(products(domain.size_inv, &steps)),
            places: std::array::from_fn(|place| factor(places[place])),
        }
    }
}

impl Field52 {
    #[inline(always)]
    fn load(self, block: &Block) -> Limbs {
        [cast(block.0[0]), cast(block.0[1]), cast(block.0[2]), cast(block.0[3]), cast(block.0[4])]
    }

    #[inline(always)]
    fn store(self, limbs: Limbs, block: &mut Block) {
        for (row, limb) in block.0.iter_mut().zip(limbs) {
            *row = cast(limb);
        }
    }

    #[inline(always)]
    fn every(self, factor: &Factor) -> Limbs {
        [
            cast([factor[0]; LANES]),
            cast([factor[1]; LANES]),
            cast([factor[2]; LANES]),
            cast([factor[3]; LANES]),
            cast([factor[4]; LANES]),
        ]
    }

    /// Factors `table[first + lane·stride]`.
    #[inline(always)]
    fn each(self, table: &[Factor], first: usize, stride: usize) -> Limbs {
        let mut rows = [[0u64; LANES]; 5];
        for lane in 0..LANES {
            let factor = &table[first + lane * stride];
            for (row, limb) in rows.iter_mut().zip(factor) {
                row[lane] = *limb;
            }
        }
        self.load(&Block(rows))
    }

    /// `(a + wb, a − wb)`.
    #[inline(always)]
    fn apart(self, a: Limbs, b: Limbs, w: Limbs) -> (Limbs, Limbs) {
        let b = self.times(b, w);
        (self.reduce(self.plus(a, b), 1), self.reduce(self.minus(a, b), 1))
    }

    /// `(a + b, w(a − b))`.
    #[inline(always)]
    fn together(self, a: Limbs, b: Limbs, w: Limbs) -> (Limbs, Limbs) {
        (self.reduce(self.plus(a, b), 1), self.times(self.minus(a, b), w))
    }
}

/// The butterflies between two strips, with one factor.
struct Strip<'a> {
    plan: &'a Plan,
    low: &'a mut [Block],
    high: &'a mut [Block],
    factor: Factor,
    is_forward: bool,
}

impl NullaryFnOnce for Strip<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let field = Field52::new(self.plan.simd, &self.plan.modulus);
        butterflies(field, self.low, self.high, &self.factor, self.is_forward);
    }
}

#[inline(always)]
fn butterflies(
    field: Field52,
    low: &mut [Block],
    high: &mut [Block],
    factor: &Factor,
    is_forward: bool,
) {
    let factor = field.every(factor);
    for (low, high) in low.iter_mut().zip(high) {
        let (a, b) = (field.load(low), field.load(high));
        let (a, b) =
            if is_forward { field.apart(a, b, factor) } else { field.together(a, b, factor) };
        field.store(a, low);
        field.store(b, high);
    }
}

/// A group that fits the cache: forward, scale, back.
struct Leaf<'a> {
    plan: &'a Plan,
    blocks: &'a mut [Block],
    group: usize,
}

impl NullaryFnOnce for Leaf<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { plan, blocks, group } = self;
        let field = Field52::new(plan.simd, &plan.modulus);
        let count = blocks.len();
        let mut half = count / 2;
        while half > 0 {
            let first = group * (count / (2 * half));
            for (k, group) in blocks.chunks_exact_mut(2 * half).enumerate() {
                let (low, high) = group.split_at_mut(half);
                butterflies(field, low, high, &plan.forward[first + k], true);
            }
            half /= 2;
        }
        for (k, eight) in blocks.chunks_exact_mut(LANES).enumerate() {
            within_blocks(field, plan, eight, group * count + k * LANES);
        }
        half = 1;
        while half < count {
            let first = group * (count / (2 * half));
            for (k, group) in blocks.chunks_exact_mut(2 * half).enumerate() {
                let (low, high) = group.split_at_mut(half);
                butterflies(field, low, high, &plan.backward[first + k], false);
            }
            half *= 2;
        }
    }
}

/// The last three steps forward, the scale and the first three steps back, for eight blocks:
/// transposed, so that lane `k` works on block `first + k`.
#[inline(always)]
fn within_blocks(field: Field52, plan: &Plan, blocks: &mut [Block], first: usize) {
    let mut e = transposed(field, blocks);
    // Steps over 4, 2, 1 places: groups number block, 2·block + k, 4·block + k.
    for over in [4, 2, 1] {
        let groups = 4 / over;
        for group in 0..groups {
            let w = field.each(&plan.forward, first * groups + group, groups);
            for place in 0..over {
                let (low, high) = (2 * over * group + place, 2 * over * group + place + over);
                (e[low], e[high]) = field.apart(e[low], e[high], w);
            }
        }
    }
    let scale = field.each(&plan.scale, first, 1);
    for (e, place) in e.iter_mut().zip(&plan.places) {
        *e = field.times(*e, field.times(scale, field.every(place)));
    }
    for over in [1, 2, 4] {
        let groups = 4 / over;
        for group in 0..groups {
            let w = field.each(&plan.backward, first * groups + group, groups);
            for place in 0..over {
                let (low, high) = (2 * over * group + place, 2 * over * group + place + over);
                (e[low], e[high]) = field.together(e[low], e[high], w);
            }
        }
    }
    for limb in [0, 1, 2, 3, 4] {
        let rows = [0, 1, 2, 3, 4, 5, 6, 7].map(|k| e[k][limb]);
        for (block, row) in blocks.iter_mut().zip(field.transpose(rows)) {
            block.0[limb] = cast(row);
        }
    }
}

/// Element `k` of every block in lane `block`.
#[inline(always)]
fn transposed(field: Field52, blocks: &[Block]) -> [Limbs; LANES] {
    let mut e = [field.every(&[0; 5]); LANES];
    for limb in [0, 1, 2, 3, 4] {
        let rows = [0, 1, 2, 3, 4, 5, 6, 7].map(|k: usize| cast(blocks[k].0[limb]));
        for (e, row) in e.iter_mut().zip(field.transpose(rows)) {
            e[limb] = row;
        }
    }
    e
}

/// The element-wise product of two strips, to the first.
struct Product<'a>(&'a Plan, &'a mut [Block], &'a [Block]);

impl NullaryFnOnce for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(plan, left, right) = self;
        let field = Field52::new(plan.simd, &plan.modulus);
        for (left, right) in left.iter_mut().zip(right) {
            let product = field.times(field.load(left), field.load(right));
            field.store(product, left);
        }
    }
}

impl Plan {
    /// Halves of a group against each other, over all cores.
    fn across(&self, blocks: &mut [Block], factor: Factor, is_forward: bool) {
        let (low, high) = blocks.split_at_mut(blocks.len() / 2);
        low.par_chunks_mut(STRIP).zip(high.par_chunks_mut(STRIP)).for_each(|(low, high)| {
            self.simd.vectorize(Strip { plan: self, low, high, factor, is_forward });
        });
    }

    /// Domain values to coset values of a group.
    fn run(&self, blocks: &mut [Block], group: usize) {
        if blocks.len() <= LEAF {
            self.simd.vectorize(Leaf { plan: self, blocks, group });
            return;
        }
        self.across(blocks, self.forward[group], true);
        let (low, high) = blocks.split_at_mut(blocks.len() / 2);
        rayon::join(|| self.run(low, 2 * group), || self.run(high, 2 * group + 1));
        self.across(blocks, self.backward[group], false);
    }
}

fn blocks_of(values: &[Fr]) -> Vec<Block> {
    let block = |eight: &[Fr]| {
        let mut rows = [[0u64; LANES]; 5];
        for (lane, &value) in eight.iter().enumerate() {
            for (row, limb) in rows.iter_mut().zip(factor(value)) {
                row[lane] = limb;
            }
        }
        Block(rows)
    };
    values.par_chunks(LANES).map(block).collect()
}

/// The values of `A·B` on `shift·D` from those of `A` and `B` on the domain `D`.
///
/// # Errors
/// The inputs, if the processor lacks the instructions or the domain is too small for them.
pub fn coset_product(
    domain: Radix2EvaluationDomain<Fr>,
    shift: Fr,
    mut left: Vec<Fr>,
    right: Vec<Fr>,
) -> Result<Vec<Fr>, (Vec<Fr>, Vec<Fr>)> {
    let simd = match Ifma::try_new() {
        Some(simd) if domain.size() >= LANES * LANES => simd,
        _ => return Err((left, right)),
    };
    let plan = Plan::new(simd, domain, shift);
    let mut other = blocks_of(&right);
    drop(right);
    plan.run(&mut other, 0);
    let mut blocks = blocks_of(&left);
    plan.run(&mut blocks, 0);
    blocks.par_chunks_mut(STRIP).zip(other.par_chunks(STRIP)).for_each(|(left, right)| {
        plan.simd.vectorize(Product(&plan, left, right));
    });
    let sixteenth = Fr::from(16).inverse().expect("sixteen is not zero");
    left.par_chunks_mut(LANES).zip(&blocks).for_each(|(values, block)| {
        for (lane, value) in values.iter_mut().enumerate() {
            let [a, b, c, d, e] = block.0.map(|row| row[lane]);
            let words = [a | b << 52, b >> 12 | c << 40, c >> 24 | d << 28, d >> 36 | e << 16];
            *value = sixteenfold_of::<FrConfig>(words) * sixteenth;
        }
    });
    debug_assert!(left.iter().all(|value| value.into_bigint() < Fr::MODULUS));
    Ok(left)
}
