//! Values by account that can be put back to what they were.

use std::collections::BTreeMap;
use std::ops::Deref;

use crate::value::units::AccountIndex;

/// A value for each of some accounts, and what was overwritten since [`Draft::keep`].
#[derive(Clone, Debug)]
pub(crate) struct Draft<V> {
    values: BTreeMap<AccountIndex, V>,
    overwritten: Vec<Overwritten<V>>,
}

#[derive(Clone, Debug)]
struct Overwritten<V> {
    index: AccountIndex,
    value: Option<V>,
}

/// A moment to which a draft can be put back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(usize);

impl<V> Default for Draft<V> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), overwritten: Vec::new() }
    }
}

impl<V> Deref for Draft<V> {
    type Target = BTreeMap<AccountIndex, V>;

    fn deref(&self) -> &Self::Target {
        &self.values
    }
}

impl<V> Draft<V> {
    /// Sets a value.
    pub fn insert(&mut self, index: AccountIndex, value: V) {
        let value = self.values.insert(index, value);
        self.overwritten.push(Overwritten { index, value });
    }

    /// Now.
    pub fn mark(&self) -> Mark {
        Mark(self.overwritten.len())
    }

    /// Puts the values back to what they were at `mark`, which is not before the last
    /// [`Draft::keep`].
    pub fn roll_back(&mut self, mark: Mark) {
        for Overwritten { index, value } in self.overwritten.drain(mark.0..).rev() {
            match value {
                Some(value) => self.values.insert(index, value),
                None => self.values.remove(&index),
            };
        }
    }

    /// Forgets what was overwritten.
    pub fn keep(&mut self) {
        self.overwritten.clear();
    }
}
