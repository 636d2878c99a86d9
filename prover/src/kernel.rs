//! Batched affine addition, the innermost work of setup and proof: many independent sums share
//! field inversions.
//!
//! A projective mixed addition costs eleven multiplications; an affine one costs six once its
//! inversion is shared (Montgomery's trick: three for the inverse, one for the slope, one square,
//! one product). [`Portable`] runs anywhere; on processors with AVX-512 IFMA [`crate::ifma`] adds
//! eight pairs at a time.

use std::marker::PhantomData;

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField, Zero};

/// In [`Sum::left`] and [`Sum::right`]: the operand is taken with the opposite sign.
pub const NEGATIVE: u32 = 1 << 31;

/// One addition. Operand `k` is point `k` of the base if there is one, else a point of the work
/// area: operand `base.len() + j` is `work[j]`. The result goes to `work[target]`.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// First operand, perhaps with [`NEGATIVE`].
    pub left: u32,
    /// Second operand, perhaps with [`NEGATIVE`].
    pub right: u32,
    /// Place of the result in the work area.
    pub target: u32,
}

/// A way to carry out batches of affine additions.
pub trait Kernel: Copy + Send + Sync {
    /// The curve.
    type Config: SWCurveConfig;
    /// A point in the form the kernel works on.
    type Point: Copy + Send + Sync;

    /// The identity.
    fn identity(self) -> Self::Point;

    /// Converts a point.
    fn pack(self, point: &Affine<Self::Config>) -> Self::Point;

    /// Converts a point back.
    fn unpack(self, point: &Self::Point) -> Affine<Self::Config>;

    /// Carries out all sums, for any points of the curve. No target may be an operand of another
    /// sum.
    fn add(self, base: &[Self::Point], work: &mut [Self::Point], sums: &[Sum]);
}

/// Work that is done with the best kernel of the machine.
pub trait Task<P: SWCurveConfig> {
    /// What it yields.
    type Output;
    /// Does it.
    fn run<K: Kernel<Config = P>>(self, kernel: K) -> Self::Output;
}

/// A curve with kernels.
pub trait Curve: SWCurveConfig<ScalarField: PrimeField<BigInt = BigInt<4>>> {
    /// Runs a task with the best kernel of the machine.
    fn with_kernel<T: Task<Self>>(task: T) -> T::Output;
}

/// Additions with the field's own arithmetic.
#[derive(Debug)]
pub struct Portable<P>(PhantomData<P>);

impl<P> Default for Portable<P> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<P> Clone for Portable<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Portable<P> {}

#[cfg(not(target_arch = "x86_64"))]
impl Curve for ark_bn254::g1::Config {
    fn with_kernel<T: Task<Self>>(task: T) -> T::Output {
        task.run(Portable::default())
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Curve for ark_bn254::g2::Config {
    fn with_kernel<T: Task<Self>>(task: T) -> T::Output {
        task.run(Portable::default())
    }
}

/// Additions which share an inversion; their operands stay in the L2 cache.
const BATCH: usize = 1024;

/// An addition whose slope still waits for the inverse of its denominator.
struct Pending<F> {
    left_x: F,
    left_y: F,
    right_x: F,
    numerator: F,
    denominator: F,
    /// Product of all denominators before this one.
    prefix: F,
    target: usize,
}

impl<P: SWCurveConfig> Portable<P> {
    #[inline]
    fn fetch(base: &[Affine<P>], work: &[Affine<P>], operand: u32) -> Affine<P> {
        let index = (operand & !NEGATIVE) as usize;
        let point = if index < base.len() { base[index] } else { work[index - base.len()] };
        if operand & NEGATIVE == 0 { point } else { -point }
    }

    /// The sum if it needs no inversion, else what it needs; `prefix` is filled in by the caller.
    #[inline]
    fn prepare(
        left: Affine<P>,
        right: Affine<P>,
        target: usize,
    ) -> Result<Affine<P>, Pending<P::BaseField>> {
        if left.is_zero() {
            return Ok(right);
        }
        if right.is_zero() {
            return Ok(left);
        }
        let mut numerator = right.y - left.y;
        let mut denominator = right.x - left.x;
        if denominator.is_zero() {
            if !numerator.is_zero() || left.y.is_zero() {
                return Ok(Affine::identity());
            }
            let square = left.x.square();
            numerator = square.double() + square + P::COEFF_A;
            denominator = left.y.double();
        }
        let (left_x, left_y, right_x) = (left.x, left.y, right.x);
        let prefix = P::BaseField::ONE;
        Err(Pending { left_x, left_y, right_x, numerator, denominator, prefix, target })
    }
}

impl<P: SWCurveConfig> Kernel for Portable<P> {
    type Config = P;
    type Point = Affine<P>;

    fn identity(self) -> Affine<P> {
        Affine::identity()
    }

    fn pack(self, point: &Affine<P>) -> Affine<P> {
        *point
    }

    fn unpack(self, point: &Affine<P>) -> Affine<P> {
        *point
    }

    fn add(self, base: &[Affine<P>], work: &mut [Affine<P>], sums: &[Sum]) {
        let mut pending = Vec::with_capacity(BATCH.min(sums.len()));
        for sums in sums.chunks(BATCH) {
            let mut product = P::BaseField::ONE;
            for sum in sums {
                let left = Self::fetch(base, work, sum.left);
                let right = Self::fetch(base, work, sum.right);
                let target = sum.target as usize;
                match Self::prepare(left, right, target) {
                    Ok(point) => work[target] = point,
                    Err(mut sum) => {
                        sum.prefix = product;
                        product *= sum.denominator;
                        pending.push(sum);
                    }
                }
            }
            let mut inverse = product.inverse().expect("no denominator is zero");
            while let Some(sum) = pending.pop() {
                let slope = sum.numerator * (inverse * sum.prefix);
                inverse *= sum.denominator;
                let x = slope.square() - sum.left_x - sum.right_x;
                let y = slope * (sum.left_x - x) - sum.left_y;
                work[sum.target] = Affine::new_unchecked(x, y);
            }
        }
    }
}

/// Memory that many sums of groups use one after the other: fresh pages cost more than the sums
/// themselves.
pub struct Workspace<T> {
    /// Results first, then two areas which rounds fill in turn.
    work: Vec<T>,
    sums: Vec<Sum>,
    runs: Vec<Run>,
    copies: Vec<(u32, usize)>,
}

impl<T> Default for Workspace<T> {
    fn default() -> Self {
        Self { work: Vec::new(), sums: Vec::new(), runs: Vec::new(), copies: Vec::new() }
    }
}

/// The members of a group that are still to be added up.
struct Run {
    group: usize,
    start: usize,
    len: usize,
}

/// Where the members of a group stand: entries before the first round, the work area afterwards.
type Entries<'a> = Option<&'a [u32]>;

impl<T: Copy> Workspace<T> {
    /// Sums groups of points: group `g` holds `entries[starts[g]..starts[g + 1]]`, an entry is the
    /// index of a point, with the bit [`NEGATIVE`] if the point is subtracted. The sums are the
    /// first points of the vector returned, which may be used freely.
    ///
    /// Each round adds neighbours pairwise inside every group, all groups in one batch, so a group
    /// of any size (also one that holds all the points) has independent additions to share
    /// inversions with.
    pub fn sum_groups<K: Kernel<Point = T>>(
        &mut self,
        kernel: K,
        points: &[T],
        entries: &[u32],
        starts: &[usize],
    ) -> &mut Vec<T> {
        let groups = starts.len() - 1;
        let half: usize = starts.windows(2).map(|range| (range[1] - range[0]).div_ceil(2)).sum();
        let size = self.work.len().max(groups + 2 * half);
        self.work.resize(size, kernel.identity());
        self.work[..groups].fill(kernel.identity());
        self.runs.clear();
        for (group, range) in starts.windows(2).enumerate() {
            let len = range[1] - range[0];
            if len > 0 {
                self.runs.push(Run { group, start: range[0], len });
            }
        }
        let mut members = Some(entries);
        let mut area = groups;
        while !self.runs.is_empty() {
            self.plan_round(members, points.len(), area);
            self.copy_odd(kernel, points);
            kernel.add(points, &mut self.work, &self.sums);
            area = if area == groups { groups + half } else { groups };
            members = None;
        }
        &mut self.work
    }

    /// Lists the additions of a round, whose results go to `area`, or to their place if a group is
    /// done.
    fn plan_round(&mut self, entries: Entries<'_>, points: usize, area: usize) {
        let (sums, copies) = (&mut self.sums, &mut self.copies);
        sums.clear();
        copies.clear();
        let mut next = area;
        self.runs.retain_mut(|run| {
            let Run { group, start, len } = *run;
            let is_done = len <= 2;
            let first = if is_done { group } else { next };
            let last = match entries {
                Some(entries) => {
                    let members = &entries[start..start + len];
                    sums.extend(
                        members.chunks_exact(2).zip(first as u32..).map(|(pair, target)| Sum {
                            left: pair[0],
                            right: pair[1],
                            target,
                        }),
                    );
                    members[len - 1]
                }
                None => {
                    let start = (points + start) as u32;
                    sums.extend((0..len as u32 / 2).map(|pair| Sum {
                        left: start + 2 * pair,
                        right: start + 2 * pair + 1,
                        target: first as u32 + pair,
                    }));
                    start + len as u32 - 1
                }
            };
            if len % 2 == 1 {
                copies.push((last, first + len / 2));
            }
            (run.start, run.len) = (first, len.div_ceil(2));
            if !is_done {
                next += run.len;
            }
            !is_done
        });
    }

    /// Carries over members without a partner.
    fn copy_odd<K: Kernel<Point = T>>(&mut self, kernel: K, points: &[T]) {
        for &(operand, target) in &self.copies {
            let index = (operand & !NEGATIVE) as usize;
            let point =
                if index < points.len() { points[index] } else { self.work[index - points.len()] };
            let is_negative = operand & NEGATIVE != 0;
            self.work[target] =
                if is_negative { kernel.pack(&-kernel.unpack(&point)) } else { point };
        }
    }
}
