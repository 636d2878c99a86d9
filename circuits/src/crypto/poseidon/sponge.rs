//! The sponge of width 17.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::crypto::poseidon::{RATE, WIDTH_MAX, capacity};

use super::{Lane, permute, permute_anchored};
use crate::cs::{Cs, Lc};

/// The sponge of width 17, twin of `zkmargin_protocol::crypto::poseidon::Sponge`.
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
/// Each block of 16 costs a permutation of width 17, 612 constraints; in the first block the
/// capacity and the lanes left empty are constant, 3 less each.
pub fn sponge_hash(cs: &mut Cs<Fr>, tag: Fr, elements: &[Lc<Fr>]) -> Lc<Fr> {
    let mut sponge = Sponge::new(tag, elements.len());
    sponge.absorb(cs, elements);
    let output = sponge.squeeze(cs, 1).swap_remove(0);
    cs.note_determined(&[&output], &elements.iter().collect::<Vec<_>>());
    output
}
