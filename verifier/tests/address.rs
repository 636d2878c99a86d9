//! The contract of a statement, as people write addresses.
#![cfg(feature = "cli")]

use std::process::Command;

/// EIP-55's own example.
const CHECKSUMMED: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

/// Status and standard error of `verify` for a contract, with files that are not there.
fn verify(contract: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = ["verify", "--key", "missing", "--statement", "missing", "--proof", "missing"];
    let output = Command::new(env!("CARGO_BIN_EXE_verifier"))
        .current_dir(folder.path())
        .args(files)
        .args(["--contract", contract])
        .output()
        .expect("the binary runs");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn verify_takes_every_spelling_of_its_contract_and_no_wrong_checksum() {
    let digits = &CHECKSUMMED[2..];
    let upper = format!("0x{}", digits.to_uppercase());
    for spelling in [CHECKSUMMED, digits, &CHECKSUMMED.to_lowercase(), &upper] {
        let (status, reason) = verify(spelling);
        assert_eq!(status, Some(3), "the key is missing, the address is right: {reason}");
        assert!(reason.contains("missing"), "{reason}");
    }
    let (status, reason) = verify(&CHECKSUMMED.replace("Aed", "AeD"));
    assert_eq!(status, Some(2), "{reason}");
    assert!(reason.contains(CHECKSUMMED), "{reason}");
}
