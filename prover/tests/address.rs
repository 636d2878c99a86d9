//! The contract of a statement, as people write addresses.

use std::process::Command;

/// EIP-55's own example.
const CHECKSUMMED: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

/// Status and standard error of `prove` for a contract, with a batch that is not there.
fn prove(contract: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments =
        ["prove", "--batch", "missing", "--out", "out", "--chain-id", "1", "--contract"];
    let output = Command::new(env!("CARGO_BIN_EXE_prover"))
        .current_dir(folder.path())
        .args(arguments)
        .arg(contract)
        .output()
        .expect("the binary runs");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn prove_takes_every_spelling_of_its_contract_and_no_wrong_checksum() {
    let digits = &CHECKSUMMED[2..];
    let upper = format!("0x{}", digits.to_uppercase());
    for spelling in [CHECKSUMMED, digits, &CHECKSUMMED.to_lowercase(), &upper] {
        let (status, reason) = prove(spelling);
        assert_eq!(status, Some(3), "the batch is missing, the address is right: {reason}");
        assert!(reason.contains("missing"), "{reason}");
    }
    let (status, reason) = prove(&CHECKSUMMED.replace("Aed", "AeD"));
    assert_eq!(status, Some(2), "{reason}");
    assert!(reason.contains(CHECKSUMMED), "{reason}");
}
