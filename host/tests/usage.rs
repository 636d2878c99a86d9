//! The status of a program that only prints its help or its refusal.

use std::io::{Error, ErrorKind};

use zkmargin_host::usage::status;

#[test]
fn help_is_status_0_unless_the_disk_is_full_and_wrong_usage_is_2_in_any_case() {
    let cases = [(None, 0), (Some(ErrorKind::BrokenPipe), 0), (Some(ErrorKind::StorageFull), 3)];
    for (kind, help) in cases {
        let printed = || kind.map_or(Ok(()), |kind| Err(Error::from(kind)));
        assert_eq!([status(printed(), false), status(printed(), true)], [help, 2], "{kind:?}");
    }
}
