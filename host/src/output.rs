//! Standard output and standard error of a program.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use thiserror::Error;

/// Standard output cannot be written: the disk behind it is full, for example. Exit status 3.
#[derive(Debug, Error)]
#[error("standard output cannot be written: {0}")]
pub struct OutputError(#[from] io::Error);

/// Writes one line to standard output and flushes it. A closed pipe is no error: its reader has
/// what it wanted, and the program ends with the status it would have ended with.
///
/// # Errors
/// [`OutputError`] for any other failure.
pub fn line(text: impl Display) -> Result<(), OutputError> {
    written(write_line(&mut io::stdout().lock(), text))
}

/// Writes bytes to standard output and flushes them; otherwise as [`line()`].
///
/// # Errors
/// [`OutputError`].
pub fn bytes(content: &[u8]) -> Result<(), OutputError> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(content).and_then(|()| stdout.flush()))
}

/// Writes one line to standard error. Nobody can be told when that fails, so the failure is ignored
/// and the status of the program stays what it is.
pub fn note(text: impl Display) {
    let _ = write_line(&mut io::stderr().lock(), text);
}

fn write_line(stream: &mut impl Write, text: impl Display) -> io::Result<()> {
    // One write per line, so that lines of several threads or processes do not mix.
    stream.write_all(format!("{text}\n").as_bytes())?;
    stream.flush()
}

pub(crate) fn written(result: io::Result<()>) -> Result<(), OutputError> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
