//! The binary: one line and status 0 when good, the reason's name and its own status when bad.
#![cfg(feature = "cli")]

mod program;
mod simulator;

use ark_bn254::Fr;
use program::{CONTRACT, Files, verifier};
use serde_json::Value;
use zkmargin_host::broken::said;
use zkmargin_verifier::Provenance;

fn bad(code: i32, reason: &str) -> (i32, String) {
    (code, reason.to_string())
}

#[test]
fn verifies_and_names_the_reason() {
    let mut files = Files::new(Provenance::Ceremony);
    assert_eq!(files.verdict(&[]), bad(0, "good"));
    assert_eq!(files.verdict(&["--chain-id", "1", "--contract", CONTRACT]), bad(0, "good"));
    assert_eq!(files.verdict(&["--chain-id", "2"]), bad(27, "StatementDomain"));
    let other = CONTRACT.replace("ab", "ac");
    assert_eq!(files.verdict(&["--contract", &other]), bad(27, "StatementDomain"));

    files.statement.words[3] += Fr::from(1u64);
    files.save();
    assert_eq!(files.verdict(&[]), bad(16, "PairingFailed"));
    files.statement.words[0] += Fr::from(1u64);
    files.save();
    assert_eq!(files.verdict(&[]), bad(26, "StatementVersion"));

    let mut files = Files::new(Provenance::Ceremony);
    files.proof.circuit = [8; 32];
    files.save();
    assert_eq!(files.verdict(&[]), bad(31, "CircuitMismatch"));
    files.key.key.gamma_g2 = files.key.key.delta_g2;
    files.save();
    assert_eq!(files.verdict(&[]), bad(21, "GammaEqualsDelta"));

    let files = Files::new(Provenance::Ceremony);
    std::fs::copy(files.path("key"), files.path("proof")).unwrap();
    assert_eq!(files.verdict(&[]), bad(42, "Foreign"));
    std::fs::write(files.path("proof"), &files.proof.to_bytes()[..99]).unwrap();
    assert_eq!(files.verdict(&[]), bad(40, "Truncated"));
    std::fs::remove_file(files.path("proof")).unwrap();
    assert_eq!(files.verdict(&[]), bad(3, "Io"));
}

#[test]
fn development_keys_are_refused_unless_asked_for() {
    let files = Files::new(Provenance::Development);
    assert_eq!(files.verdict(&[]), bad(30, "DevelopmentKey"));
    assert_eq!(files.verdict(&["--dev"]), bad(0, "good"));
    let output = files.run("verify", &["--dev"]);
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("DEVELOPMENT KEY"));

    let solidity = |extra: &[&str]| {
        let mut binary = verifier(files.folder.path());
        binary.args(["solidity", "--key", "key", "--out", "out.sol"]).args(extra).output().unwrap()
    };
    assert_eq!(solidity(&[]).status.code(), Some(30));
    assert!(!files.path("out.sol").exists());
    assert_eq!(solidity(&["--dev"]).status.code(), Some(0));
    let source = std::fs::read_to_string(files.path("out.sol")).unwrap();
    assert!(source.contains("contract StatementVerifierDeployment"));
    assert!(source.contains("DEVELOPMENT KEY"));
}

/// JSON forgets where a key comes from, so a development key leaves as JSON only when asked for,
/// and marked.
#[test]
fn development_keys_are_exported_only_when_asked_for_and_are_known_again() {
    let files = Files::new(Provenance::Development);
    assert_eq!(files.run("export", &["--out", "json"]).status.code(), Some(30));
    assert!(!files.path("json").exists());
    assert_eq!(files.run("export", &["--out", "json", "--dev"]).status.code(), Some(0));
    let key = std::fs::read_to_string(files.path("json/verification_key.json")).unwrap();
    let key: Value = serde_json::from_str(&key).unwrap();
    assert_eq!(key["provenance"], "development");
    let snarkjs = |extra: &[&str]| {
        let mut binary = verifier(&files.path("json"));
        binary.args(["snarkjs", "--key", "verification_key.json", "--proof", "proof.json"]);
        binary.args(["--public", "public.json"]).args(extra).output().unwrap()
    };
    let refused = snarkjs(&[]);
    assert_eq!(refused.status.code(), Some(30), "{}", said(&refused));
    assert_eq!(snarkjs(&["--dev"]).status.code(), Some(0));
    let mut unmarked = key;
    unmarked["provenance"] = Value::Null;
    std::fs::write(files.path("json/verification_key.json"), unmarked.to_string()).unwrap();
    assert_ne!(snarkjs(&[]).status.code(), Some(0), "nothing is no mark");
    // The mark of a ceremony says nothing that a file without a mark does not.
    let ceremony = Files::new(Provenance::Ceremony);
    assert_eq!(ceremony.run("export", &["--out", "json"]).status.code(), Some(0));
    let key = std::fs::read_to_string(ceremony.path("json/verification_key.json")).unwrap();
    assert!(!key.contains("provenance"), "{key}");
    // Calldata leaves the same way.
    let calldata = |extra: &[&str]| {
        let mut binary = verifier(files.folder.path());
        binary.args(["calldata", "--statement", "statement", "--proof", "proof"]).args(extra);
        binary.output().unwrap().status.code()
    };
    assert_eq!(calldata(&[]), Some(30));
    assert_eq!(calldata(&["--dev", "--key", "key"]), Some(0));
}

#[test]
fn exported_files_verify_again() {
    let files = Files::new(Provenance::Ceremony);
    assert_eq!(files.run("export", &["--out", "json"]).status.code(), Some(0));
    let snarkjs = |public: &str| {
        let mut binary = verifier(&files.path("json"));
        binary.args(["snarkjs", "--key", "verification_key.json", "--proof", "proof.json"]);
        binary.args(["--public", public]).output().unwrap()
    };
    let output = snarkjs("public.json");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.starts_with(b"good: 3 public inputs"));
    std::fs::write(files.path("json/other.json"), "[\"1\", \"2\", \"3\"]").unwrap();
    assert_eq!(snarkjs("other.json").status.code(), Some(16));
    std::fs::write(files.path("json/other.json"), "[\"01\", \"2\", \"3\"]").unwrap();
    assert_eq!(snarkjs("other.json").status.code(), Some(51));
}

#[test]
fn inspects_every_kind_of_file() {
    let files = Files::new(Provenance::Ceremony);
    for (name, kind) in [("key", "verifying key"), ("proof", "proof"), ("statement", "statement")] {
        let output = verifier(files.folder.path()).args(["inspect", name]).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["kind"], kind);
    }
    std::fs::write(files.path("other"), "something else").unwrap();
    let output = verifier(files.folder.path()).args(["inspect", "other"]).output().unwrap();
    assert_eq!(output.status.code(), Some(42));
}
