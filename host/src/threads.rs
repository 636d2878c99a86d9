//! The threads among which work is divided.

use thiserror::Error;

/// The system gives no threads. Exit status 3.
#[derive(Debug, Error)]
#[error("no threads can be started: {0}")]
pub struct ThreadError(#[from] rayon::ThreadPoolBuildError);

/// Starts as many threads as the machine has processors. Without this the first work that is
/// divided would start them, and could only panic if there are none to be had.
///
/// # Errors
/// [`ThreadError`].
pub fn start() -> Result<(), ThreadError> {
    Ok(rayon::ThreadPoolBuilder::new().build_global()?)
}
