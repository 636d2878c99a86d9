//! Outputs that fail, for the tests of every program.

use std::fs::File;
use std::process::{Output, Stdio};

/// The writing end of a pipe that nobody reads: every write to it fails.
///
/// # Panics
/// If the machine gives no pipe.
pub fn closed_pipe() -> Stdio {
    let (_, writer) = std::io::pipe().expect("a pipe");
    writer.into()
}

/// A device without room: every write to it fails.
///
/// # Panics
/// Where there is no `/dev/full`.
pub fn full_disk() -> Stdio {
    File::options().write(true).open("/dev/full").expect("/dev/full").into()
}

/// What a program said on standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
