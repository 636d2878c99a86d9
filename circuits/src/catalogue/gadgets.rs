//! The gadgets at the widths the tables use.

use ark_bn254::Fr;

use super::Circuit;
use crate::crypto::poseidon::{hash, sponge_hash};
use crate::cs::{Cs, Lc};
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::{enforce_less_or_equal, enforce_max, is_less_than, is_zero};
use crate::gadgets::division::{Widths, div_floor};
use crate::gadgets::integer::{Signed, Uint, signed};

/// One entry a gadget.
pub(super) const CATALOGUE: &[Circuit] = &[
    Circuit::gadget("gadgets/boolean", 2, |cs, branch| {
        let bits = [branch == 0, true].map(|value| Bool::external(cs, "bit", value));
        let both = bits[0].and(cs, &bits[1]);
        let any = bits[0].or(cs, &both);
        let (a, b) = (external(cs, 5), external(cs, 6));
        any.select(cs, &a, &b);
    }),
    Circuit::gadget("gadgets/range_64", 3, |cs, branch| {
        let value = external(cs, [0, 1 << 32, u64::MAX.into()][branch]);
        Uint::range_check(cs, "range", &value, 64);
    }),
    Circuit::gadget("gadgets/signed_64", 4, |cs, branch| {
        let value = [i64::MIN.into(), -1, 0, i64::MAX.into()][branch];
        let value = external(cs, value);
        Signed::range_check(cs, "range", &value, 64).negative_part(cs);
    }),
    Circuit::gadget("gadgets/is_zero", 2, |cs, branch| {
        let value = external(cs, branch as i128);
        is_zero(cs, &value);
    }),
    Circuit::gadget("gadgets/less_or_equal_64", 2, |cs, branch| {
        let (a, b) = (external(cs, 7), external(cs, [7, u64::MAX.into()][branch]));
        enforce_less_or_equal(cs, "order", &a, &b, 64);
    }),
    Circuit::gadget("gadgets/is_less_than_64", 3, |cs, branch| {
        let (a, b) = (external(cs, 7), external(cs, [0, 7, u64::MAX.into()][branch]));
        is_less_than(cs, "order", &a, &b, 64);
    }),
    Circuit::gadget("gadgets/division_64_by_40", 3, |cs, branch| {
        let numerator = [7, -7, (1 << 90) - 1][branch];
        let numerator = external(cs, numerator);
        let divisor = external(cs, [3, 1_000_000, 1 << 40][branch]);
        let widths = Widths { quotient: 64, remainder: 40 };
        div_floor(cs, "division", &numerator, &divisor, widths);
    }),
    Circuit::gadget("gadgets/max_33_of_64", 2, |cs, branch| {
        let values = (0..33).map(|k| (k - 16) * [1, -(1 << 55)][branch]);
        let max = external(cs, values.clone().max().expect("33 values"));
        let values: Vec<_> = values.map(|value| external(cs, value)).collect();
        enforce_max(cs, "maximum", &max, &values, 64);
    }),
    Circuit::gadget("gadgets/poseidon_2", 1, |cs, _| hash_of(cs, 2)),
    Circuit::gadget("gadgets/poseidon_5", 1, |cs, _| hash_of(cs, 5)),
    Circuit::gadget("gadgets/poseidon_16", 1, |cs, _| hash_of(cs, 16)),
    Circuit::gadget("gadgets/sponge_40", 1, |cs, _| {
        let elements: Vec<_> = (0..40).map(|k| external(cs, k)).collect();
        sponge_hash(cs, Fr::from(1u64), &elements);
    }),
];

fn external(cs: &mut Cs<Fr>, value: i128) -> Lc<Fr> {
    cs.external("input", signed(value))
}

fn hash_of(cs: &mut Cs<Fr>, arity: i128) {
    let inputs: Vec<_> = (0..arity).map(|k| external(cs, k)).collect();
    hash(cs, &inputs);
}
