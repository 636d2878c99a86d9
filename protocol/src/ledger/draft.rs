//! Maps that can be set back: a refused operation leaves everything as it was.

use std::collections::BTreeMap;
use std::ops::Deref;

use crate::value::units::AccountIndex;

/// Values by account, with what has been overwritten since they were last kept or set back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft<V> {
    values: BTreeMap<AccountIndex, V>,
    /// In the order of writing; `None` where there was no value.
    overwritten: Vec<(AccountIndex, Option<V>)>,
}

impl<V> Draft<V> {
    /// Without values.
    pub fn new() -> Self {
        Self { values: BTreeMap::new(), overwritten: Vec::new() }
    }

    /// Writes a value.
    pub fn insert(&mut self, index: AccountIndex, value: V) {
        let before = self.values.insert(index, value);
        self.overwritten.push((index, before));
    }

    /// What has been written stays.
    pub fn keep(&mut self) {
        self.overwritten.clear();
    }

    /// What has been written since the last [`Draft::keep`] goes.
    pub fn undo(&mut self) {
        for (index, before) in self.overwritten.drain(..).rev() {
            match before {
                Some(value) => self.values.insert(index, value),
                None => self.values.remove(&index),
            };
        }
    }
}

impl<V> Deref for Draft<V> {
    type Target = BTreeMap<AccountIndex, V>;

    fn deref(&self) -> &Self::Target {
        &self.values
    }
}
