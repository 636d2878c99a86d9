//! Output that cannot be written, and files on a full disk: every command of the binary.
#![cfg(all(feature = "cli", target_os = "linux"))]

mod program;
mod simulator;

use std::process::Stdio;

use ark_bn254::Fr;
use program::{Files, TRIPLE, limited, verifier};
use zkmargin_host::broken::{closed_pipe, full_disk, said};
use zkmargin_verifier::Provenance;

/// A command line of each kind, and its status.
fn commands() -> Vec<(Vec<&'static str>, i32)> {
    let triple =
        |command: &'static str, more: &[&'static str]| [&[command][..], &TRIPLE, more].concat();
    let json = ["--key", "json/verification_key.json", "--public", "json/public.json"];
    let json = [&["snarkjs", "--dev", "--proof", "json/proof.json"][..], &json].concat();
    vec![
        (triple("verify", &["--dev"]), 0),
        (triple("verify", &["--dev", "--json"]), 0),
        (triple("verify", &["--json"]), 30),
        (triple("verify", &["--dev", "--json", "--chain-id", "7"]), 27),
        (triple("export", &["--dev", "--out", "json"]), 0),
        (json, 0),
        (vec!["inspect", "key"], 0),
        (vec!["inspect", "statement"], 0),
        (vec!["solidity", "--key", "key", "--out", "out.sol", "--dev"], 0),
        (vec!["calldata", "--statement", "statement", "--proof", "proof", "--dev"], 0),
        (vec!["--help"], 0),
        (vec!["--version"], 0),
        (vec!["verify", "--help"], 0),
    ]
}

#[test]
fn ends_quietly_when_nobody_reads_and_with_3_when_the_disk_is_full() {
    let files = Files::new(Provenance::Development);
    let folder = files.folder.path();
    let exported = files.run("export", &["--dev", "--out", "json"]);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    for (arguments, status) in commands() {
        let run =
            |stdout: Stdio| verifier(folder).args(&arguments).stdout(stdout).output().unwrap();
        let closed = run(closed_pipe());
        assert_eq!(closed.status.code(), Some(status), "{arguments:?}: {}", said(&closed));
        assert!(!said(&closed).contains("panicked"), "{}", said(&closed));
        let full = run(full_disk());
        assert_eq!(full.status.code(), Some(3), "{arguments:?}: {}", said(&full));
        assert!(said(&full).contains("No space left"), "{arguments:?}: {}", said(&full));
    }
}

#[test]
fn the_verdict_keeps_its_code_when_only_standard_error_fails() {
    let mut files = Files::new(Provenance::Development);
    let run = |files: &Files, more: &[&str], stderr: Stdio| {
        let mut binary = verifier(files.folder.path());
        binary.arg("verify").args(TRIPLE).args(more).stderr(stderr).output().unwrap().status.code()
    };
    for stderr in [full_disk, closed_pipe] {
        assert_eq!(run(&files, &["--dev"], stderr()), Some(0));
        assert_eq!(run(&files, &[], stderr()), Some(30));
        assert_eq!(run(&files, &["--wrong"], stderr()), Some(2));
    }
    files.statement.words[3] += Fr::from(1u64);
    files.save();
    assert_eq!(run(&files, &["--dev"], full_disk()), Some(16));
}

/// `ulimit -f` stands in for the full disk: a file may have one block.
#[test]
fn a_full_disk_leaves_the_files_that_were_there() {
    let files = Files::new(Provenance::Ceremony);
    let folder = files.folder.path();
    let names = ["verification_key.json", "public.json", "proof.json"];
    let good = files.run("export", &["--out", "json"]);
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    let contents = || names.map(|name| std::fs::read(files.path("json").join(name)).unwrap());
    let before = contents();
    let export = [&["export"][..], &TRIPLE, &["--out", "json"]].concat();
    let output = limited(folder, "ulimit -f 1", &export);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert_eq!(contents(), before);
    assert_eq!(std::fs::read_dir(files.path("json")).unwrap().count(), 3, "drafts are removed");

    std::fs::write(files.path("out.sol"), "good").unwrap();
    let solidity = ["solidity", "--key", "key", "--out", "out.sol"];
    let output = limited(folder, "ulimit -f 1", &solidity);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert_eq!(std::fs::read(files.path("out.sol")).unwrap(), b"good");
}

/// The last of three files cannot be written: the first two stay as they were.
#[test]
fn an_export_is_whole_or_not_at_all() {
    let files = Files::new(Provenance::Ceremony);
    std::fs::create_dir_all(files.path("json/proof.json")).unwrap();
    std::fs::write(files.path("json/public.json"), "good").unwrap();
    let output = files.run("export", &["--out", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("proof.json"), "{}", said(&output));
    assert_eq!(std::fs::read(files.path("json/public.json")).unwrap(), b"good");
    assert!(!files.path("json/verification_key.json").exists());
}

#[test]
fn an_export_names_the_folder_it_cannot_make_before_it_reads_a_proof() {
    let files = Files::new(Provenance::Ceremony);
    std::fs::remove_file(files.path("proof")).unwrap();
    let output = files.run("export", &["--out", "key/json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("key/json"), "{}", said(&output));
}

/// Three gigabytes of nothing, which take no place on the disk, and 700 MB of memory to read them.
#[test]
fn a_large_file_of_another_kind_is_refused_by_its_first_bytes() {
    let files = Files::new(Provenance::Ceremony);
    let folder = files.folder.path();
    let sparse = |name: &str, head: &[u8]| {
        std::fs::write(files.path(name), head).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(files.path(name)).unwrap();
        file.set_len(3 << 30).unwrap();
    };
    sparse("zeros", &[]);
    let statement = std::fs::read(files.path("statement")).unwrap();
    sparse("longer", &statement);
    // A statement which says of itself that it has four gigabytes.
    sparse("greedy", &[&statement[..12], &[255; 4]].concat());
    let refused = |arguments: &[&str], status: i32, word: &str| {
        let output = limited(folder, "ulimit -v 700000", arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(word), "{arguments:?}: {}", said(&output));
    };
    let with = |name: &'static str, file: &'static str| {
        let mut triple = TRIPLE;
        let at = triple.iter().position(|word| *word == name).unwrap();
        triple[at + 1] = file;
        [&["verify"][..], &triple].concat()
    };
    for name in ["--key", "--statement", "--proof"] {
        refused(&with(name, "zeros"), 42, "Foreign");
    }
    refused(&with("--statement", "longer"), 41, "TrailingBytes");
    refused(&with("--statement", "greedy"), 46, "PayloadLength");
    refused(&["inspect", "zeros"], 42, "Foreign");
    refused(&["solidity", "--key", "zeros", "--out", "out.sol"], 42, "Foreign");
    refused(&["calldata", "--statement", "zeros", "--proof", "proof"], 42, "Foreign");
    for at in 0..3 {
        let mut json = ["key", "public", "proof"];
        json[at] = "zeros";
        let [key, public, proof] = json;
        let output = files.run("export", &["--out", "json"]);
        assert_eq!(output.status.code(), Some(0));
        let place = |name: &str, own: &str| match name {
            "zeros" => "zeros".to_owned(),
            _ => format!("json/{own}.json"),
        };
        let [key, public, proof] =
            [(key, "verification_key"), (public, "public"), (proof, "proof")]
                .map(|(name, own)| place(name, own));
        let arguments = ["snarkjs", "--key", &key, "--public", &public, "--proof", &proof];
        refused(&arguments, 54, "begins with the byte 0x00");
    }
}

/// A pipe has no length and is read all the same.
#[test]
fn files_come_through_pipes_too() {
    let files = Files::new(Provenance::Ceremony);
    let script = "cat proof | \"$0\" verify --key key --statement statement --proof /dev/stdin";
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(files.folder.path()).args(["-c", script]);
    let output = shell.arg(env!("CARGO_BIN_EXE_verifier")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}
