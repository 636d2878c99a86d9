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

#[cfg(unix)]
#[test]
fn a_link_a_device_and_a_pipe_stay_what_they_are() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let [path, link] = ["content", "link"].map(|name| folder.path().join(name));
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("content", &link).unwrap();
    file::write(&link, b"new").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(file::write_together(&[(link.clone(), "newer")]).is_err());
    assert_eq!(
        (fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()),
        (b"new".to_vec(), 2)
    );
    // A device of our own name, so that nothing is lost if it were replaced.
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    file::write(&pipe, b"through").unwrap();
    assert_eq!(reader.join().unwrap(), b"through");
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
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

#[test]
fn a_file_is_judged_by_its_first_bytes_before_the_rest_is_read() {
    use zkmargin_host::FileError;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    // Three gigabytes of nothing, which take no place on the disk.
    fs::File::create(&path).unwrap().set_len(3_000_000_000).unwrap();
    let judged = |bytes_max: Option<u64>| {
        file::read_judged(&path, 4, |head| {
            assert_eq!((head.bytes, head.length), (&[0; 4][..], Some(3_000_000_000)));
            let foreign = || FileError { path: "foreign".into(), error: ErrorKind::Other.into() };
            bytes_max.ok_or_else(foreign)
        })
    };
    assert_eq!(judged(None).unwrap_err().path.as_os_str(), "foreign");
    assert_eq!(judged(Some(2_999_999_999)).unwrap_err().error.kind(), ErrorKind::FileTooLarge);
    fs::write(&path, "content").unwrap();
    let read = |bytes_max| file::read_judged(&path, 4, |_| Ok::<_, FileError>(bytes_max));
    assert_eq!(read(7).unwrap(), b"content");
    assert_eq!(read(6).unwrap_err().error.kind(), ErrorKind::FileTooLarge);
}
