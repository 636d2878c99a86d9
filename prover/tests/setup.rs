//! Setup that is cut: the unfinished key and the seed of its secrets go together or not at all.

mod toy;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use toy::{made, toy};
use zkmargin_prover::key::ProvingKey;
use zkmargin_prover::progress::Silent;
use zkmargin_prover::prove::Prover;
use zkmargin_prover::setup::{SetupError, forget, forget_seed, setup, setup_interrupted};

#[test]
fn an_interrupted_setup_continues() {
    let folder = TempDir::new().expect("temporary folder");
    let path = folder.path().join("toy.key");
    let partial = folder.path().join("toy.key.partial");
    let seed = folder.path().join("toy.key.seed");
    // More than 2^16 rows, so that sections have several frames.
    let (assignment, r1cs) = toy(66_000, 5);
    for frames in [2, 9, 14] {
        let stopped = setup_interrupted(&r1cs, &path, &Silent, frames);
        assert!(matches!(stopped, Err(SetupError::Io(_))));
        assert!(!path.exists());
    }
    let kept = fs::read(&partial).expect("the unfinished key");
    // A torn write behind the last whole frame.
    fs::write(&partial, [&kept[..], &[7; 100]].concat()).expect("temporary file");
    setup(&r1cs, &path, &Silent).expect("setup");
    assert!(!partial.exists());
    assert!(!seed.exists(), "the secrets are deleted");
    let whole = fs::read(&path).expect("the key");
    assert!(kept.len() > 1 << 20);
    assert_eq!(whole[..kept.len()], kept[..]);
    let key = ProvingKey::load(&path).expect("whole");
    key.verify_secrets(&r1cs, &Silent).expect("one set of secrets");
    let prover = Prover::new(key, r1cs).expect("the key is for the circuit");
    prover.prove(&assignment, &Silent).expect("satisfied");
}

#[test]
fn an_unfinished_key_of_another_circuit_is_started_afresh() {
    let folder = TempDir::new().expect("temporary folder");
    let path = folder.path().join("toy.key");
    let (_, other) = toy(20, 5);
    let stopped = setup_interrupted(&other, &path, &Silent, 3);
    assert!(matches!(stopped, Err(SetupError::Io(_))));
    let (assignment, r1cs) = toy(40, 5);
    let prover = Prover::new(made(&r1cs, folder.path()), r1cs).expect("the key is for the circuit");
    prover.prove(&assignment, &Silent).expect("satisfied");
}

#[test]
fn two_setups_of_one_key_do_not_mix() {
    let folder = TempDir::new().expect("temporary folder");
    let (_, r1cs) = toy(20, 5);
    let file = fs::File::create(folder.path().join("toy.key.partial")).expect("temporary file");
    file.try_lock().expect("nobody else");
    let refused = setup(&r1cs, &folder.path().join("toy.key"), &Silent);
    assert!(matches!(refused, Err(SetupError::Busy(_))));
}

/// The key that is being made, what is there of it, and the seed of its secrets.
fn places(folder: &Path) -> [PathBuf; 3] {
    ["toy.key", "toy.key.partial", "toy.key.seed"].map(|name| folder.join(name))
}

/// Cuts a setup after some frames.
fn cut(folder: &Path, frames: usize) {
    let (_, r1cs) = toy(60, 5);
    let stopped = setup_interrupted(&r1cs, &places(folder)[0], &Silent, frames);
    assert!(matches!(stopped, Err(SetupError::Io(_))));
}

/// Whatever happened to the seed, the next setup makes a key of one set of secrets that proves.
#[test]
fn frames_of_an_unknown_seed_are_dropped() {
    let foreign = {
        let folder = TempDir::new().expect("temporary folder");
        cut(folder.path(), 1);
        fs::read(&places(folder.path())[2]).expect("the seed")
    };
    let cases: [(&str, Option<&[u8]>); 5] = [
        ("missing", None),
        ("empty", Some(&[])),
        ("short", Some(&foreign[..31])),
        ("long", Some(&[7; 33])),
        ("another's", Some(&foreign)),
    ];
    for frames in [7, 12] {
        for (what, seed) in &cases {
            let folder = TempDir::new().expect("temporary folder");
            let [path, partial, place] = places(folder.path());
            cut(folder.path(), frames);
            let before = fs::read(&partial).expect("the unfinished key");
            match seed {
                None => fs::remove_file(&place).expect("the seed"),
                Some(seed) => fs::write(&place, seed).expect("temporary file"),
            }
            let (assignment, r1cs) = toy(60, 5);
            setup(&r1cs, &path, &Silent).expect("setup");
            let after = fs::read(&path).expect("the key");
            assert_ne!(before[..200], after[..200], "{what}: the secrets are fresh");
            assert!(!place.exists() && !partial.exists(), "{what}");
            let key = ProvingKey::load(&path).expect("whole");
            key.verify_secrets(&r1cs, &Silent).unwrap_or_else(|error| panic!("{what}: {error}"));
            let prover = Prover::new(key, r1cs).expect("the key is for the circuit");
            prover.prove(&assignment, &Silent).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
}

/// Nobody can plant the secrets of a key by putting a seed where the next setup finds it.
#[test]
fn a_seed_without_its_unfinished_key_is_not_used() {
    let (_, r1cs) = toy(12, 5);
    let keys = [(), ()].map(|()| {
        let folder = TempDir::new().expect("temporary folder");
        fs::write(&places(folder.path())[2], [7; 32]).expect("temporary file");
        made(&r1cs, folder.path())
    });
    assert_ne!(keys[0].verifying, keys[1].verifying);
}

/// The end of setup, moment by moment: all frames are there and the seed is or is not; the key has
/// its name.
#[test]
fn a_crash_at_the_end_leaves_a_key_and_no_seed() {
    let folder = TempDir::new().expect("temporary folder");
    let [path, partial, seed] = places(folder.path());
    let (_, r1cs) = toy(60, 5);
    // One frame per section but for the last two, so this is every frame.
    let frames = 13;
    cut(folder.path(), frames - 1);
    let secret = fs::read(&seed).expect("the seed");
    setup(&r1cs, &path, &Silent).expect("setup");
    let whole = fs::read(&path).expect("the key");
    for left in [Some(&secret), None] {
        fs::rename(&path, &partial).expect("temporary file");
        if let Some(left) = left {
            fs::write(&seed, left).expect("temporary file");
        }
        setup(&r1cs, &path, &Silent).expect("setup");
        assert_eq!(fs::read(&path).expect("the key"), whole);
        assert!(!seed.exists() && !partial.exists());
    }
    // The seed which an earlier release could leave next to its key.
    fs::write(&seed, &secret).expect("temporary file");
    assert!(forget_seed(&path).expect("no file error"));
    assert!(!seed.exists() && !forget_seed(&path).expect("no file error"));
    // A replacement that was cut, next to a key that is whole.
    cut(folder.path(), 3);
    assert!(!forget_seed(&path).expect("no file error"), "the replacement may go on");
    assert!(seed.exists() && forget(&path).expect("no file error"));
    assert!(!seed.exists() && !partial.exists() && path.exists());
}

#[cfg(unix)]
#[test]
fn the_seed_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().expect("temporary folder");
    let [_, _, seed] = places(folder.path());
    fs::write(&seed, "left by somebody else").expect("temporary file");
    fs::set_permissions(&seed, fs::Permissions::from_mode(0o644)).expect("own file");
    cut(folder.path(), 2);
    assert_eq!(fs::metadata(&seed).expect("the seed").permissions().mode() & 0o777, 0o600);
}

#[cfg(unix)]
#[test]
fn what_a_link_in_place_of_the_seed_points_to_is_left_alone() {
    let folder = TempDir::new().expect("temporary folder");
    let [_, _, seed] = places(folder.path());
    let precious = folder.path().join("precious");
    fs::write(&precious, "precious").expect("temporary file");
    std::os::unix::fs::symlink(&precious, &seed).expect("temporary file");
    cut(folder.path(), 2);
    assert_eq!(fs::read(&precious).expect("a file"), b"precious");
    assert!(!fs::symlink_metadata(&seed).expect("the seed").is_symlink());
}
