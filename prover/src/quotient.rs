//! The quadratic arithmetic program of a circuit and the prover's part of its quotient.
//!
//! Constraint `k` of `n` lives at the `k`-th point of a radix-2 domain `D` of size `N ≥ n + ℓ`, `ℓ`
//! the number of instance columns with the constant one. Point `n + i` holds the *consistency row*
//! of instance column `i`: its left factor is that column, its right factor and product are zero.
//! These rows keep the polynomials of the public inputs linearly independent of all others (the
//! libsnark reduction).
//!
//! With `A, B, C` of degree below `N` interpolating `Az, Bz, Cz`, a satisfied witness makes
//! `h = (AB − C)/Z` a polynomial of degree at most `N − 2`, determined by its values on the coset
//! `gD`, where `Z = g^N − 1` is constant. The key holds the Lagrange basis of the coset, and `C(τ)`
//! is linear in the witness, so the key's witness query carries that part ([`crate::setup`]). There
//! remain the values of `AB` on the coset: four transforms instead of seven, and none of them needs
//! `C`.

use ark_bn254::Fr;
use ark_ff::FftField;
use ark_ff::PrimeField;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rayon::prelude::*;
use thiserror::Error;
use zkmargin_circuits::cs::{R1cs, SparseMatrix};

/// The circuit has more rows than the field has roots of unity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{rows} rows exceed the largest radix-2 domain of the field")]
pub struct DomainTooLarge {
    /// Constraints and instances.
    pub rows: usize,
}

/// The smallest radix-2 domain that holds all constraints and consistency rows.
pub fn domain<F: PrimeField + FftField>(
    r1cs: &R1cs<F>,
) -> Result<Radix2EvaluationDomain<F>, DomainTooLarge> {
    let rows = r1cs.constraints() + r1cs.instances;
    Radix2EvaluationDomain::new(rows).ok_or(DomainTooLarge { rows })
}

/// The domain moved off the roots of unity by the field's generator.
pub fn coset<F: FftField>(domain: Radix2EvaluationDomain<F>) -> Radix2EvaluationDomain<F> {
    domain.get_coset(F::GENERATOR).expect("the generator is not zero")
}

/// How a coefficient of the shared table is multiplied.
#[derive(Clone, Copy)]
enum Factor {
    One,
    MinusOne,
    Other,
}

/// The shared coefficient table, with the commonest values marked.
struct Factors<'a, F> {
    kinds: Vec<Factor>,
    values: &'a [F],
}

impl<'a, F: PrimeField> Factors<'a, F> {
    fn new(values: &'a [F]) -> Self {
        let kind = |value: &F| match *value {
            v if v == F::ONE => Factor::One,
            v if v == -F::ONE => Factor::MinusOne,
            _ => Factor::Other,
        };
        Self { kinds: values.iter().map(kind).collect(), values }
    }

    /// `sum + coefficient·value`.
    #[inline]
    fn accumulate(&self, sum: &mut F, coefficient: usize, value: F) {
        match self.kinds[coefficient] {
            Factor::One => *sum += value,
            Factor::MinusOne => *sum -= value,
            Factor::Other => *sum += value * self.values[coefficient],
        }
    }

    fn product(&self, matrix: &SparseMatrix, row: usize, assignment: &[F]) -> F {
        let mut sum = F::ZERO;
        for (column, coefficient) in matrix.row(row) {
            self.accumulate(&mut sum, coefficient, assignment[column]);
        }
        sum
    }
}

/// `Az` (with consistency rows) and `Bz` over the domain, zero-padded to its size, and whether
/// every constraint holds. `assignment` is `[1, instances…, witnesses…]`.
pub fn products<F: PrimeField>(
    r1cs: &R1cs<F>,
    assignment: &[F],
    size: usize,
) -> (Vec<F>, Vec<F>, bool) {
    let factors = Factors::new(&r1cs.coefficients);
    let constraints = r1cs.constraints();
    let (mut left, mut right) = (vec![F::ZERO; size], vec![F::ZERO; size]);
    let satisfied = left[..constraints]
        .par_iter_mut()
        .zip(&mut right[..constraints])
        .enumerate()
        .with_min_len(1 << 10)
        .map(|(row, (left, right))| {
            *left = factors.product(&r1cs.a, row, assignment);
            *right = factors.product(&r1cs.b, row, assignment);
            *left * *right == factors.product(&r1cs.c, row, assignment)
        })
        .reduce(|| true, |one, other| one && other);
    left[constraints..constraints + r1cs.instances].copy_from_slice(&assignment[..r1cs.instances]);
    (left, right, satisfied)
}

/// The product of a matrix with a vector over the domain, zero-padded to its size, without
/// consistency rows.
pub fn combined<F: PrimeField>(
    r1cs: &R1cs<F>,
    matrix: &SparseMatrix,
    vector: &[F],
    size: usize,
) -> Vec<F> {
    let factors = Factors::new(&r1cs.coefficients);
    let mut values = vec![F::ZERO; size];
    values[..r1cs.constraints()]
        .par_iter_mut()
        .enumerate()
        .with_min_len(1 << 10)
        .for_each(|(row, value)| *value = factors.product(matrix, row, vector));
    values
}

/// The values of `A·B` on the coset from those of `A` and `B` on the domain; four transforms.
pub fn coset_product(domain: Radix2EvaluationDomain<Fr>, left: Vec<Fr>, right: Vec<Fr>) -> Vec<Fr> {
    #[cfg(target_arch = "x86_64")]
    let (left, right) = match crate::transform::coset_product(domain, Fr::GENERATOR, left, right) {
        Ok(product) => return product,
        Err(inputs) => inputs,
    };
    portable_coset_product(domain, left, right)
}

/// [`coset_product`] with arkworks' transforms, for any machine.
pub fn portable_coset_product(
    domain: Radix2EvaluationDomain<Fr>,
    mut left: Vec<Fr>,
    mut right: Vec<Fr>,
) -> Vec<Fr> {
    let coset = coset(domain);
    for values in [&mut left, &mut right] {
        domain.ifft_in_place(values);
        coset.fft_in_place(values);
    }
    left.par_iter_mut().zip(&right).for_each(|(left, right)| *left *= right);
    left
}

/// For each column the value at `τ` of its polynomial, given the Lagrange basis of the domain at
/// `τ`.
pub fn columns_at<F: PrimeField>(r1cs: &R1cs<F>, matrix: &SparseMatrix, basis: &[F]) -> Vec<F> {
    let factors = Factors::new(&r1cs.coefficients);
    let mut values = vec![F::ZERO; r1cs.instances + r1cs.witnesses];
    for (row, &weight) in basis[..r1cs.constraints()].iter().enumerate() {
        for (column, coefficient) in matrix.row(row) {
            factors.accumulate(&mut values[column], coefficient, weight);
        }
    }
    values
}
