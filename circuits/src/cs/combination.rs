//! Variables and linear combinations of them.

use ark_ff::PrimeField;

/// A variable: the constant one, a public input or a witness.
///
/// Instances are numbered from 1 (0 is the constant one); witnesses carry the top bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(u32);

const WITNESS_BIT: u32 = 1 << 31;

impl Variable {
    /// The constant one.
    pub const ONE: Self = Self(0);

    pub(super) fn instance(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than 2^31 instances"))
    }

    pub(super) fn witness(index: usize) -> Self {
        let index = u32::try_from(index).expect("fewer than 2^31 witnesses");
        assert!(index < WITNESS_BIT, "fewer than 2^31 witnesses");
        Self(index | WITNESS_BIT)
    }

    /// The witness number, or `None` for the constant and the instances.
    pub fn witness_index(self) -> Option<usize> {
        (self.0 & WITNESS_BIT != 0).then_some((self.0 & !WITNESS_BIT) as usize)
    }

    /// The column in an assignment `[1, instances…, witnesses…]` with `instances` entries before
    /// the witnesses.
    pub fn column(self, instances: usize) -> usize {
        self.witness_index().map_or(self.0 as usize, |w| instances + w)
    }
}

/// A linear combination of variables and its value.
#[derive(Clone, Debug)]
pub struct Lc<F: PrimeField> {
    /// Sorted by variable, coefficients non-zero; empty in [`super::Mode::Witness`].
    terms: Vec<(Variable, F)>,
    value: F,
}

impl<F: PrimeField> Lc<F> {
    /// One variable.
    pub(super) fn variable(variable: Variable, value: F) -> Self {
        Self { terms: vec![(variable, F::ONE)], value }
    }

    /// A value without terms: zero, or any in [`super::Mode::Witness`].
    pub(super) fn untracked(value: F) -> Self {
        Self { terms: Vec::new(), value }
    }

    /// The value under the current assignment.
    pub fn value(&self) -> F {
        self.value
    }

    /// The terms, sorted by variable (empty in witness mode).
    pub fn terms(&self) -> &[(Variable, F)] {
        &self.terms
    }

    fn merge(&self, other: &Self, scale: F) -> Self {
        let value = self.value + other.value * scale;
        if self.terms.is_empty() && other.terms.is_empty() {
            return Self { terms: Vec::new(), value };
        }
        let mut terms = Vec::with_capacity(self.terms.len() + other.terms.len());
        let (mut left, mut right) = (self.terms.iter().peekable(), other.terms.iter().peekable());
        loop {
            match (left.peek(), right.peek()) {
                (Some(&&(a, x)), Some(&&(b, y))) if a == b => {
                    let sum = x + y * scale;
                    if !sum.is_zero() {
                        terms.push((a, sum));
                    }
                    left.next();
                    right.next();
                }
                (Some(&&(a, x)), Some(&&(b, _))) if a < b => {
                    terms.push((a, x));
                    left.next();
                }
                (Some(&&(a, x)), None) => {
                    terms.push((a, x));
                    left.next();
                }
                (_, Some(&&(b, y))) => {
                    let scaled = y * scale;
                    if !scaled.is_zero() {
                        terms.push((b, scaled));
                    }
                    right.next();
                }
                (None, None) => return Self { terms, value },
            }
        }
    }

    /// `self + other`.
    pub fn plus(&self, other: &Self) -> Self {
        self.merge(other, F::ONE)
    }

    /// `self − other`.
    pub fn minus(&self, other: &Self) -> Self {
        self.merge(other, -F::ONE)
    }

    /// `self + scale·other`.
    pub fn plus_scaled(&self, other: &Self, scale: F) -> Self {
        self.merge(other, scale)
    }

    /// `scale·self`.
    pub fn scaled(&self, scale: F) -> Self {
        if scale.is_zero() {
            return Self { terms: Vec::new(), value: F::ZERO };
        }
        let terms = self.terms.iter().map(|&(v, x)| (v, x * scale)).collect();
        Self { terms, value: self.value * scale }
    }

    /// `−self`.
    pub fn negated(&self) -> Self {
        self.scaled(-F::ONE)
    }

    /// `Σ scale·lc` in one pass.
    pub fn sum<'a>(parts: impl IntoIterator<Item = (&'a Self, F)>) -> Self {
        let (mut terms, mut value) = (Vec::new(), F::ZERO);
        for (lc, scale) in parts {
            value += lc.value * scale;
            terms.extend(lc.terms.iter().map(|&(variable, x)| (variable, x * scale)));
        }
        // The sort is stable and linear where the parts come in order, as they mostly do.
        terms.sort_by_key(|&(variable, _)| variable);
        terms.dedup_by(|(next, x), (kept, sum)| {
            let same = next == kept;
            if same {
                *sum += *x;
            }
            same
        });
        terms.retain(|(_, x)| !x.is_zero());
        Self { terms, value }
    }
}
