//! Real processes with broken outputs and folders; none of them gets as far as the circuit.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use zkmargin_host::broken::{closed_pipe, full_disk, said};

fn demo(out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkmargin-demo"));
    command.arg("--out").arg(out);
    command
}

#[test]
fn a_full_disk_ends_the_run_with_status_3_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = [
        demo(folder.path()).stdout(full_disk()).output().unwrap(),
        demo(folder.path()).arg("--help").stdout(full_disk()).output().unwrap(),
    ];
    for output in outputs {
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains("standard output cannot be written"), "{}", said(&output));
    }
    // It ended before the venue, whose batch takes minutes to prove.
    assert!(!folder.path().join("sequencer").exists());
}

/// The first chapter goes into the closed pipe; the first artefact cannot take its place.
#[test]
fn a_closed_pipe_is_quiet_and_a_blocked_artefact_is_status_3_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("risk_table.json");
    fs::create_dir(&blocked).unwrap();
    for stream in [closed_pipe(), Stdio::piped()] {
        let output = demo(folder.path()).stdout(stream).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        let expected = format!("demo: {}: ", blocked.display());
        let said = said(&output);
        assert!(said.starts_with(&expected) && said.lines().count() == 1, "{said}");
    }
    let help = demo(folder.path()).arg("--help").stdout(closed_pipe()).output().unwrap();
    assert_eq!((help.status.code(), said(&help).as_str()), (Some(0), ""));
    let status = demo(folder.path()).stdout(Stdio::null()).stderr(full_disk()).status().unwrap();
    assert_eq!(status.code(), Some(3));
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "the blocked artefact and the folder of keys, and no draft");
}

#[test]
fn rejects_a_folder_under_a_file_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    let output = demo(&file.join("out")).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
    assert!(said(&output).starts_with(&format!("demo: {}", file.display())), "{}", said(&output));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}
