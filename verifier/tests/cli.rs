//! The binary: one line and status 0 when good, the reason's name and its own status when bad.
#![cfg(feature = "cli")]

mod simulator;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ark_bn254::Fr;
use serde_json::Value;
use simulator::Trapdoor;
use zkmargin_verifier::{Domain, KeyFile, ProofFile, Provenance, Statement, StatementFile};

const CONTRACT: &str = "0xabababababababababababababababababababab";

struct Files {
    folder: tempfile::TempDir,
    key: KeyFile,
    proof: ProofFile,
    statement: Statement,
}

impl Files {
    fn new(provenance: Provenance) -> Self {
        let mut trapdoor = Trapdoor::new("cli", 3);
        let statement = trapdoor.statement(Domain::new(1, [0xab; 20]), 6);
        let proof = trapdoor.prove(statement.public_inputs().unwrap().as_slice());
        let circuit = [9; 32];
        let key = KeyFile { circuit, provenance, key: trapdoor.key() };
        let proof = ProofFile { circuit, provenance, proof };
        let files = Files { folder: tempfile::tempdir().unwrap(), key, proof, statement };
        files.save();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn save(&self) {
        std::fs::write(self.path("key"), self.key.to_bytes()).unwrap();
        std::fs::write(self.path("proof"), self.proof.to_bytes()).unwrap();
        let statement = StatementFile(self.statement.clone());
        std::fs::write(self.path("statement"), statement.to_bytes()).unwrap();
    }

    fn run(&self, command: &str, extra: &[&str]) -> Output {
        let mut binary = verifier(self.folder.path());
        binary.args([command, "--key", "key", "--statement", "statement", "--proof", "proof"]);
        binary.args(extra).output().unwrap()
    }

    /// Status and reason of `verify`, checked to agree between text and JSON.
    fn verdict(&self, extra: &[&str]) -> (i32, String) {
        let text = self.run("verify", extra);
        let status = text.status.code().unwrap();
        let json = self.run("verify", &[extra, &["--json"]].concat());
        assert_eq!(json.status.code(), Some(status));
        let json: Value = serde_json::from_slice(&json.stdout).unwrap();
        if status == 0 {
            assert_eq!(json["verdict"], "good");
            let line = String::from_utf8(text.stdout).unwrap();
            assert!(line.starts_with("good: ") && line.lines().count() == 1, "{line}");
            return (0, "good".into());
        }
        let reason = json["reason"].as_str().unwrap().to_string();
        assert_eq!(json["code"], status);
        let message = String::from_utf8(text.stderr).unwrap();
        assert!(message.contains(&format!("bad: {reason}: ")), "{message}");
        assert!(text.stdout.is_empty());
        (status, reason)
    }
}

fn verifier(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
    command.current_dir(folder);
    command
}

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
