//! Poseidon, the twin of `zkmargin_protocol::crypto::poseidon`.
//!
//! An S-box costs three constraints, `x²`, `x⁴` and `x⁵`, and nothing on a lane that is constant: a
//! permutation of width t has `3·(8t + R_P)` less 3 for each constant lane, and no other
//! constraint. In a full round the variable of an S-box is its output; the next lanes are
//! combinations of t outputs. In a partial round it is the *next* input of lane 0, and `x⁵` is the
//! combination that the matrix makes of it: so the growing combination stands in one matrix, once a
//! round, instead of three times.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkmargin_protocol::crypto::poseidon::{self as native, Constants, constants};

mod plan;
mod sponge;

pub use sponge::{Sponge, sponge_hash};

use crate::cs::{Cs, Lc};
use plan::{Plan, invert};

/// A lane of the state that enters a permutation.
///
/// What is constant is part of the shape and has to be said: in witness mode a wire does not know
/// it.
#[derive(Clone, Debug)]
pub enum Lane {
    /// A constant; its first S-box is free.
    Constant(Fr),
    /// A wire.
    Wire(Lc<Fr>),
}

impl Lane {
    fn value(&self) -> Fr {
        match self {
            Self::Constant(value) => *value,
            Self::Wire(lc) => lc.value(),
        }
    }

    fn plus(&self, cs: &Cs<Fr>, constant: Fr) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(*value + constant),
            Self::Wire(lc) => Self::Wire(lc.plus(&cs.constant(constant))),
        }
    }

    /// The lane as a wire.
    pub fn into_lc(self, cs: &Cs<Fr>) -> Lc<Fr> {
        match self {
            Self::Constant(value) => cs.constant(value),
            Self::Wire(lc) => lc,
        }
    }
}

/// The permutation of width `state.len()`: `3·(8t + R_P)` constraints, 3 less for each constant
/// lane.
pub fn permute(cs: &mut Cs<Fr>, state: Vec<Lane>) -> Vec<Lc<Fr>> {
    permute_anchored(cs, state, None)
}

/// The hash of circomlib: lane 0 starts at zero and is the result. `3·(8t + R_P) − 3` constraints,
/// `t = inputs + 1`.
pub fn hash(cs: &mut Cs<Fr>, inputs: &[Lc<Fr>]) -> Lc<Fr> {
    let wires = inputs.iter().cloned().map(Lane::Wire);
    let state = std::iter::once(Lane::Constant(Fr::ZERO)).chain(wires).collect();
    let output = permute_anchored(cs, state, Some(0)).swap_remove(0);
    cs.note_determined(&[&output], &inputs.iter().collect::<Vec<_>>());
    output
}

/// The permutation; the output lane `anchor` becomes a single variable, in place of the output of
/// its last S-box.
fn permute_anchored(cs: &mut Cs<Fr>, state: Vec<Lane>, anchor: Option<usize>) -> Vec<Lc<Fr>> {
    let constants = constants(state.len());
    let (t, half) = (constants.t, constants.full_rounds / 2);
    let rounds: Vec<_> = constants.round_constants.chunks_exact(t).collect();
    let (first, last) = (&rounds[..half], &rounds[half + constants.partial_rounds..]);
    let mut values: Vec<Fr> = state.iter().map(Lane::value).collect();
    let trace = native::permute_traced(&mut values);
    let (first_values, trace) = trace.split_at(half * t);
    let (partial_values, last_values) = trace.split_at(constants.partial_rounds);
    let mut last_values = last_values.chunks_exact(t);

    let mut outputs: Vec<_> = state
        .iter()
        .zip(first[0])
        .map(|(lane, constant)| match lane.plus(cs, *constant) {
            Lane::Constant(value) => cs.constant(quintic(value)),
            Lane::Wire(x) => s_box(cs, &x),
        })
        .collect();
    for (constant, values) in first.iter().zip(first_values.chunks_exact(t)).skip(1) {
        let inputs = mix(cs, constants, &outputs, constant, values);
        outputs = inputs.iter().map(|x| s_box(cs, x)).collect();
    }
    let next_values = last_values.next().expect("full rounds follow");
    let mut inputs = partial_rounds(cs, constants, outputs, partial_values, next_values);
    for (constant, values) in last.iter().skip(1).zip(last_values) {
        let outputs: Vec<_> = inputs.iter().map(|x| s_box(cs, x)).collect();
        inputs = mix(cs, constants, &outputs, constant, values);
    }
    last_round(cs, constants, &inputs, &values, anchor)
}

/// `x⁴` as a wire. Two constraints.
fn fourth_power(cs: &mut Cs<Fr>, x: &Lc<Fr>) -> Lc<Fr> {
    let square = cs.product("poseidon x^2", x, x);
    cs.product("poseidon x^4", &square, &square)
}

/// `x⁵` as a wire. Three constraints.
fn s_box(cs: &mut Cs<Fr>, x: &Lc<Fr>) -> Lc<Fr> {
    let fourth = fourth_power(cs, x);
    cs.product("poseidon x^5", &fourth, x)
}

fn quintic(x: Fr) -> Fr {
    x.square().square() * x
}

/// The inputs of a full round, whose values are known: matrix, then constants.
fn mix(
    cs: &Cs<Fr>,
    constants: &Constants,
    outputs: &[Lc<Fr>],
    constant: &[Fr],
    values: &[Fr],
) -> Vec<Lc<Fr>> {
    let one = cs.one();
    let lane = |((row, constant), value): ((&Vec<Fr>, &Fr), &Fr)| {
        cs.combination(*value, || {
            let parts = outputs.iter().zip(row.iter().copied());
            std::iter::once((&one, *constant)).chain(parts)
        })
    };
    constants.mds.iter().zip(constant).zip(values).map(lane).collect()
}

/// S-boxes and matrix of the last round. With an anchor a, the variable is the result's lane a
/// instead of the a-th output `y_a = (lane_a − Σ_{j≠a} M_aj·y_j) / M_aa`.
fn last_round(
    cs: &mut Cs<Fr>,
    constants: &Constants,
    inputs: &[Lc<Fr>],
    values: &[Fr],
    anchor: Option<usize>,
) -> Vec<Lc<Fr>> {
    let mut outputs: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(lane, x)| if anchor == Some(lane) { cs.zero() } else { s_box(cs, x) })
        .collect();
    let zeros = vec![Fr::ZERO; constants.t];
    let Some(anchor) = anchor else { return mix(cs, constants, &outputs, &zeros, values) };
    let x = &inputs[anchor];
    let row = &constants.mds[anchor];
    let fourth = fourth_power(cs, x);
    let lane = cs.witness("poseidon output", values[anchor]);
    let others = Lc::sum(outputs.iter().zip(row.iter().copied()));
    outputs[anchor] = lane.minus(&others).scaled(invert(row[anchor]));
    cs.enforce("poseidon x^5", &fourth, x, &outputs[anchor]);
    let mut state = mix(cs, constants, &outputs, &zeros, values);
    state[anchor] = lane;
    state
}

/// The partial rounds, from the outputs of the S-boxes before them to the inputs of those after
/// them. `inputs` and `next` are the values of the S-boxes' inputs in and after the partial rounds.
fn partial_rounds(
    cs: &mut Cs<Fr>,
    constants: &Constants,
    outputs: Vec<Lc<Fr>>,
    inputs: &[Fr],
    next: &[Fr],
) -> Vec<Lc<Fr>> {
    let plan = Plan::of(constants);
    let mut basis = Vec::with_capacity(1 + outputs.len() + constants.partial_rounds);
    basis.push(cs.one());
    basis.extend(outputs);
    let over = |cs: &Cs<Fr>, basis: &[Lc<Fr>], row: &[Fr], value: Fr| {
        cs.combination(value, || basis.iter().zip(row.iter().copied()).collect::<Vec<_>>())
    };
    let mut x = over(cs, &basis, &plan.first_input, inputs[0]);
    let next_inputs = inputs[1..].iter().chain(&next[..1]);
    for (output, next) in plan.outputs.iter().zip(next_inputs) {
        let fourth = fourth_power(cs, &x);
        let next = cs.witness("poseidon lane 0", *next);
        basis.push(next.clone());
        let fifth = over(cs, &basis, output, quintic(x.value()));
        cs.enforce("poseidon x^5", &fourth, &x, &fifth);
        x = next;
    }
    let lanes = plan.lanes.iter().zip(&next[1..]);
    std::iter::once(x).chain(lanes.map(|(row, value)| over(cs, &basis, row, *value))).collect()
}
