//! Points, scalar multiplication and signatures.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
use zkmargin_protocol::crypto::babyjubjub::{BASE8, Point};
use zkmargin_protocol::crypto::eddsa::SecretKey;
use zkmargin_protocol::crypto::poseidon;

use super::Circuit;
use crate::crypto::eddsa::{SignatureVar, enforce_signature};
use crate::gadgets::boolean::Bool;
use crate::gadgets::curve::PointVar;
use crate::gadgets::fixed_base::fixed_base_mul;
use crate::gadgets::variable_base::multiply_by_8_and;

/// One entry a gadget.
pub(super) const CATALOGUE: &[Circuit] = &[
    Circuit::gadget("gadgets/point_add", 4, |cs, branch| {
        let base = BASE8;
        let other = [base.mul(BigInt::from(7u64)), base, base.neg(), IDENTITY][branch];
        let points = [base, other].map(|point| PointVar::external(cs, "point given", &point));
        points.iter().for_each(|point| point.enforce_on_curve(cs));
        points[0].add(cs, &points[1]);
    }),
    Circuit::gadget("gadgets/prime_subgroup", 2, |cs, branch| {
        let point = BASE8.mul(BigInt::from([1u64, 1_000_003][branch]));
        PointVar::external(cs, "point given", &point).enforce_in_prime_subgroup(cs);
    }),
    Circuit::gadget("gadgets/fixed_base_mul", 3, |cs, branch| {
        let scalar = cs.external("scalar", scalars()[branch]);
        fixed_base_mul(cs, &scalar);
    }),
    Circuit::gadget("gadgets/variable_base_mul", 3, |cs, branch| {
        let point =
            PointVar::external(cs, "point given", &SecretKey::from_seed(&[9; 32]).public().point());
        // Hashes; the gadget refuses challenges close to a multiple of the subgroup's order.
        let challenge = poseidon::hash(&[Fr::from(branch as u64)]);
        let scalar = cs.external("scalar", challenge);
        multiply_by_8_and(cs, &point, &scalar);
    }),
    Circuit::gadget("gadgets/eddsa", 3, |cs, branch| {
        let secret = SecretKey::from_seed(&[branch as u8; 32]);
        let is_active = branch > 0;
        let message = Fr::from(1_000 + branch as u64);
        let signature = if is_active { secret.sign(message) } else { SignatureVar::padding() };
        let key = PointVar::external(cs, "key", &secret.public().point());
        let message = cs.external("message", message);
        let signature = SignatureVar::external(cs, &signature);
        let is_active = Bool::external(cs, "is active", is_active);
        enforce_signature(cs, &key, &message, &signature, &is_active);
    }),
];

const IDENTITY: Point = Point { x: Fr::ZERO, y: Fr::ONE };

/// Small, middling and near the order of the subgroup, an eighth of the field's.
fn scalars() -> [Fr; 3] {
    let middling = Fr::from(0x0123_4567_89ab_cdefu64).square().square();
    let eighth = Fr::from(Fr::MODULUS >> 3) - Fr::from(5u64);
    [Fr::ONE, middling, eighth]
}
