//! The binary with the machine against it: damaged and mixed keys, cut runs, full disks, closed
//! pipes, files of another kind.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;
use zkmargin_fixtures::build::tiny_batch;
use zkmargin_fixtures::data::trades::manifest;
use zkmargin_host::broken::{closed_pipe, full_disk, said};
use zkmargin_prover::batch;
use zkmargin_verifier::{Domain, StatementFile};

fn prover(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prover"));
    command.current_dir(folder).args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    prover(folder, arguments).output().expect("the binary runs")
}

/// Runs the program under a limit which a shell sets first: `ulimit -f` stands in for a full disk,
/// `ulimit -v` for a machine without memory to spare.
fn limited(folder: &Path, limit: &str, arguments: &[&str]) -> Output {
    let script = format!("trap '' XFSZ; {limit}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.current_dir(folder).args(["-c", &script, env!("CARGO_BIN_EXE_prover")]);
    shell.args(arguments).output().expect("a shell")
}

#[track_caller]
fn ends(output: &Output, status: i32, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(status), "{said}");
    for word in words {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

const SETUP: [&str; 6] = ["setup", "--shape", "tiny", "--dev", "--cache", "keys"];
const PROVE: [&str; 5] = ["prove", "--batch", "batch-0.json", "--out", "proof"];

/// A key of the tiny shape, made once.
static KEY: LazyLock<(String, Vec<u8>)> = LazyLock::new(|| {
    let folder = TempDir::new().expect("temporary folder");
    let output = run(folder.path(), &SETUP);
    ends(&output, 0, &[]);
    let path = String::from_utf8(output.stdout).expect("text").trim().to_owned();
    let bytes = fs::read(folder.path().join(&path)).expect("the key");
    (path, bytes)
});

/// A folder with the key, a batch and its statement; and the path of the key.
fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("temporary folder");
    let (path, bytes) = &*KEY;
    let path = folder.path().join(path);
    fs::create_dir(folder.path().join("keys")).expect("temporary folder");
    fs::write(&path, bytes).expect("temporary file");
    let trace = tiny_batch(true);
    let manifest = manifest().expect("manifest");
    let domain = Domain::new(manifest.chain_id, manifest.contract.0);
    let statement = batch::statement(&trace, domain).expect("same domain");
    let json = serde_json::to_vec(&trace).expect("JSON");
    fs::write(folder.path().join("batch-0.json"), json).expect("temporary file");
    let name = format!("statement-{}.bin", trace.number);
    let statement = StatementFile(statement).to_bytes();
    fs::write(folder.path().join(name), statement).expect("temporary file");
    (folder, path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A setup that was killed after twelve megabytes and whose seed is gone makes a key that proves.
#[test]
fn a_cut_setup_without_its_seed_makes_a_key_of_one_set_of_secrets() {
    let (folder, path) = place();
    let (_, bytes) = &*KEY;
    for seed in [None, Some([])] {
        fs::remove_file(&path).expect("the key");
        fs::write(beside(&path, ".partial"), &bytes[..12_000_000]).expect("temporary file");
        if let Some(seed) = seed {
            fs::write(beside(&path, ".seed"), seed).expect("temporary file");
        }
        ends(&run(folder.path(), &SETUP), 0, &[]);
        // A proof under a key of two secrets does not verify.
        ends(&run(folder.path(), &PROVE), 0, &[]);
        assert!(!beside(&path, ".seed").exists());
    }
}

#[test]
fn a_seed_left_next_to_a_whole_key_is_removed() {
    let (folder, path) = place();
    let seed = beside(&path, ".seed");
    let key = path.to_str().expect("text");
    for arguments in [&SETUP[..], &["keys", "verify", key]] {
        fs::write(&seed, [7; 32]).expect("temporary file");
        ends(&run(folder.path(), arguments), 0, &["removed"]);
        assert!(!seed.exists());
    }
    let again = run(folder.path(), &SETUP);
    ends(&again, 0, &[]);
    assert!(!said(&again).contains("removed"));
}

/// Says which key is damaged and what to do, and what it says helps.
#[test]
fn a_damaged_key_is_named_with_its_remedy() {
    let (folder, path) = place();
    let mut flipped = fs::read(&path).expect("the key");
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(&path, &flipped).expect("temporary file");
    let name = path.file_name().expect("a name").to_str().expect("text");
    let key = path.to_str().expect("text");
    let words = [name, "damaged in section", "--replace"];
    for arguments in
        [&SETUP[..], &PROVE, &["keys", "verify", key], &[&PROVE[..], &["--key", key]].concat()]
    {
        ends(&run(folder.path(), arguments), 51, &words);
        assert_eq!(fs::read(&path).expect("the key"), flipped, "nothing is replaced unasked");
        assert!(!folder.path().join("proof").exists());
    }
    ends(&run(folder.path(), &[&SETUP[..], &["--replace"]].concat()), 0, &[]);
    ends(&run(folder.path(), &PROVE), 0, &[]);
}

/// What takes no time is said before what takes long.
#[test]
fn prove_and_setup_say_first_what_they_cannot_do() {
    let (folder, path) = place();
    let first = |arguments: &[&str], status: i32, words: &[&str]| {
        let output = run(folder.path(), arguments);
        ends(&output, status, words);
        assert!(!said(&output).contains("circuit: started"), "{}", said(&output));
        assert!(!folder.path().join("proof").exists(), "{arguments:?} left a folder");
    };
    let with = |more: &[&'static str]| [&PROVE[..], more].concat();
    // A folder cannot be made under a file.
    let mut under_a_file = PROVE;
    under_a_file[4] = "batch-0.json/proof";
    first(&under_a_file, 3, &["batch-0.json/proof"]);
    first(&with(&["--key", "nothing.key"]), 51, &["nothing.key", "prover setup"]);
    first(&with(&["--key", "batch-0.json"]), 51, &["batch-0.json", "not a zkmargin proving key"]);
    fs::write(folder.path().join("short.key"), &KEY.1[..10_000]).expect("temporary file");
    first(&with(&["--key", "short.key"]), 51, &["short.key", "truncated"]);
    first(&with(&["--cache", "elsewhere"]), 51, &["elsewhere", "prover setup"]);
    let mut setup = SETUP;
    setup[5] = "batch-0.json/keys";
    first(&setup, 3, &["batch-0.json/keys"]);
    // The last thing to be found out takes the new folder away again.
    fs::rename(&path, folder.path().join("keys/other.key")).expect("temporary file");
    ends(&run(folder.path(), &PROVE), 51, &["prover setup"]);
    assert!(!folder.path().join("proof").exists());
}

/// Three gigabytes of nothing, which take no place on the disk, and 2 GB of memory to read them.
#[test]
fn a_large_file_of_another_kind_is_refused_by_its_first_bytes() {
    let (folder, _) = place();
    let zeros = fs::File::create(folder.path().join("zeros")).expect("temporary file");
    zeros.set_len(3 << 30).expect("a sparse file");
    let mut batch = PROVE;
    batch[2] = "zeros";
    let statement = [&PROVE[..], &["--statement", "zeros"]].concat();
    let key = [&PROVE[..], &["--key", "zeros"]].concat();
    let cases: [(&[&str], i32, &str); 5] = [
        (&batch, 56, "begins with the byte 0x00"),
        (&statement, 54, "zeros: this is not a zkmST file"),
        (&key, 51, "zeros: this is not a zkmargin proving key"),
        (&["keys", "verify", "zeros"], 51, "not a zkmargin proving key"),
        (&["keys", "inspect", "zeros"], 51, "not a zkmargin proving key"),
    ];
    for (arguments, status, word) in cases {
        ends(&limited(folder.path(), "ulimit -v 2000000", arguments), status, &["zeros", word]);
    }
}

#[test]
fn a_mark_before_a_batch_is_skipped_and_utf16_is_named() {
    let (folder, _) = place();
    let path = folder.path().join("batch-0.json");
    let json = fs::read_to_string(&path).expect("the batch");
    let utf16: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&path, utf16).expect("temporary file");
    ends(&run(folder.path(), &PROVE), 56, &["batch-0.json", "UTF-16"]);
    fs::write(&path, format!("\u{feff}{json}")).expect("temporary file");
    // The batch is read; the key is the next thing to be missed.
    let keyless = [&PROVE[..], &["--cache", "elsewhere"]].concat();
    ends(&run(folder.path(), &keyless), 51, &["elsewhere"]);
}

/// `ulimit -f` stands in for the full disk. Neither run stops the next.
#[test]
fn a_full_disk_ends_with_3_and_leaves_what_was_there() {
    let (folder, path) = place();
    fs::rename(&path, folder.path().join("whole")).expect("temporary file");
    let cut = limited(folder.path(), "ulimit -f 20000", &SETUP);
    ends(&cut, 3, &[".key.partial", "carries on"]);
    assert!(beside(&path, ".partial").exists() && !path.exists());
    ends(&run(folder.path(), &SETUP), 0, &[]);

    let proof = folder.path().join("proof");
    fs::create_dir(&proof).expect("temporary folder");
    fs::write(proof.join("report.json"), "good").expect("temporary file");
    ends(&limited(folder.path(), "ulimit -f 1", &PROVE), 3, &["proof/"]);
    assert_eq!(fs::read(proof.join("report.json")).expect("a file"), b"good");
    assert_eq!(fs::read_dir(&proof).expect("a folder").count(), 1, "drafts are removed");
    // Progress and notes have nowhere to go: the proof is made all the same.
    let silent = prover(folder.path(), &PROVE).stderr(full_disk()).output().expect("runs");
    assert_eq!(silent.status.code(), Some(0));
    assert_eq!(fs::read_dir(&proof).expect("a folder").count(), 7);
}

#[test]
fn ends_quietly_when_nobody_reads_and_with_3_when_standard_output_is_full() {
    let (folder, path) = place();
    let key = path.to_str().expect("text");
    let cases: [&[&str]; 5] =
        [&["shapes"], &["keys", "inspect", key], &["--help"], &["--version"], &SETUP];
    for arguments in cases {
        let with = |stdout: Stdio| {
            prover(folder.path(), arguments).stdout(stdout).output().expect("the binary runs")
        };
        let closed = with(closed_pipe());
        ends(&closed, 0, &[]);
        assert!(!said(&closed).contains("panicked"), "{}", said(&closed));
        ends(&with(full_disk()), 3, &["No space left"]);
    }
    for stderr in [closed_pipe, full_disk] {
        let status = |arguments: &[&str]| {
            let output = prover(folder.path(), arguments).stderr(stderr()).output();
            output.expect("the binary runs").status.code()
        };
        assert_eq!(status(&SETUP), Some(0));
        assert_eq!(status(&["setup", "--shape", "tiny"]), Some(50));
        assert_eq!(status(&["setup", "--wrong"]), Some(2));
    }
}
