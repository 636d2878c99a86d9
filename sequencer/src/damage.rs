//! What is wrong with a store, and what helps.

use std::fmt;
use std::path::{Path, PathBuf};

/// A part of a store that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    what: String,
    remedy: Remedy,
    /// Empty while the damage is handled inside the store.
    store: PathBuf,
}

/// What helps against a damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// What is damaged follows from the log, as far as can be told.
    Rebuild,
    /// The anchor is lost, so that nobody can tell whether the log is whole.
    RebuildWithoutAnchor,
    /// The log is damaged.
    Restore,
}

impl Damage {
    pub(crate) fn new(what: impl Into<String>, remedy: Remedy) -> Self {
        Self { what: what.into(), remedy, store: PathBuf::new() }
    }

    /// The damage, naming the store it is in.
    pub(crate) fn at(mut self, directory: &Path) -> Self {
        if self.store.as_os_str().is_empty() {
            self.store = directory.to_owned();
        }
        self
    }

    /// What is wrong.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// What helps.
    pub fn remedy(&self) -> Remedy {
        self.remedy
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, remedy, store } = self;
        let store = store.display();
        write!(f, "the store {store} is damaged: {what}. ")?;
        match remedy {
            Remedy::Rebuild => write!(
                f,
                "Run `sequencer --store {store} rebuild`: it makes again what follows from the \
                 log. If it finds the log damaged too, restore a backup."
            ),
            Remedy::RebuildWithoutAnchor => write!(
                f,
                "Without the anchor nobody can tell whether the last entries of the log are \
                 missing. Restore a backup, or, if the loss of acknowledged entries is \
                 acceptable, run `sequencer --store {store} rebuild --without-anchor`."
            ),
            Remedy::Restore => write!(
                f,
                "The log cannot be made again: keep a copy of the folder, then restore a backup \
                 (`sequencer backup` makes them)."
            ),
        }
    }
}
