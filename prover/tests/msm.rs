//! The multi-scalar and fixed-base multiplications against arkworks' own, on inputs that hit every
//! case of addition.

use ark_bn254::{Fr, g1, g2};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{BigInt, Field, One, PrimeField, UniformRand, Zero};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use zkmargin_prover::fixed_base::Table;
use zkmargin_prover::kernel::{Curve, Kernel, NEGATIVE, Portable, Sum, Task};
use zkmargin_prover::msm::{Census, Scalars, msm};

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn points<P: SWCurveConfig>(count: usize, seed: u64) -> Vec<Affine<P>> {
    let mut rng = rng(seed);
    let base = Projective::<P>::rand(&mut rng);
    let step = Projective::<P>::rand(&mut rng);
    let chain: Vec<_> =
        std::iter::successors(Some(base), |p| Some(*p + step)).take(count).collect();
    Projective::normalize_batch(&chain)
}

/// The machine's best kernel and the portable one.
fn agrees<P: Curve<ScalarField = Fr>>(points: &[Affine<P>], scalars: &[Fr]) {
    let theirs = Projective::<P>::msm(points, scalars).expect("equal lengths");
    assert_eq!(msm(points, scalars), theirs, "{} terms", points.len());
    let portable = Scalars::new(scalars.par_iter().copied());
    let portable = portable.multiply_with(Portable::default(), points);
    assert_eq!(portable, theirs, "{} terms, portable", points.len());
}

/// One of every kind of scalar in turn: wide, bits, short, negative short, and the ends of the
/// field.
fn mixed(count: usize, seed: u64) -> Vec<Fr> {
    let mut rng = rng(seed);
    let half = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
    (0..count)
        .map(|k| match k % 11 {
            0..4 => Fr::rand(&mut rng),
            4 => Fr::zero(),
            5 => Fr::one(),
            6 => -Fr::one(),
            7 => Fr::from(u64::rand(&mut rng)),
            8 => -Fr::from(u64::rand(&mut rng) >> 20),
            9 => half,
            _ => half + Fr::one(),
        })
        .collect()
}

#[test]
fn equals_arkworks_at_every_window_width() {
    for count in [0, 1, 2, 3, 31, 32, 100, 511, 600, 2100, 9000, 33_000] {
        agrees(&points::<g1::Config>(count, 1), &mixed(count, 2));
    }
    for count in [0, 1, 2, 33, 600, 3000] {
        agrees(&points::<g2::Config>(count, 3), &mixed(count, 4));
    }
    // Wide only, with wide digits.
    let (count, mut rng) = (1 << 18, rng(5));
    let scalars: Vec<Fr> = (0..count).map(|_| Fr::rand(&mut rng)).collect();
    let points = points::<g1::Config>(count, 6);
    agrees(&points, &scalars);
}

#[test]
fn equals_arkworks_on_equal_opposite_and_infinite_points() {
    let base = points::<g1::Config>(4, 7);
    let cycle = [base[0], base[0], -base[0], Affine::identity(), base[1], -base[1], base[2]];
    for count in [2, 7, 70, 700, 7000] {
        let points: Vec<_> = cycle.iter().copied().cycle().take(count).collect();
        agrees(&points, &vec![Fr::one(); count]);
        agrees(&points, &vec![-Fr::from(12_345_u64); count]);
        agrees(&points, &vec![Fr::from(2).inverse().expect("two is not zero"); count]);
        agrees(&points, &mixed(count, 8));
        agrees(&vec![Affine::<g1::Config>::identity(); count], &mixed(count, 9));
    }
}

#[test]
fn equals_arkworks_on_powers_of_two_and_their_neighbours() {
    let powers = (0..254).flat_map(|bit| {
        let power = Fr::from(2).pow([bit]);
        [power - Fr::one(), power, power + Fr::one(), -power]
    });
    let scalars: Vec<Fr> = powers.collect();
    agrees(&points::<g1::Config>(scalars.len(), 10), &scalars);
    agrees(&points::<g2::Config>(scalars.len(), 11), &scalars);
}

#[test]
fn counts_scalars_by_kind() {
    let scalars = [0u64, 1, 1, 2, u64::MAX].map(Fr::from);
    let wide = Fr::from(BigInt::<4>::new([0, 1, 0, 0]));
    let all: Vec<Fr> = scalars.into_iter().chain([-Fr::one(), wide, -wide]).collect();
    let census = Scalars::new(all.par_iter().copied()).census();
    assert_eq!(census, Census { ones: 3, short: 2, wide: 2 });
}

#[test]
fn fixed_base_multiples_equal_plain_multiples() {
    fn check<P: Curve<ScalarField = Fr>>(count: usize) {
        let base = Projective::<P>::generator() * Fr::from(77);
        let scalars = mixed(count, 12);
        let products = Table::new(base.into_affine()).multiply(&scalars);
        for (product, scalar) in products.iter().zip(&scalars) {
            assert_eq!(product.into_group(), base * scalar);
        }
    }
    check::<g1::Config>(2500);
    check::<g2::Config>(100);
}

/// Sums of ordinary, equal, opposite and infinite pairs, with signs, from base and work area.
struct Sums<'a, P: Curve>(&'a [Affine<P>]);

impl<P: Curve> Task<P> for Sums<'_, P> {
    type Output = ();

    fn run<K: Kernel<Config = P>>(self, kernel: K) {
        let base: Vec<K::Point> = self.0.iter().map(|point| kernel.pack(point)).collect();
        for (point, packed) in self.0.iter().zip(&base) {
            assert_eq!(kernel.unpack(packed), *point);
        }
        let count = self.0.len();
        let operands: Vec<(u32, u32)> =
            (0..count).flat_map(|a| (0..count).map(move |b| (a as u32, b as u32))).collect();
        for signs in [(0, 0), (NEGATIVE, 0), (0, NEGATIVE), (NEGATIVE, NEGATIVE)] {
            let mut work = vec![kernel.identity(); operands.len()];
            let sum = |(k, &(a, b)): (usize, &(u32, u32))| Sum {
                left: a | signs.0,
                right: b | signs.1,
                target: k as u32,
            };
            let sums: Vec<Sum> = operands.iter().enumerate().map(sum).collect();
            kernel.add(&base, &mut work, &sums);
            // Then each result plus its first operand, in place.
            let sum = |(k, &(a, _)): (usize, &(u32, u32))| Sum {
                left: (count + k) as u32,
                right: a,
                target: k as u32,
            };
            let again: Vec<Sum> = operands.iter().enumerate().map(sum).collect();
            let once: Vec<Affine<P>> = work.iter().map(|point| kernel.unpack(point)).collect();
            kernel.add(&base, &mut work, &again);
            for (k, &(a, b)) in operands.iter().enumerate() {
                let signed = |index: u32, sign: u32| {
                    let point = Projective::from(self.0[index as usize]);
                    if sign == 0 { point } else { -point }
                };
                let expected = signed(a, signs.0) + signed(b, signs.1);
                assert_eq!(once[k], expected.into_affine(), "{a} {b} {signs:?}");
                let twice = kernel.unpack(&work[k]);
                assert_eq!(twice, (expected + signed(a, 0)).into_affine(), "{a} {b} {signs:?}");
            }
        }
    }
}

#[test]
fn kernels_add_every_kind_of_pair() {
    fn check<P: Curve>() {
        let mut all = points::<P>(5, 13);
        all.extend([Affine::identity(), -all[0], P::GENERATOR]);
        P::with_kernel(Sums(&all));
        Sums(&all).run(Portable::default());
    }
    check::<g1::Config>();
    check::<g2::Config>();
}
