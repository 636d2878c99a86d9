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
