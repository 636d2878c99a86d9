//! The random point of the identities. Spec: `docs/spec/batch/argument.md#what-is-proven`.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use crate::gadgets::boolean::Bool;
use crate::{Cs, Wire};

/// The random point of the identities.
pub struct Point {
    /// What keys are subtracted from.
    gamma: Wire,
    /// What the parts of a key are weighted by.
    beta: Wire,
}

impl Point {
    /// The point of these challenges.
    pub fn new(gamma: Wire, beta: Wire) -> Self {
        Self { gamma, beta }
    }

    /// `Σ key_k · β^k`, the compressed key of a tuple.
    pub fn compress(&self, cs: &mut Cs, key: &[&Wire]) -> Wire {
        let (last, front) = key.split_last().expect("keys are not empty");
        let mut sum = (*last).clone();
        for part in front.iter().rev() {
            sum = cs.product("compressed key", &sum, &self.beta).plus(part);
        }
        sum
    }

    /// `numerator / (γ − key)`.
    pub fn fraction(&self, cs: &mut Cs, numerator: &Wire, key: &Wire) -> Wire {
        let denominator = self.gamma.minus(key);
        // A zero denominator has a chance of 2^-240; the constraint then fails for a numerator that
        // is not zero.
        let inverse = denominator.value().inverse().unwrap_or(Fr::ZERO);
        let fraction = cs.witness("fraction", numerator.value() * inverse);
        cs.enforce("fraction", &fraction, &denominator, numerator);
        fraction
    }

    /// A fraction that counts only while the flag is set. The flag comes after the fraction: what a
    /// row in padding says of numerator and key need not be fixed before the point, and changes
    /// nothing.
    pub fn fraction_if(&self, cs: &mut Cs, flag: &Bool, numerator: &Wire, key: &Wire) -> Wire {
        if cs.is_planted("flag before its fraction") {
            let numerator = cs.product("numerator of a row in use", flag.lc(), numerator);
            return self.fraction(cs, &numerator, key);
        }
        let fraction = self.fraction(cs, numerator, key);
        cs.product("fraction of a row in use", flag.lc(), &fraction)
    }
}
