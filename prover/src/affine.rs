//! Batched affine addition: many independent additions share one field inversion.
//!
//! A projective mixed addition costs eleven multiplications; an affine one costs six once its inversion is
//! shared (Montgomery's trick: three for the inverse, one for the slope, one square, one product).

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{AdditiveGroup, Field, Zero};

/// Additions that share an inversion. Their operands fill about 100 KB in G1: they stay in the L2 cache.
const CAPACITY: usize = 512;

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

/// Collects additions and carries them out together.
///
/// An addition is written to its target no later than the next [`flush`](Self::flush). Its operands are copied, so
/// a target may be the place of an operand that was already handed over.
pub struct BatchAdder<P: SWCurveConfig> {
    pending: Vec<Pending<P::BaseField>>,
    product: P::BaseField,
}

impl<P: SWCurveConfig> Default for BatchAdder<P> {
    fn default() -> Self {
        Self { pending: Vec::with_capacity(CAPACITY), product: P::BaseField::ONE }
    }
}

impl<P: SWCurveConfig> BatchAdder<P> {
    /// Has `out[target] = left + right` computed. Every pair of curve points is allowed.
    #[inline]
    pub fn add(&mut self, left: Affine<P>, right: Affine<P>, target: usize, out: &mut [Affine<P>]) {
        if left.is_zero() {
            out[target] = right;
            return;
        }
        if right.is_zero() {
            out[target] = left;
            return;
        }
        let mut numerator = right.y - left.y;
        let mut denominator = right.x - left.x;
        if denominator.is_zero() {
            if !numerator.is_zero() || left.y.is_zero() {
                out[target] = Affine::identity();
                return;
            }
            let square = left.x.square();
            numerator = square.double() + square + P::COEFF_A;
            denominator = left.y.double();
        }
        let prefix = self.product;
        self.product *= denominator;
        let (left_x, left_y, right_x) = (left.x, left.y, right.x);
        self.pending.push(Pending {
            left_x,
            left_y,
            right_x,
            numerator,
            denominator,
            prefix,
            target,
        });
        if self.pending.len() == CAPACITY {
            self.flush(out);
        }
    }

    /// Carries out every addition handed over so far.
    pub fn flush(&mut self, out: &mut [Affine<P>]) {
        if self.pending.is_empty() {
            return;
        }
        let product = std::mem::replace(&mut self.product, P::BaseField::ONE);
        let mut inverse = product.inverse().expect("no denominator is zero");
        while let Some(sum) = self.pending.pop() {
            let slope = sum.numerator * (inverse * sum.prefix);
            inverse *= sum.denominator;
            let x = slope.square() - sum.left_x - sum.right_x;
            let y = slope * (sum.left_x - x) - sum.left_y;
            out[sum.target] = Affine::new_unchecked(x, y);
        }
    }
}

/// A run of points in the work area which belong to one group.
struct Run {
    group: usize,
    start: usize,
    len: usize,
}

/// Marks an entry whose point is taken with the opposite sign.
pub const NEGATIVE: u32 = 1 << 31;

#[inline]
fn fetch<P: SWCurveConfig>(points: &[Affine<P>], entry: u32) -> Affine<P> {
    let point = points[(entry & !NEGATIVE) as usize];
    if entry & NEGATIVE == 0 { point } else { -point }
}

/// Sums groups of points: group `g` holds `entries[starts[g]..starts[g + 1]]`, an entry is the index of a
/// point, with the bit [`NEGATIVE`] if the point is subtracted.
///
/// Each round adds neighbours pairwise inside every group, all groups in one batch, so a group of any size
/// (also one that holds all the points) has independent additions to share inversions with.
pub fn sum_groups<P: SWCurveConfig>(
    points: &[Affine<P>],
    entries: &[u32],
    starts: &[usize],
) -> Vec<Affine<P>> {
    let mut sums = vec![Affine::identity(); starts.len() - 1];
    let mut adder = BatchAdder::default();
    let (mut work, mut runs) = first_round(points, entries, starts, &mut sums, &mut adder);
    while !runs.is_empty() {
        // Results are written below every point still to be read, so one work area suffices.
        let mut next = 0;
        runs.retain_mut(|run| {
            if run.len == 1 {
                sums[run.group] = work[run.start];
                return false;
            }
            let first = next;
            for at in (run.start..run.start + run.len).step_by(2) {
                let left = work[at];
                if at + 1 < run.start + run.len {
                    let right = work[at + 1];
                    adder.add(left, right, next, &mut work);
                } else {
                    work[next] = left;
                }
                next += 1;
            }
            (run.start, run.len) = (first, next - first);
            true
        });
        adder.flush(&mut work);
    }
    sums
}

/// Gathers the points and adds the first pairs of each group into a fresh work area.
fn first_round<P: SWCurveConfig>(
    points: &[Affine<P>],
    entries: &[u32],
    starts: &[usize],
    sums: &mut [Affine<P>],
    adder: &mut BatchAdder<P>,
) -> (Vec<Affine<P>>, Vec<Run>) {
    let halves = |range: &[usize]| (range[1] - range[0]).div_ceil(2);
    let mut work = vec![Affine::identity(); starts.windows(2).map(halves).sum()];
    let mut runs = Vec::new();
    let mut next = 0;
    for (group, range) in starts.windows(2).enumerate() {
        let members = &entries[range[0]..range[1]];
        if let &[only] = members {
            sums[group] = fetch(points, only);
            continue;
        }
        let start = next;
        for pair in members.chunks(2) {
            match *pair {
                [left, right] => {
                    adder.add(fetch(points, left), fetch(points, right), next, &mut work);
                }
                _ => work[next] = fetch(points, pair[0]),
            }
            next += 1;
        }
        if next > start {
            runs.push(Run { group, start, len: next - start });
        }
    }
    adder.flush(&mut work);
    (work, runs)
}
