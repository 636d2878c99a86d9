//! Reading needs no write access, whatever state the last writer left the files in.

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::program::{BINARY, Run, copy_folder, sequencer, traded};
use crate::support::*;

use zkmargin_fixtures::build::NOW_S;

/// A user who owns nothing here.
const NOBODY: u32 = 65_534;

/// Shown even where the harness captures what a test prints.
fn skipped(reason: &str) {
    let _ = writeln!(io::stderr(), "reading: skipped: {reason}");
}

fn is_root() -> bool {
    // `/proc/self` belongs to the process's user.
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// A writer with a trade acknowledged, still alive.
fn writer(store: &Path) -> Child {
    let time = (NOW_S + 1).to_string();
    let mut command = Command::new(BINARY);
    command.arg("--store").arg(store).args(["submit", "-", "--time", &time]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary");
    writeln!(child.stdin.as_mut().expect("a pipe"), "{}", trade_lines(9, 3)[7]).unwrap();
    let mut answer = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut answer).unwrap();
    assert!(answer.contains("\"accepted\":true"), "{answer}");
    child
}

/// Stores as writers leave them, by name.
fn stores(venue: &Venue) -> Vec<(&'static str, PathBuf)> {
    let place = |name: &str| venue.folder.path().join(name);
    let closed = copy_folder(&venue.store(), &place("closed"));
    let killed = copy_folder(&venue.store(), &place("killed"));
    let mut child = writer(&killed);
    child.kill().expect("our child");
    child.wait().expect("our child");
    assert!(killed.join("sequencer.db-shm").exists());
    let without_index = copy_folder(&killed, &place("copied without index"));
    fs::remove_file(without_index.join("sequencer.db-shm")).unwrap();
    let emptied = copy_folder(&closed, &place("emptied?a=1%20#log"));
    fs::write(emptied.join("sequencer.db-wal"), "").unwrap();
    vec![
        ("closed", closed),
        ("killed", killed),
        ("copied without index", without_index),
        ("empty log", emptied),
    ]
}

/// What every reading command says of a store, run by `start`.
fn readings(store: &Path, out: &Path, start: &dyn Fn() -> Command) -> Vec<String> {
    let out = out.to_str().expect("ASCII");
    let commands: [&[&str]; 6] = [
        &["status"],
        &["account", "2"],
        &["batches"],
        &["export", "--to", out],
        &["status", "--verify"],
        &["backup", &format!("{out}/copy")],
    ];
    commands
        .iter()
        .map(|arguments| {
            let mut command = start();
            command.arg("--store").arg(store).args(*arguments);
            let run = Run::of(command.output().expect("the binary"));
            assert_eq!((run.code, &*run.errors), (Some(0), ""), "{store:?} {arguments:?}");
            format!("{:?}", run.answers)
        })
        .collect()
}

/// Names and bytes of a folder's files.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

fn set_modes(folder: &Path, of_folders: u32, of_files: u32) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            set_modes(&path, of_folders, of_files);
        } else {
            fs::set_permissions(path, Permissions::from_mode(of_files)).unwrap();
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(of_folders)).unwrap();
}

/// A copy of the binary that anybody may run, as a user who owns nothing.
fn nobody(venue: &Venue) -> impl Fn() -> Command {
    fs::set_permissions(venue.folder.path(), Permissions::from_mode(0o755)).unwrap();
    let binary = venue.folder.path().join("sequencer");
    fs::copy(BINARY, &binary).unwrap();
    fs::set_permissions(&binary, Permissions::from_mode(0o755)).unwrap();
    move || {
        let mut command = Command::new(&binary);
        command.uid(NOBODY).gid(NOBODY);
        command
    }
}

/// A folder of that user's.
fn folder_of_nobody(path: PathBuf) -> PathBuf {
    fs::create_dir(&path).unwrap();
    chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
    path
}

#[test]
fn store_of_somebody_else_is_read_in_every_state() {
    if !is_root() {
        return skipped("only root may become somebody else");
    }
    let venue = traded();
    let nobody = nobody(&venue);
    for (place, (name, store)) in stores(&venue).into_iter().enumerate() {
        let reference = copy_folder(&store, &venue.folder.path().join(format!("own-{place}")));
        set_modes(&store, 0o555, 0o444);
        let before = files(&store);
        let out = folder_of_nobody(venue.folder.path().join(format!("out-{place}")));
        let seen = readings(&store, &out, &nobody);
        assert!(files(&store) == before, "{name}: reading left a trace");
        let own_out = venue.folder.path().join(format!("own-out-{place}"));
        fs::create_dir(&own_out).unwrap();
        let own = readings(&reference, &own_out, &|| Command::new(BINARY));
        let of = |texts: Vec<String>, path: &Path| -> Vec<String> {
            texts.iter().map(|text| text.replace(path.to_str().unwrap(), "STORE")).collect()
        };
        assert_eq!(of(seen, &store), of(own, &reference), "{name}");
        assert!(out.join("batch-1.json").exists() && out.join("copy/anchor").exists(), "{name}");
    }
}

#[test]
fn store_of_a_writer_at_work_is_read_by_somebody_else() {
    if !is_root() {
        return skipped("only root may become somebody else");
    }
    let venue = traded();
    let nobody = nobody(&venue);
    let store = venue.store();
    let mut child = writer(&store);
    set_modes(&store, 0o755, 0o644);
    let out = folder_of_nobody(venue.folder.path().join("out"));
    let seen = readings(&store, &out, &nobody);
    assert!(seen[0].contains("\"pending\": Number(2)"), "{}", seen[0]);
    child.kill().expect("our child");
    child.wait().expect("our child");
}

#[test]
fn store_that_may_not_be_written_fails_to_be_in_an_orderly_way() {
    if !is_root() {
        return skipped("only root may become somebody else");
    }
    let venue = traded();
    let nobody = nobody(&venue);
    for (name, store) in stores(&venue) {
        set_modes(&store, 0o555, 0o444);
        for arguments in [&["seal"][..], &["parameters", "1"], &["export"], &["rebuild"]] {
            let mut command = nobody();
            command.arg("--store").arg(&store).args(arguments);
            let run = Run::of(command.output().expect("the binary"));
            let path = store.to_str().expect("ASCII");
            let reason = run.failed(&["sequencer: ", path]);
            assert!(!reason.contains("damaged"), "{name} {arguments:?}: {reason}");
        }
    }
}

#[test]
fn store_on_a_read_only_mount_is_read_in_every_state() {
    let venue = traded();
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" || exit 77
        shift; exec \"$0\" \"$@\"";
    let mounted = |store: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, BINARY]).arg(store);
        command
    };
    for (place, (name, store)) in stores(&venue).into_iter().enumerate() {
        let mut probe = mounted(&store);
        let probe = probe.arg("--store").arg(&store).arg("status").output();
        if !is_root() || probe.is_err() || probe.is_ok_and(|run| run.status.code() == Some(77)) {
            return skipped("no mounts of its own");
        }
        let before = files(&store);
        let out = venue.folder.path().join(format!("out-{place}"));
        fs::create_dir(&out).unwrap();
        let seen = readings(&store, &out, &|| mounted(&store));
        assert_eq!(seen.len(), 6);
        assert!(files(&store) == before, "{name}: reading left a trace");
    }
}

#[test]
fn damage_is_found_without_write_access_too() {
    if !is_root() {
        return skipped("only root may become somebody else");
    }
    let venue = traded();
    let nobody = nobody(&venue);
    for (name, store) in stores(&venue) {
        // The last acknowledged entry goes, in the log's file or the database's.
        let path = store.join(if name.starts_with("closed") || name.starts_with("empty") {
            "sequencer.db"
        } else {
            "sequencer.db-wal"
        });
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        set_modes(&store, 0o555, 0o444);
        let mut command = nobody();
        command.arg("--store").arg(&store).arg("status");
        let run = Run::of(command.output().expect("the binary"));
        run.failed(&["is damaged", store.to_str().expect("ASCII"), "backup"]);
    }
    // The venue's own store is as it was.
    sequencer(&venue.store(), &["status", "--verify"]).good();
}
