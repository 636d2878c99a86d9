//! Real processes whose standard output is a full disk or a closed pipe.

use std::process::{Command, Stdio};

use zkmargin_host::broken::{closed_pipe, full_disk};

fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments);
    command
}

/// Commands that print and take no time.
const PRINTING: [&[&str]; 4] = [
    &["parts", "--gadget", "gadgets/boolean"],
    &["audit", "--gadget", "gadgets/boolean"],
    &["audit", "--gadget", "gadgets/boolean", "--json"],
    &["--help"],
];

#[test]
fn a_full_disk_is_status_3_in_words() {
    for arguments in PRINTING {
        let output = xtask(arguments).stdout(full_disk()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
        assert!(said.contains("standard output cannot be written: No space left"), "{said}");
    }
}

#[test]
fn a_closed_pipe_is_quiet() {
    for arguments in PRINTING {
        let output = xtask(arguments).stdout(closed_pipe()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn the_status_is_the_same_when_only_standard_error_fails() {
    let cases: [(&[&str], i32); 4] = [
        (&["parts", "--gadget", "no such circuit"], 1),
        (&["evm", "/no/such/folder"], 3),
        (&["fixtures", "--chain-id", "0"], 2),
        (&["fixtures", "--seed", "18446744073709551616"], 2),
    ];
    for (arguments, status) in cases {
        for stream in [full_disk(), closed_pipe(), Stdio::piped()] {
            let output = xtask(arguments).stderr(stream).output().unwrap();
            assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        }
    }
}
