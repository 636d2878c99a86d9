//! A sponge over the permutation of width 17 for long inputs of fixed length.
//!
//! Lane 0 is the capacity and starts at a value which names both the domain and the exact number of
//! elements, so that inputs of different length or purpose never share a state; with the length
//! bound, padding with zeros is injective.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, PrimeField};

use super::{WIDTH_MAX, permute};

/// Elements absorbed by one permutation, and the most that can be squeezed.
pub const RATE: usize = WIDTH_MAX - 1;

/// The first value of the capacity lane: `tag·2^64 + length`.
///
/// Tags are below 2^184 ([`crate::crypto::domain::Tag::field`]), so that pairs of tag and length
/// never share a value.
pub fn capacity(tag: Fr, length: usize) -> Fr {
    let shift = Fr::from_bigint(BigInt::new([0, 1, 0, 0])).expect("2^64 is below the modulus");
    tag * shift + Fr::from(length as u64)
}

/// A sponge which will absorb exactly the announced number of elements and be squeezed once.
#[derive(Clone, Debug)]
pub struct Sponge {
    state: [Fr; WIDTH_MAX],
    length: usize,
    absorbed: usize,
}

impl Sponge {
    /// A sponge of domain `tag` for `length` elements.
    pub fn new(tag: Fr, length: usize) -> Self {
        let mut state = [Fr::ZERO; WIDTH_MAX];
        state[0] = capacity(tag, length);
        Self { state, length, absorbed: 0 }
    }

    /// Adds `elements` to lanes 1 to 16, with a permutation before each block but the first.
    /// Absorbing in pieces is the same as absorbing at once.
    ///
    /// # Panics
    /// If more elements come than were announced.
    pub fn absorb(&mut self, elements: &[Fr]) {
        assert!(elements.len() <= self.length - self.absorbed, "more elements than announced");
        for element in elements {
            let lane = self.absorbed % RATE;
            if lane == 0 && self.absorbed > 0 {
                permute(&mut self.state);
            }
            self.state[1 + lane] += element;
            self.absorbed += 1;
        }
    }

    /// The first `count` elements of the result, lanes 1 to `count` after a last permutation.
    ///
    /// # Panics
    /// If fewer elements came than were announced, or `count` is above 16.
    pub fn squeeze(mut self, count: usize) -> Vec<Fr> {
        assert_eq!(self.absorbed, self.length, "elements absorbed and announced");
        assert!(count <= RATE, "at most 16 elements can be squeezed");
        permute(&mut self.state);
        self.state[1..=count].to_vec()
    }
}

/// One element from `elements` under the domain `tag`: lane 1 of the sponge.
pub fn sponge_hash(tag: Fr, elements: &[Fr]) -> Fr {
    let mut sponge = Sponge::new(tag, elements.len());
    sponge.absorb(elements);
    sponge.squeeze(1)[0]
}
