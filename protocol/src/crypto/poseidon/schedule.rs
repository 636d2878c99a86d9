//! The permutation as it runs: partial rounds with one constant and a sparse matrix.
//!
//! Write the matrix as `M = [[m, v], [w, N]]`. In a partial round only lane 0 meets the S-box,
//! therefore
//! 1. a constant of lanes 1.. passes the S-box unchanged and can be added after the matrix: it
//!    joins the constants of the next round;
//! 2. `diag(1, N)` commutes with S-box and constant. From `M = [[m, v·N⁻¹], [w, I]]·diag(1, N)` the
//!    right factor moves into the round before. The k-th partial round from the end keeps
//!    `[[m, v·N⁻ᵏ], [Nᵏ⁻¹·w, I]]`, and `diag(1, N^partial_rounds)` stands before the first one.
//!
//! That is 2t−1 products a round instead of t². A test compares both forms on every width.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::Constants;

/// One partial round: `lane 0 ← (lane 0 + constant)^5`, then the sparse matrix.
struct PartialRound<const T: usize> {
    constant: Fr,
    /// Row 0 of the sparse matrix.
    row: [Fr; T],
    /// Column 0 of the sparse matrix; entry 0 is unused.
    column: [Fr; T],
}

/// The permutation of width `T`, ready to run.
pub(super) struct Schedule<const T: usize> {
    /// Constants of the first and of the last full rounds.
    full_constants: [Vec<[Fr; T]>; 2],
    matrix: [[Fr; T]; T],
    /// `diag(1, N^partial_rounds)·M`, for the last full round of the first half.
    matrix_into_partial: [[Fr; T]; T],
    partial: Vec<PartialRound<T>>,
}

impl<const T: usize> Schedule<T> {
    /// The schedule of `constants`, which must be of width `T`.
    pub(super) fn new(constants: &Constants) -> Self {
        let half = constants.full_rounds / 2;
        let matrix: [[Fr; T]; T] =
            std::array::from_fn(|i| std::array::from_fn(|j| constants.mds[i][j]));
        let rounds: Vec<[Fr; T]> = constants
            .round_constants
            .chunks_exact(T)
            .map(|round| std::array::from_fn(|i| round[i]))
            .collect();
        let (first, rest) = rounds.split_at(half);
        let (middle, last) = rest.split_at(constants.partial_rounds);

        let mut carried = [Fr::ZERO; T];
        let mut scalars = Vec::with_capacity(middle.len());
        for round in middle {
            let mut sum: [Fr; T] = std::array::from_fn(|i| round[i] + carried[i]);
            scalars.push(std::mem::replace(&mut sum[0], Fr::ZERO));
            carried = multiply(&matrix, &sum);
        }
        let mut last = last.to_vec();
        for (constant, carry) in last[0].iter_mut().zip(carried) {
            *constant += carry;
        }

        let (partial, power) = sparse_rounds(&matrix, &scalars);
        let matrix_into_partial = product(&power, &matrix);
        Self { full_constants: [first.to_vec(), last], matrix, matrix_into_partial, partial }
    }

    /// The permutation. `see` is shown the input of each S-box, in the order of rounds and lanes;
    /// the rewriting changes none of them.
    pub(super) fn permute(&self, state: &mut [Fr; T], mut see: impl FnMut(Fr)) {
        let [first, last] = &self.full_constants;
        let (into_partial, first) = first.split_last().expect("four full rounds");
        for constants in first {
            full_round(state, constants, &self.matrix, &mut see);
        }
        full_round(state, into_partial, &self.matrix_into_partial, &mut see);
        for round in &self.partial {
            let input = state[0] + round.constant;
            see(input);
            let lane = quintic(input);
            state[0] = lane;
            let sum = Fr::sum_of_products(&round.row, state);
            for (value, weight) in state.iter_mut().zip(&round.column).skip(1) {
                *value += lane * weight;
            }
            state[0] = sum;
        }
        for constants in last {
            full_round(state, constants, &self.matrix, &mut see);
        }
    }
}

/// The partial rounds in order, and `diag(1, N^partial_rounds)`.
fn sparse_rounds<const T: usize>(
    matrix: &[[Fr; T]; T],
    scalars: &[Fr],
) -> (Vec<PartialRound<T>>, [[Fr; T]; T]) {
    // diag(1, N), its inverse, and row and column of M without the corner.
    let block: [[Fr; T]; T] = std::array::from_fn(|i| {
        std::array::from_fn(|j| match (i, j) {
            (0, _) | (_, 0) => Fr::from(u64::from(i == j)),
            _ => matrix[i][j],
        })
    });
    let mut power = block;
    let mut row = matrix[0];
    let mut column: [Fr; T] = std::array::from_fn(|i| matrix[i][0]);
    row[0] = Fr::ZERO;
    column[0] = Fr::ZERO;
    let inverse = inverse(&block);
    let mut rounds = Vec::with_capacity(scalars.len());
    for (k, constant) in scalars.iter().rev().enumerate() {
        if k > 0 {
            column = multiply(&block, &column);
            power = product(&block, &power);
        }
        row = std::array::from_fn(|j| (0..T).map(|i| row[i] * inverse[i][j]).sum());
        let mut sparse_row = row;
        sparse_row[0] = matrix[0][0];
        rounds.push(PartialRound { constant: *constant, row: sparse_row, column });
    }
    rounds.reverse();
    (rounds, power)
}

fn full_round<const T: usize>(
    state: &mut [Fr; T],
    constants: &[Fr; T],
    matrix: &[[Fr; T]; T],
    see: &mut impl FnMut(Fr),
) {
    for (value, constant) in state.iter_mut().zip(constants) {
        *value += constant;
        see(*value);
        *value = quintic(*value);
    }
    *state = multiply(matrix, state);
}

/// The S-box, x^5.
pub(super) fn quintic(x: Fr) -> Fr {
    x.square().square() * x
}

fn multiply<const T: usize>(matrix: &[[Fr; T]; T], vector: &[Fr; T]) -> [Fr; T] {
    std::array::from_fn(|i| Fr::sum_of_products(&matrix[i], vector))
}

fn product<const T: usize>(a: &[[Fr; T]; T], b: &[[Fr; T]; T]) -> [[Fr; T]; T] {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..T).map(|k| a[i][k] * b[k][j]).sum()))
}

/// The inverse by Gauss–Jordan elimination. Square minors of a Cauchy matrix are regular.
fn inverse<const T: usize>(matrix: &[[Fr; T]; T]) -> [[Fr; T]; T] {
    let mut left = *matrix;
    let mut right: [[Fr; T]; T] =
        std::array::from_fn(|i| std::array::from_fn(|j| Fr::from(u64::from(i == j))));
    for pivot in 0..T {
        let row = (pivot..T).find(|&i| left[i][pivot] != Fr::ZERO).expect("a regular matrix");
        left.swap(pivot, row);
        right.swap(pivot, row);
        let scale = left[pivot][pivot].inverse().expect("the pivot is not zero");
        for j in 0..T {
            left[pivot][j] *= scale;
            right[pivot][j] *= scale;
        }
        for i in (0..T).filter(|&i| i != pivot) {
            let factor = left[i][pivot];
            for j in 0..T {
                let (l, r) = (left[pivot][j], right[pivot][j]);
                left[i][j] -= factor * l;
                right[i][j] -= factor * r;
            }
        }
    }
    right
}
