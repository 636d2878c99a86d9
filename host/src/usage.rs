//! What a program does when its arguments do not let it start.

use std::io;

use crate::output;

/// The status of a program that prints its help, its version or what is wrong with its arguments,
/// and ends: 0 for help that was printed, 2 for wrong usage, 3 when standard output cannot be
/// written. A closed pipe is no error.
pub fn status(printed: io::Result<()>, is_wrong: bool) -> u8 {
    match output::written(printed) {
        _ if is_wrong => 2,
        Ok(()) => 0,
        Err(error) => {
            output::note(error);
            3
        }
    }
}
