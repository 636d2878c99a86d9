//! Multiples of Base8.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use taceo_ark_babyjubjub::{EdwardsAffine, EdwardsProjective};
use zkmargin_protocol::crypto::babyjubjub::{BASE8, Point, Scalar};

use super::boolean::Bool;
use super::comparator::enforce_nonzero;
use super::curve::PointVar;
use super::integer::recompose;
use super::montgomery::{MontgomeryVar, coordinates};
use super::scalar::{MAGNITUDE_BITS, Magnitude, enforce_scalar, negate_if};
use crate::cs::{Cs, Lc};

/// Windows of three bits; one bit of the magnitude is left on top.
const WINDOWS: usize = MAGNITUDE_BITS / 3;

/// `scalar·Base8`.
///
/// - Precondition: none.
/// - Violation: a scalar above l fails "scalar below the subgroup order"; the scalars 0, l and
///   `±(2^249 − 1)` fail "last summand of another abscissa" (a valid signature with such an S is as
///   hard to find as a preimage of Poseidon).
/// - Cost: 671 constraints: 250 bits, sign 3, 2 a window, 3 a sum, 2 for the Edwards form, 1 for a
///   slope.
/// - Proof: with `σ = ±1` for the bits, `z = Σ 8^i·w_i + 8^83·b` is read as `2z = Σ 8^i·d_i +
///   (2b·8^83 + 8^83 − 1)` with `d_i = σ0 + 2σ1 + 4σ2`, and H is half of Base8. The sum of the
///   windows before i, times H, has an odd coefficient below `8^i` in magnitude; the next one has
///   one of at least `8^i` and at most `7·8^i`. Sum and difference are below `8^(i+1) ≤ 2^249 < l`
///   and not zero, so the abscissas differ. The last summand could meet the sum before it for one
///   z, so there a nonzero run is demanded.
pub fn fixed_base_mul(cs: &mut Cs<Fr>, scalar: &Lc<Fr>) -> PointVar {
    let magnitude = Magnitude::of(scalar.value().into_bigint());
    let bits: Vec<_> =
        (0..MAGNITUDE_BITS).map(|k| Bool::witness(cs, "scalar bit", magnitude.bit(k))).collect();
    let is_negative = Bool::witness(cs, "scalar sign", magnitude.is_negative);
    let what = "scalar below the subgroup order";
    enforce_scalar(cs, what, scalar, &recompose(&bits), &is_negative);

    let table = Table::get();
    let one = cs.one();
    let two = Fr::from(2u64);
    let spins: Vec<_> = bits.iter().map(|bit| bit.lc().scaled(two).minus(&one)).collect();
    let mut summands = spins.chunks_exact(3).zip(&table.windows);
    let (spins, window) = summands.next().expect("windows");
    let mut sum = window.look_up(cs, spins);
    for (spins, window) in summands {
        let summand = window.look_up(cs, spins);
        sum = sum.add_unequal(cs, &summand);
    }
    let top = table.look_up_top(cs, &bits[MAGNITUDE_BITS - 1]);
    enforce_nonzero(cs, "last summand of another abscissa", &top.x.minus(&sum.x));
    let point = sum.add_unequal(cs, &top).to_edwards(cs);
    PointVar { x: negate_if(cs, &is_negative, &point.x), y: point.y }
}

/// The eight multiples `d·8^i·H`, d = ±1, ±3, ±5, ±7, as functions of three spins.
///
/// The abscissa is even in the spins: `c + c01·σ0σ1 + c02·σ0σ2 + c12·σ1σ2`, and as σ² = 1 that is
/// the one product `(σ0 + α·σ1)·(c01·σ1 + c02·σ2)` and a constant, with `α = c12/c02`. The ordinate
/// is odd, a combination of σ0, σ1, σ2 and σ0σ1σ2; the last is in `σ0·abscissa`.
struct Window {
    alpha: Fr,
    c01: Fr,
    c02: Fr,
    constant: Fr,
    /// Factor of `σ0·abscissa` in the ordinate.
    kappa: Fr,
    linear: [Fr; 3],
}

impl Window {
    fn new(points: [(Fr, Fr); 4]) -> Self {
        // Values at σ2 = 1 for (σ0, σ1) = (−,−), (+,−), (−,+), (+,+), that is d = 1, 3, 5, 7.
        let transform = |[p, q, r, s]: [Fr; 4]| {
            let quarter = Fr::from(4u64).inverse().expect("4 is not zero");
            [p + q + r + s, q + s - p - r, r + s - p - q, p + s - q - r].map(|x| x * quarter)
        };
        let [c, c02, c12, c01] = transform(points.map(|point| point.0));
        let [l2, l0, l1, cubic] = transform(points.map(|point| point.1));
        let alpha = c12 / c02;
        let kappa = cubic / c12;
        let linear = [l0 - kappa * c, l1 - kappa * c01, l2 - kappa * c02];
        Self { alpha, c01, c02, constant: c - alpha * c01, kappa, linear }
    }

    /// Two constraints.
    fn look_up(&self, cs: &mut Cs<Fr>, spins: &[Lc<Fr>]) -> MontgomeryVar {
        let [s0, s1, s2] = spins else { unreachable!("windows of three") };
        let left = s0.plus_scaled(s1, self.alpha);
        let right = s1.scaled(self.c01).plus_scaled(s2, self.c02);
        let constant = cs.constant(self.constant);
        let x = cs.product("window x", &left, &right).plus(&constant);

        let linear = Lc::sum([s0, s1, s2].into_iter().zip(self.linear));
        let left = s0.scaled(self.kappa);
        let y = cs.witness("window y", left.value() * x.value() + linear.value());
        cs.enforce("window y", &left, &x, &y.minus(&linear));
        MontgomeryVar { x, y }
    }
}

struct Table {
    windows: Vec<Window>,
    /// `(8^83 − 1)·H` and `(3·8^83 − 1)·H`.
    top: [(Fr, Fr); 2],
}

impl Table {
    fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let half = Scalar::from(2u64).inverse().expect("l is odd").into_bigint();
        let base = EdwardsAffine::new_unchecked(BASE8.x, BASE8.y).into_group();
        let h = base.mul_bigint(half);
        let mut unit = h;
        let mut windows = Vec::with_capacity(WINDOWS);
        for _ in 0..WINDOWS {
            let twice = unit.double();
            let three = unit + twice;
            let five = three + twice;
            windows.push(Window::new([unit, three, five, five + twice].map(affine)));
            unit = twice.double().double();
        }
        Self { windows, top: [unit - h, unit.double() + unit - h].map(affine) }
    }

    /// No constraint: a combination of one bit.
    fn look_up_top(&self, cs: &Cs<Fr>, bit: &Bool<Fr>) -> MontgomeryVar {
        let [(x0, y0), (x1, y1)] = self.top;
        let between = |a: Fr, b: Fr| cs.constant(a).plus_scaled(bit.lc(), b - a);
        MontgomeryVar { x: between(x0, x1), y: between(y0, y1) }
    }
}

fn affine(point: EdwardsProjective) -> (Fr, Fr) {
    let point = point.into_affine();
    coordinates(&Point { x: point.x, y: point.y })
}
