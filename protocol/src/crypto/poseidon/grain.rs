//! The Grain LFSR of the Poseidon paper (appendix E), from which constants and matrix are drawn.
//!
//! It is the provenance of every Poseidon constant in this project: nothing is copied from a table.

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, Field, PrimeField};

/// Bits of a field element.
const FIELD_BITS: u32 = Fr::MODULUS_BIT_SIZE;
/// Bits of the register.
const REGISTER_BITS: u32 = 80;
/// Steps thrown away before the first output.
const WARM_UP_STEPS: usize = 160;

/// The register: bit 79 of `state` is the oldest bit, bit 0 the newest.
pub(super) struct Grain {
    state: u128,
}

impl Grain {
    /// The register of a prime field, S-box x^5, width `t` and the given numbers of rounds.
    pub(super) fn new(t: usize, full_rounds: usize, partial_rounds: usize) -> Self {
        let mut state: u128 = 0;
        let mut append = |value: usize, bits: u32| state = state << bits | value as u128;
        append(1, 2); // a prime field
        append(0, 4); // the S-box is a power
        append(FIELD_BITS as usize, 12);
        append(t, 12);
        append(full_rounds, 10);
        append(partial_rounds, 10);
        append((1 << 30) - 1, 30);
        let mut grain = Self { state };
        for _ in 0..WARM_UP_STEPS {
            grain.step();
        }
        grain
    }

    /// One step of the register, giving the new bit: b80 = b62 + b51 + b38 + b23 + b13 + b0.
    fn step(&mut self) -> bool {
        let taps = [62, 51, 38, 23, 13, 0];
        let bit =
            taps.iter().fold(0, |sum, tap| sum ^ (self.state >> (REGISTER_BITS - 1 - tap) & 1));
        self.state = (self.state << 1 | bit) & ((1 << REGISTER_BITS) - 1);
        bit == 1
    }

    /// One output bit: of each pair of bits the first says whether the second is used.
    fn bit(&mut self) -> bool {
        loop {
            let used = self.step();
            let bit = self.step();
            if used {
                return bit;
            }
        }
    }

    /// An integer of as many bits as the modulus has, most significant bit first.
    fn integer(&mut self) -> BigInt<4> {
        let mut limbs = [0u64; 4];
        for position in (0..FIELD_BITS).rev() {
            limbs[(position / 64) as usize] |= u64::from(self.bit()) << (position % 64);
        }
        BigInt::new(limbs)
    }

    /// A uniform element: integers not below the modulus are thrown away.
    fn element(&mut self) -> Fr {
        loop {
            if let Some(element) = Fr::from_bigint(self.integer()) {
                return element;
            }
        }
    }

    /// An element by reduction, as the paper's script draws the matrix.
    fn element_reduced(&mut self) -> Fr {
        let integer = self.integer();
        Fr::from_bigint(integer).unwrap_or_else(|| {
            let mut reduced = integer;
            reduced.sub_with_borrow(&Fr::MODULUS);
            // 254 bits are below twice the modulus: one subtraction is enough.
            Fr::from_bigint(reduced).expect("a 254-bit integer is below twice the modulus")
        })
    }

    /// The next `count` round constants.
    pub(super) fn elements(&mut self, count: usize) -> Vec<Fr> {
        (0..count).map(|_| self.element()).collect()
    }

    /// The Cauchy matrix `1/(x_i + y_j)` of the next 2·`t` elements, drawn again until it exists.
    pub(super) fn matrix(&mut self, t: usize) -> Vec<Vec<Fr>> {
        loop {
            let drawn: Vec<Fr> = (0..2 * t).map(|_| self.element_reduced()).collect();
            let distinct = (0..2 * t).all(|i| !drawn[..i].contains(&drawn[i]));
            let (xs, ys) = drawn.split_at(t);
            let rows: Option<Vec<Vec<Fr>>> =
                xs.iter().map(|x| ys.iter().map(|y| (*x + y).inverse()).collect()).collect();
            match rows {
                Some(rows) if distinct => return rows,
                _ => {}
            }
        }
    }
}
