//! Affine additions of points, eight at a time, many of them under one inversion.

use std::arch::x86_64::__m512i;
use std::marker::PhantomData;

use ark_bn254::{g1, g2};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup};
use pulp::NullaryFnOnce;
use pulp::bytemuck::{Zeroable, cast};

use super::field::{BASE, Field52, Lanes, One, Two};
use super::{Ifma, LANES};
use crate::kernel::{Curve, Kernel, NEGATIVE, Portable, Sum, Task};

/// Pairs that share an inversion: their points, denominators and products stay in the L2 cache.
const BATCH: usize = 2048;

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
    fn scatter(&mut self, field: Field52, sums: &[Sum], special: u8, x: L, y: L) {
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
            self.scatter(field, group, step.special, x, y);
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
