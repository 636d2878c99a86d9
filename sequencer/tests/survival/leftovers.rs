//! What ends early leaves nothing that stops the next run, and ordinary failures are no crashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::program::{BINARY, Run, sequencer, traded};
use crate::support::*;

use zkmargin_protocol::batch::shape::Shape;

/// No process has this number: the greatest that Linux gives is 2^22.
const DEAD: u32 = 4_194_305;

/// A folder with a genesis in a file, and the arguments that make a store of it.
fn founding() -> (tempfile::TempDir, PathBuf, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    let file = folder.path().join("genesis.json");
    fs::write(&file, serde_json::to_string(&genesis(Shape::TINY)).unwrap()).unwrap();
    let words = ["init", "--genesis", file.to_str().expect("ASCII")];
    (folder, place.join("store"), words.map(str::to_owned).into())
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs the binary where no file may grow beyond `blocks` of the shell's unit.
fn limited(blocks: usize, store: &Path, arguments: &[String]) -> Output {
    let script = format!("trap '' XFSZ; ulimit -c 0; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(BINARY).arg("--store").arg(store).args(arguments);
    command.output().expect("a shell")
}

#[test]
fn init_on_a_full_disk_fails_and_leaves_nothing() {
    let (_folder, store, arguments) = founding();
    let place = store.parent().unwrap();
    let mut failed = 0;
    for blocks in [0, 1, 8, 16, 32, 64, 96] {
        let run = Run::of(limited(blocks, &store, &arguments));
        if run.code == Some(0) {
            fs::remove_dir_all(&store).unwrap();
            continue;
        }
        run.failed(&["sequencer: ", place.to_str().expect("ASCII")]);
        assert_eq!(names(place), Vec::<String>::new(), "{blocks} blocks");
        failed += 1;
    }
    assert!(failed > 2, "some limits are below what a store takes");
    sequencer(&store, &arguments).good();
}

#[test]
fn init_on_a_full_file_system_fails_and_leaves_nothing() {
    let (_folder, store, arguments) = founding();
    let script = "mount -t tmpfs -o size=48k none \"$1\" || exit 77; place=\"$1\"; shift
        \"$0\" \"$@\"; echo \"$? $(ls -A \"$place\" | wc -l)\"
        mount -o remount,size=64m none \"$place\"
        \"$0\" \"$@\" >\"$place/answer\"; echo \"$? $(ls -A \"$place\" | wc -l)\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, BINARY]).arg(store.parent().unwrap());
    let output = command.arg("--store").arg(&store).args(&arguments).output();
    let Some(output) = output.ok().filter(|output| output.stdout.starts_with(b"3")) else {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"leftovers: no mounts here\n");
        return;
    };
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "3 0\n0 2\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn killed_init_does_not_stop_the_next() {
    let (_folder, store, arguments) = founding();
    let place = store.parent().unwrap();
    let start = Instant::now();
    sequencer(&store, &arguments).good();
    let whole = start.elapsed();
    fs::remove_dir_all(&store).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..20 {
        let mut command = Command::new(BINARY);
        command.arg("--store").arg(&store).args(&arguments).stdout(Stdio::null());
        let mut child = command.spawn().expect("the binary");
        thread::sleep(whole.mul_f64(rng.gen_range(0.0..1.0)));
        child.kill().expect("our child");
        child.wait().expect("our child");
        // A store that is there is whole.
        if store.exists() {
            sequencer(&store, &["status", "--verify"]).good();
            fs::remove_dir_all(&store).unwrap();
        }
        sequencer(&store, &arguments).good();
        assert_eq!(names(place), ["store"], "drafts of dead processes go");
        fs::remove_dir_all(&store).unwrap();
    }
}

#[test]
fn drafts_of_the_dead_go_and_those_of_the_living_and_of_others_stay() {
    let (_folder, store, arguments) = founding();
    let place = store.parent().unwrap();
    let ours = std::process::id();
    let kept = [
        format!(".store.{ours}.draft"),
        format!(".other.{DEAD}.draft"),
        format!("store.init-{DEAD}.tmp"),
        ".store.x.draft".to_owned(),
    ];
    for name in &kept {
        fs::create_dir(place.join(name)).unwrap();
    }
    let dead = place.join(format!(".store.{DEAD}.draft"));
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("sequencer.db"), "half").unwrap();
    sequencer(&store, &arguments).good();
    assert!(!dead.exists());
    for name in &kept {
        assert!(place.join(name).exists(), "{name}");
    }
}

#[test]
fn export_on_a_full_disk_leaves_the_old_files_and_no_drafts() {
    let venue = traded();
    let out = venue.folder.path().join("out");
    let to = out.to_str().expect("ASCII");
    let arguments = ["export", "--to", to].map(str::to_owned);
    fs::create_dir(&out).unwrap();
    fs::write(out.join("batch-0.json"), "old").unwrap();
    let dead = out.join(format!(".batch-1.json.{DEAD}.draft"));
    fs::write(&dead, "half").unwrap();
    Run::of(limited(1, &venue.store(), &arguments)).failed(&["batch-0.json"]);
    assert_eq!(names(&out), ["batch-0.json"]);
    assert_eq!(fs::read_to_string(out.join("batch-0.json")).unwrap(), "old");
    sequencer(&venue.store(), &arguments).good();
    let whole = ["batch-0.json", "batch-1.json", "statement-0.bin", "statement-1.bin"];
    assert_eq!(names(&out), whole);
    assert_ne!(fs::read_to_string(out.join("batch-0.json")).unwrap(), "old");
}

#[test]
fn ordinary_failures_have_a_reason_and_a_status() {
    let venue = traded();
    let store = venue.store();
    let file = venue.folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("below");
    let below = below.to_str().expect("ASCII");
    for to in ["/no/such/dir", below, file.to_str().expect("ASCII")] {
        sequencer(&store, &["export", "--to", to]).failed(&[to]);
    }
    sequencer(&store, &["backup", below]).failed(&["below"]);
    sequencer(&store, &["oracle", "/no/such/table"]).failed(&["/no/such/table"]);
    sequencer(&store, &["submit", "/no/such/lines"]).failed(&["/no/such/lines"]);
    let (_folder, empty, arguments) = founding();
    sequencer(&empty, &arguments).good();
    sequencer(&empty, &["export", "--to", "/no/such/dir"]).failed(&["/no/such/dir"]);
    for place in ["/no/such/parent/store", below] {
        sequencer(Path::new(place), &arguments).failed(&["sequencer: "]);
        sequencer(Path::new(place), &["status"]).failed(&[place]);
    }
    sequencer(&store, &arguments).failed(&["exists already"]);
    // The folder of batches cannot be made: the next run makes it, with the files of before.
    let batches = store.join("batches");
    fs::remove_dir_all(&batches).unwrap();
    fs::write(&batches, "in the way").unwrap();
    sequencer(&store, &["seal"]).failed(&["batches"]);
    fs::remove_file(&batches).unwrap();
    assert_eq!(sequencer(&store, &["seal"]).good()[0]["sealed"], 2);
    assert_eq!(names(&batches).len(), 6);
}
