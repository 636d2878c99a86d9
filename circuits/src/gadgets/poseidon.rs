//! Poseidon, the twin of `zkmargin_protocol::poseidon`.
//!
//! An S-box costs three constraints, `x²`, `x⁴` and `x⁵`, and nothing on a lane that is constant: a permutation of
//! width t has `3·(8t + R_P)` less 3 for each constant lane, and no other constraint. In a full round the variable
//! of an S-box is its output; the next lanes are combinations of t outputs. In a partial round it is the
//! *next* input of lane 0, and `x⁵` is the combination that the matrix makes of it: so the growing
//! combination stands in one matrix, once a round, instead of three times.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkmargin_protocol::poseidon::{Constants, RATE, WIDTH_MAX, WIDTH_MIN, capacity, constants};

use crate::cs::{Cs, Lc};

/// A lane of the state that enters a permutation.
///
/// What is constant is part of the shape and has to be said: in witness mode a wire does not know it.
#[derive(Clone, Debug)]
pub enum Lane {
    /// A constant; its first S-box is free.
    Constant(Fr),
    /// A wire.
    Wire(Lc<Fr>),
}

impl Lane {
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

/// The permutation of width `state.len()`: `3·(8t + R_P)` constraints, 3 less for each constant lane.
pub fn permute(cs: &mut Cs<Fr>, state: Vec<Lane>) -> Vec<Lc<Fr>> {
    permute_anchored(cs, state, None)
}

/// The hash of circomlib: lane 0 starts at zero and is the result. `3·(8t + R_P) − 3` constraints, `t = inputs + 1`.
pub fn hash(cs: &mut Cs<Fr>, inputs: &[Lc<Fr>]) -> Lc<Fr> {
    let wires = inputs.iter().cloned().map(Lane::Wire);
    let state = std::iter::once(Lane::Constant(Fr::ZERO)).chain(wires).collect();
    permute_anchored(cs, state, Some(0)).swap_remove(0)
}

/// The sponge of width 17, twin of `zkmargin_protocol::poseidon::Sponge`.
#[derive(Clone, Debug)]
pub struct Sponge {
    state: Vec<Lane>,
    length: usize,
    absorbed: usize,
}

impl Sponge {
    /// A sponge of domain `tag` for `length` elements.
    pub fn new(tag: Fr, length: usize) -> Self {
        let mut state = vec![Lane::Constant(Fr::ZERO); WIDTH_MAX];
        state[0] = Lane::Constant(capacity(tag, length));
        Self { state, length, absorbed: 0 }
    }

    /// Adds `elements`, with a permutation before each block but the first.
    ///
    /// # Panics
    /// If more elements come than were announced: lengths are part of the shape.
    pub fn absorb(&mut self, cs: &mut Cs<Fr>, elements: &[Lc<Fr>]) {
        assert!(elements.len() <= self.length - self.absorbed, "more elements than announced");
        for element in elements {
            let lane = self.absorbed % RATE;
            if lane == 0 && self.absorbed > 0 {
                let permuted = permute(cs, std::mem::take(&mut self.state));
                self.state = permuted.into_iter().map(Lane::Wire).collect();
            }
            let sum = match &self.state[1 + lane] {
                // An untouched lane of the first block.
                Lane::Constant(_) => element.clone(),
                Lane::Wire(lc) => lc.plus(element),
            };
            self.state[1 + lane] = Lane::Wire(sum);
            self.absorbed += 1;
        }
    }

    /// The first `count` elements of the result, lanes 1 to `count` after a last permutation.
    ///
    /// # Panics
    /// If fewer elements came than were announced, or `count` is above 16.
    pub fn squeeze(self, cs: &mut Cs<Fr>, count: usize) -> Vec<Lc<Fr>> {
        assert_eq!(self.absorbed, self.length, "elements absorbed and announced");
        assert!(count <= RATE, "at most 16 elements can be squeezed");
        let anchor = (count == 1).then_some(1);
        let mut state = permute_anchored(cs, self.state, anchor);
        state.drain(1..=count).collect()
    }
}

/// One element from `elements` under the domain `tag`: lane 1 of the sponge.
///
/// Each block of 16 costs a permutation of width 17, 612 constraints; in the first block the capacity and the lanes
/// left empty are constant, 3 less each.
pub fn sponge_hash(cs: &mut Cs<Fr>, tag: Fr, elements: &[Lc<Fr>]) -> Lc<Fr> {
    let mut sponge = Sponge::new(tag, elements.len());
    sponge.absorb(cs, elements);
    sponge.squeeze(cs, 1).swap_remove(0)
}

/// The permutation; the output lane `anchor` becomes a single variable, in place of the output of its last S-box.
fn permute_anchored(cs: &mut Cs<Fr>, mut state: Vec<Lane>, anchor: Option<usize>) -> Vec<Lc<Fr>> {
    let constants = constants(state.len());
    let half = constants.full_rounds / 2;
    let rounds: Vec<_> = constants.round_constants.chunks_exact(constants.t).collect();
    let (first, last) = (&rounds[..half], &rounds[half + constants.partial_rounds..]);

    let mut outputs = Vec::new();
    for (round, constant) in first.iter().enumerate() {
        if round > 0 {
            state = mix(constants, &outputs).into_iter().map(Lane::Wire).collect();
        }
        let boxes = state.iter().zip(*constant);
        outputs = boxes.map(|(lane, c)| s_box(cs, &lane.plus(cs, *c)).into_lc(cs)).collect();
    }
    let mut inputs = partial_rounds(cs, constants, outputs);
    for constant in &last[1..] {
        let outputs: Vec<_> = inputs.iter().map(|x| s_box_of_wire(cs, x)).collect();
        let mixed = mix(constants, &outputs);
        inputs = mixed.iter().zip(*constant).map(|(lc, c)| lc.plus(&cs.constant(*c))).collect();
    }
    last_outputs(cs, constants, &inputs, anchor)
}

/// `x⁴` as a wire. Two constraints.
fn fourth_power(cs: &mut Cs<Fr>, x: &Lc<Fr>) -> Lc<Fr> {
    let square = cs.product("poseidon x^2", x, x);
    cs.product("poseidon x^4", &square, &square)
}

fn s_box_of_wire(cs: &mut Cs<Fr>, x: &Lc<Fr>) -> Lc<Fr> {
    let fourth = fourth_power(cs, x);
    cs.product("poseidon x^5", &fourth, x)
}

fn s_box(cs: &mut Cs<Fr>, x: &Lane) -> Lane {
    match x {
        Lane::Constant(value) => Lane::Constant(quintic(*value)),
        Lane::Wire(lc) => Lane::Wire(s_box_of_wire(cs, lc)),
    }
}

fn quintic(x: Fr) -> Fr {
    x.square().square() * x
}

fn mix(constants: &Constants, outputs: &[Lc<Fr>]) -> Vec<Lc<Fr>> {
    constants.mds.iter().map(|row| Lc::sum(outputs.iter().zip(row.iter().copied()))).collect()
}

/// S-boxes and matrix of the last round. With an anchor a, the variable is the result's lane a instead of the
/// a-th output `y_a = (lane_a − Σ_{j≠a} M_aj·y_j) / M_aa`.
fn last_outputs(
    cs: &mut Cs<Fr>,
    constants: &Constants,
    inputs: &[Lc<Fr>],
    anchor: Option<usize>,
) -> Vec<Lc<Fr>> {
    let Some(anchor) = anchor else {
        let outputs: Vec<_> = inputs.iter().map(|x| s_box_of_wire(cs, x)).collect();
        return mix(constants, &outputs);
    };
    let row = &constants.mds[anchor];
    let mut outputs: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(lane, x)| if lane == anchor { cs.zero() } else { s_box_of_wire(cs, x) })
        .collect();
    let x = &inputs[anchor];
    let fourth = fourth_power(cs, x);
    let output = fourth.value() * x.value();
    let others = Lc::sum(outputs.iter().zip(row.iter().copied()));
    let lane = cs.witness("poseidon output", others.value() + row[anchor] * output);
    let inverse = invert(row[anchor]);
    outputs[anchor] = lane.minus(&others).scaled(inverse);
    cs.enforce("poseidon x^5", &fourth, x, &outputs[anchor]);
    let mut state = mix(constants, &outputs);
    state[anchor] = lane;
    state
}

/// The partial rounds, from the outputs of the S-boxes before them to the inputs of the S-boxes after them.
fn partial_rounds(cs: &mut Cs<Fr>, constants: &Constants, outputs: Vec<Lc<Fr>>) -> Vec<Lc<Fr>> {
    let plan = Plan::of(constants);
    let values = PartialValues::new(constants, &outputs);
    let mut basis = Vec::with_capacity(1 + outputs.len() + constants.partial_rounds);
    basis.push(cs.one());
    basis.extend(outputs);
    let over = |basis: &[Lc<Fr>], row: &[Fr], value: Fr, cs: &Cs<Fr>| {
        cs.combination(value, || basis.iter().zip(row.iter().copied()).collect::<Vec<_>>())
    };
    let mut x = over(&basis, &plan.first_input, values.inputs[0], cs);
    for (output, round) in plan.outputs.iter().zip(values.inputs.windows(2)) {
        let fourth = fourth_power(cs, &x);
        let next = cs.witness("poseidon lane 0", round[1]);
        basis.push(next.clone());
        let fifth = over(&basis, output, quintic(round[0]), cs);
        cs.enforce("poseidon x^5", &fourth, &x, &fifth);
        x = next;
    }
    let lanes = plan.lanes.iter().zip(&values.lanes);
    std::iter::once(x).chain(lanes.map(|(row, value)| over(&basis, row, *value, cs))).collect()
}

/// Values in the partial rounds.
struct PartialValues {
    /// The inputs of the S-box of lane 0, and that of the full round which follows.
    inputs: Vec<Fr>,
    /// The inputs of the other lanes in the full round which follows.
    lanes: Vec<Fr>,
}

impl PartialValues {
    fn new(constants: &Constants, outputs: &[Lc<Fr>]) -> Self {
        let half = constants.full_rounds / 2;
        let mut inputs = Vec::with_capacity(constants.partial_rounds + 1);
        let mut state: Vec<Fr> = outputs.iter().map(Lc::value).collect();
        let mut rounds = constants.round_constants.chunks_exact(constants.t).skip(half);
        for _ in 0..=constants.partial_rounds {
            let constant = rounds.next().expect("full rounds follow");
            let mixed = constants.mds.iter().zip(constant);
            state = mixed
                .map(|(row, c)| row.iter().zip(&state).map(|(m, s)| *m * s).sum::<Fr>() + c)
                .collect();
            inputs.push(state[0]);
            state[0] = quintic(state[0]);
        }
        Self { inputs, lanes: state.split_off(1) }
    }
}

/// The linear algebra of the partial rounds: what each S-box puts out, over the basis
/// `[1, outputs of the full round before…, inputs of lane 0 after each partial round…]`.
struct Plan {
    first_input: Vec<Fr>,
    outputs: Vec<Vec<Fr>>,
    /// Inputs of lanes 1.. in the full round which follows.
    lanes: Vec<Vec<Fr>>,
}

impl Plan {
    fn of(constants: &Constants) -> &'static Self {
        static PLANS: [OnceLock<Plan>; WIDTH_MAX - WIDTH_MIN + 1] =
            [const { OnceLock::new() }; WIDTH_MAX - WIDTH_MIN + 1];
        PLANS[constants.t - WIDTH_MIN].get_or_init(|| Self::new(constants))
    }

    fn new(constants: &Constants) -> Self {
        let (t, mds) = (constants.t, &constants.mds);
        let size = 1 + t + constants.partial_rounds;
        let half = constants.full_rounds / 2;
        let mut rounds = constants.round_constants.chunks_exact(t).skip(half);
        let first = rounds.next().expect("partial rounds follow");
        let mut lanes: Vec<Vec<Fr>> = (0..t)
            .map(|i| {
                let mut lane = vec![Fr::ZERO; size];
                lane[0] = first[i];
                lane[1..=t].copy_from_slice(&mds[i]);
                lane
            })
            .collect();
        let first_input = lanes[0].clone();
        let corner = invert(mds[0][0]);
        let mut outputs = Vec::with_capacity(constants.partial_rounds);
        for (k, constant) in rounds.take(constants.partial_rounds).enumerate() {
            // next = M_00·output + Σ_j M_0j·lane_j + constant, solved for the output.
            let mut next = vec![Fr::ZERO; size];
            next[1 + t + k] = Fr::ONE;
            let mut output = next.clone();
            output[0] = -constant[0];
            for j in 1..t {
                add_scaled(&mut output, &lanes[j], -mds[0][j]);
            }
            output.iter_mut().for_each(|x| *x *= corner);
            lanes[0].clone_from(&output);
            let mixed = (1..t).map(|i| {
                let mut lane = vec![Fr::ZERO; size];
                lane[0] = constant[i];
                for j in 0..t {
                    add_scaled(&mut lane, &lanes[j], mds[i][j]);
                }
                lane
            });
            lanes = std::iter::once(next).chain(mixed.collect::<Vec<_>>()).collect();
            outputs.push(output);
        }
        Self { first_input, outputs, lanes: lanes.split_off(1) }
    }
}

fn add_scaled(sum: &mut [Fr], row: &[Fr], scale: Fr) {
    for (x, y) in sum.iter_mut().zip(row) {
        if *y != Fr::ZERO {
            *x += *y * scale;
        }
    }
}

fn invert(entry: Fr) -> Fr {
    entry.inverse().expect("entries of a Cauchy matrix are not zero")
}
