//! Poseidon over the BN254 scalar field with the constants of circomlib: x^5, widths 2 to 17, eight
//! full rounds. See `docs/spec/crypto/hashing.md`.
//!
//! Source: Grassi et al., "Poseidon: A New Hash Function for Zero-Knowledge Proof Systems".

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, PrimeField};

mod grain;
mod schedule;
mod sponge;

pub use sponge::{RATE, Sponge, capacity, sponge_hash};

use grain::Grain;
use schedule::{Schedule, quintic};

/// Smallest width of the state.
pub const WIDTH_MIN: usize = 2;
/// Largest width of the state.
pub const WIDTH_MAX: usize = 17;
/// Rounds in which every lane meets the S-box, half of them before the partial rounds.
pub const FULL_ROUNDS: usize = 8;
/// Rounds in which only lane 0 meets the S-box, for the widths 2 to 17: table 2 of the paper at 128
/// bits with its margin, as circomlib rounded it.
pub const PARTIAL_ROUNDS: [usize; WIDTH_MAX - WIDTH_MIN + 1] =
    [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];

/// Constants of one width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constants {
    /// Width of the state.
    pub t: usize,
    /// Full rounds, half before and half after the partial rounds.
    pub full_rounds: usize,
    /// Partial rounds.
    pub partial_rounds: usize,
    /// Constants added before the S-boxes, round by round: `(full_rounds + partial_rounds)·t`
    /// elements.
    pub round_constants: Vec<Fr>,
    /// The matrix, row by row: `new[i] = Σ_j mds[i][j]·old[j]`.
    pub mds: Vec<Vec<Fr>>,
}

impl Constants {
    fn generate(t: usize) -> Self {
        let partial_rounds = PARTIAL_ROUNDS[t - WIDTH_MIN];
        let mut grain = Grain::new(t, FULL_ROUNDS, partial_rounds);
        let round_constants = grain.elements((FULL_ROUNDS + partial_rounds) * t);
        let mds = grain.matrix(t);
        Self { t, full_rounds: FULL_ROUNDS, partial_rounds, round_constants, mds }
    }

    /// BLAKE3 of width, rounds, round constants and matrix: integers as 8, elements as 32
    /// little-endian bytes. `fixtures/poseidon.csv` pins it.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for number in [self.t, self.full_rounds, self.partial_rounds] {
            hasher.update(&(number as u64).to_le_bytes());
        }
        for element in self.round_constants.iter().chain(self.mds.iter().flatten()) {
            hasher.update(&element.into_bigint().to_bytes_le());
        }
        *hasher.finalize().as_bytes()
    }

    /// The permutation as the paper states it, round by round; the reference for [`permute`].
    ///
    /// # Panics
    /// If the state is not of width `t`.
    pub fn permute_plain(&self, state: &mut [Fr]) {
        assert_eq!(state.len(), self.t, "width of the state");
        let half = self.full_rounds / 2;
        for (round, constants) in self.round_constants.chunks_exact(self.t).enumerate() {
            for (value, constant) in state.iter_mut().zip(constants) {
                *value += constant;
            }
            let full = round < half || round >= half + self.partial_rounds;
            let boxes = if full { self.t } else { 1 };
            for value in &mut state[..boxes] {
                *value = quintic(*value);
            }
            let mixed: Vec<Fr> = self
                .mds
                .iter()
                .map(|row| row.iter().zip(&*state).map(|(m, s)| *m * s).sum())
                .collect();
            state.copy_from_slice(&mixed);
        }
    }
}

/// The constants of width `t`, generated at the first call.
///
/// # Panics
/// If `t` is not in 2..=17. Widths are constants of the callers.
pub fn constants(t: usize) -> &'static Constants {
    static TABLE: [OnceLock<Constants>; PARTIAL_ROUNDS.len()] =
        [const { OnceLock::new() }; PARTIAL_ROUNDS.len()];
    assert!((WIDTH_MIN..=WIDTH_MAX).contains(&t), "Poseidon width {t} is not in 2..=17");
    TABLE[t - WIDTH_MIN].get_or_init(|| Constants::generate(t))
}

/// The permutation of width `state.len()`, in place.
///
/// # Panics
/// If the width is not in 2..=17. Widths are constants of the callers.
pub fn permute(state: &mut [Fr]) {
    permute_seeing(state, |_| ());
}

/// [`permute`], and the input of each S-box in the order of rounds and lanes: `8t + partial rounds`
/// of them. The witness of a circuit.
///
/// # Panics
/// As [`permute`].
pub fn permute_traced(state: &mut [Fr]) -> Vec<Fr> {
    let boxes = constants(state.len());
    let mut inputs = Vec::with_capacity(boxes.full_rounds * boxes.t + boxes.partial_rounds);
    permute_seeing(state, |input| inputs.push(input));
    inputs
}

fn permute_seeing(state: &mut [Fr], see: impl FnMut(Fr)) {
    macro_rules! dispatch {
        ($($t:literal)*) => {
            match state.len() {
                $($t => {
                    static SCHEDULE: OnceLock<Schedule<$t>> = OnceLock::new();
                    let fixed: &mut [Fr; $t] = state.try_into().expect("the length was matched");
                    SCHEDULE.get_or_init(|| Schedule::new(constants($t))).permute(fixed, see);
                })*
                width => panic!("Poseidon width {width} is not in 2..=17"),
            }
        };
    }
    dispatch!(2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17);
}

/// The hash of circomlib: lane 0 starts at zero, the inputs fill lanes 1.., lane 0 is the result.
///
/// Hashes of different numbers of inputs are different functions; the first input is the tag of the
/// use ([`crate::crypto::domain::Tag`]). For more inputs, or a number that varies, take
/// [`sponge_hash`].
///
/// # Panics
/// If there are no inputs or more than 16. Arities are constants of the callers.
pub fn hash(inputs: &[Fr]) -> Fr {
    assert!((1..WIDTH_MAX).contains(&inputs.len()), "Poseidon takes 1 to 16 inputs");
    let mut state = [Fr::ZERO; WIDTH_MAX];
    state[1..=inputs.len()].copy_from_slice(inputs);
    permute(&mut state[..=inputs.len()]);
    state[0]
}
