//! Loss of power at random moments of `submit` and `seal`: an ext4 image on a loop device is shut
//! down without flushing, so that everything not synchronised is gone; nothing acknowledged may be.
//!
//! `ZKMARGIN_POWER_CYCLES` sets the number of cycles; without it, root and loop devices the test
//! says that it was skipped. `ZKMARGIN_POWER_SEED` sets the moments.

mod support;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use support::drill::{Drill, setting, submissions};
use tempfile::TempDir;

/// Set in the process that has mounts of its own.
const INSIDE: &str = "ZKMARGIN_POWER_INSIDE";
/// Size of the image; the log of 1,000 cycles takes less.
const IMAGE_BYTES: u64 = 1 << 30;
/// Longest wait for a process whose disk is gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// `ioctl(FS_IOC_SHUTDOWN, FS_SHUTDOWN_FLAGS_NOLOGFLUSH)`.
const SHUTDOWN: &str = r#"open(my $at, "<", $ARGV[0]) or die "open: $!";
    my $flags = pack("L", 2);
    defined(ioctl($at, 0x8004587d, $flags)) or die "ioctl: $!";"#;

/// Runs a system program; the reason if it fails.
fn system(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let reason = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{program}: {}", reason.trim())) }
}

/// A mounted image, unmounted when dropped; its loop device goes with the mount.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn new() -> Result<Self, String> {
        let disk = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(disk.path()).expect("a folder");
        let image = File::create(disk.image()).expect("an image");
        image.set_len(IMAGE_BYTES).expect("a sparse file");
        system("mkfs.ext4", &["-q", "-F", text(&disk.image())])?;
        disk.mount()?;
        // Where the disk cannot be shut down, this is the place to find out.
        disk.cut()?;
        disk.restart();
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn mount(&self) -> Result<(), String> {
        system("mount", &["-t", "ext4", "-o", "loop", text(&self.image()), text(&self.path())])
    }

    /// Power is gone: what was not synchronised is lost, and every access fails from now on.
    fn cut(&self) -> Result<(), String> {
        system("perl", &["-e", SHUTDOWN, text(&self.path())])
    }

    /// Power is back.
    fn restart(&self) {
        system("umount", &[text(&self.path())]).expect("nobody has a file open");
        self.mount().expect("the image is mounted again");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        if !mounts.contains(text(&self.path())) {
            return;
        }
        // Lazily, should a failed test have left a process behind.
        if let Err(reason) = system("umount", &["-l", text(&self.path())]) {
            note(&reason);
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ASCII")
}

/// Shown even where the harness captures what a test prints.
fn note(line: &str) {
    writeln!(io::stderr(), "power: {line}").expect("standard error");
}

/// Runs the test `name` of this program again, in a mount namespace of its own: mounts and loop
/// devices go with its last process, however that ends.
fn run_inside(name: &str) -> Result<(), String> {
    system("unshare", &["--mount", "true"])?;
    let test = std::env::current_exe().expect("this program");
    let mut command = Command::new("unshare");
    command.arg("--mount").arg(test).args(["--exact", name, "--nocapture"]);
    let status = command.env(INSIDE, "1").status().expect("it started before");
    assert!(status.success(), "{name}");
    Ok(())
}

/// The disk and the number of cycles, where this process is to run the test; a line if nothing
/// does.
fn prepared(name: &str) -> Option<(Disk, usize)> {
    let Some(cycles) = setting("ZKMARGIN_POWER_CYCLES") else {
        note("skipped: ZKMARGIN_POWER_CYCLES is not set");
        return None;
    };
    let disk = if std::env::var_os(INSIDE).is_some() {
        Disk::new().map(Some)
    } else {
        run_inside(name).map(|()| None)
    };
    match disk {
        Ok(disk) => disk.map(|disk| (disk, cycles)),
        Err(reason) => {
            note(&format!("skipped: {reason}"));
            None
        }
    }
}

/// Moves the store of a drill to the disk.
fn move_store(drill: &mut Drill, disk: &Disk) {
    let store = disk.path().join("store");
    system("cp", &["-a", text(&drill.store), text(&store)]).expect("a copy");
    system("sync", &["-f", text(&store)]).expect("a disk");
    drill.store = store;
}

/// Cuts the power and waits until the process has noticed; one that does not is killed.
fn cut(disk: &Disk, child: &mut Child) {
    disk.cut().expect("a shut down disk");
    let start = Instant::now();
    while child.try_wait().expect("our child").is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().expect("our child");
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn power_cuts_at_random_moments_lose_nothing() {
    let Some((disk, cycles)) = prepared("power_cuts_at_random_moments_lose_nothing") else {
        return;
    };
    let seed = setting("ZKMARGIN_POWER_SEED").unwrap_or(1);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drill = Drill::new(cycles);
    move_store(&mut drill, &disk);
    drill.cycles(&mut rng, &|child| cut(&disk, child), &|| disk.restart());
    assert_eq!(drill.report.cycles, cycles);
    let answered = drill.finish();
    note(&format!("seed {seed}: {:?}, {answered} acknowledged, {} kept", drill.report, drill.kept));
}

/// The cut does what it should: the same sequencer, its flushes turned into nothing, loses what it
/// acknowledged.
#[test]
fn power_cut_loses_what_was_never_flushed() {
    let Some((disk, _)) = prepared("power_cut_loses_what_was_never_flushed") else { return };
    let mut drill = Drill::new(1);
    move_store(&mut drill, &disk);
    let inject = "inject=fsync,fdatasync,sync_file_range:retval=0";
    let tracer = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync,fdatasync,sync_file_range",
        "-e",
        inject,
    ];
    if let Err(reason) = system(tracer[0], &["-o", "/dev/null", "true"]) {
        return note(&format!("skipped: {reason}"));
    }
    drill.program.splice(0..0, tracer.map(str::to_owned));
    drill.submit(&mut ChaCha8Rng::seed_from_u64(1), None);
    let acknowledged = drill.acknowledged.len();
    assert!(acknowledged > 0);
    disk.cut().expect("a shut down disk");
    disk.restart();
    let log = submissions(&drill.store);
    let kept = log.iter().filter(|(_, id, _)| drill.acknowledged.contains_key(id)).count();
    note(&format!("without flushes {kept} of {acknowledged} acknowledged lines were kept"));
    assert!(kept < acknowledged);
}
