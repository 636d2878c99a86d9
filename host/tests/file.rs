//! Whole files and bounded reads.

use std::fs;
use std::io::{self, ErrorKind, Write};

use zkmargin_host::file;

#[test]
fn accepts_a_file_of_the_greatest_size_and_rejects_one_byte_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    file::write(&path, b"12345").unwrap();
    assert_eq!(file::read(&path, 5).unwrap(), b"12345");
    let refusal = file::read(&path, 4).unwrap_err();
    assert_eq!(refusal.error.kind(), ErrorKind::FileTooLarge);
    let message = refusal.to_string();
    assert!(message.ends_with("content: 5 bytes found, at most 4 allowed"), "{message}");
}

#[test]
fn rejects_an_endless_file_without_a_length() {
    let refusal = file::read("/dev/zero".as_ref(), 1 << 16).unwrap_err();
    assert_eq!(refusal.error.kind(), ErrorKind::FileTooLarge);
}

#[test]
fn a_failed_write_leaves_the_old_content_and_no_draft() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    file::write(&path, b"old").unwrap();
    let refusal = file::write_with(&path, |file| {
        file.write_all(b"half of the new")?;
        Err(io::Error::from(ErrorKind::StorageFull))
    });
    assert_eq!(refusal.unwrap_err().error.kind(), ErrorKind::StorageFull);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn rejects_a_folder_under_a_file_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    file::write(&path, b"").unwrap();
    let refusal = file::ensure_writable_folder(&path.join("below")).unwrap_err();
    assert_eq!(refusal.path, path.join("below"));
    file::ensure_writable_folder(&folder.path().join("a/b")).unwrap();
    assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 0);
}

#[test]
fn files_change_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let [old, fresh, blocked] = ["old", "fresh", "blocked"].map(|name| folder.path().join(name));
    fs::write(&old, "before").unwrap();
    fs::create_dir(&blocked).unwrap();
    let names = || {
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    // The last file cannot be replaced: there is a folder under its name.
    let files = [(old.clone(), "a"), (fresh.clone(), "b"), (blocked.clone(), "c")];
    assert_eq!(file::write_together(&files).unwrap_err().path, blocked);
    assert_eq!(fs::read(&old).unwrap(), b"before");
    assert_eq!(names(), before);
    fs::remove_dir(&blocked).unwrap();
    file::write_together(&files).unwrap();
    let contents = files.each_ref().map(|(path, _)| fs::read_to_string(path).unwrap());
    assert_eq!(contents, ["a", "b", "c"]);
    assert_eq!(names().len(), 3);
}

/// The second rename fails, after the first file was replaced: both names are the same file.
#[test]
fn a_file_replaced_before_a_failure_gets_its_old_content_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    fs::write(&path, "before").unwrap();
    let twice = [(path.clone(), "first"), (path.clone(), "second")];
    assert_eq!(file::write_together(&twice).unwrap_err().path, path);
    assert_eq!(fs::read(&path).unwrap(), b"before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
