//! The linear algebra of the partial rounds.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkmargin_protocol::crypto::poseidon::{Constants, WIDTH_MAX, WIDTH_MIN};

/// The linear algebra of the partial rounds: what each S-box puts out, over the basis
/// `[1, outputs of the full round before…, inputs of lane 0 after each partial round…]`.
pub(super) struct Plan {
    /// Input of the first partial round.
    pub(super) first_input: Vec<Fr>,
    /// Output of each partial round.
    pub(super) outputs: Vec<Vec<Fr>>,
    /// Inputs of lanes 1.. in the full round which follows.
    pub(super) lanes: Vec<Vec<Fr>>,
}

impl Plan {
    pub(super) fn of(constants: &Constants) -> &'static Self {
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

pub(super) fn invert(entry: Fr) -> Fr {
    entry.inverse().expect("entries of a Cauchy matrix are not zero")
}
