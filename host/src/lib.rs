//! What every program needs from the machine it runs on: output that may fail, and files that are
//! there whole or not at all.
//!
//! Invariants: nothing here panics on a closed pipe, a full disk or a missing folder; a file that
//! stood under a name before a failed write is still there after it.
#![forbid(unsafe_code)]

#[cfg(feature = "broken")]
pub mod broken;
pub mod file;
pub mod output;
pub mod threads;
pub mod usage;

pub use file::FileError;
pub use output::OutputError;
