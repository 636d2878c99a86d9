//! The binary on files of a simulated set-up.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use zkmargin_verifier::{Domain, KeyFile, ProofFile, Provenance, Statement, StatementFile};

use crate::simulator::Trapdoor;

pub const CONTRACT: &str = "0xabababababababababababababababababababab";

pub struct Files {
    pub folder: tempfile::TempDir,
    pub key: KeyFile,
    pub proof: ProofFile,
    pub statement: Statement,
}

impl Files {
    pub fn new(provenance: Provenance) -> Self {
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

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn save(&self) {
        std::fs::write(self.path("key"), self.key.to_bytes()).unwrap();
        std::fs::write(self.path("proof"), self.proof.to_bytes()).unwrap();
        let statement = StatementFile(self.statement.clone());
        std::fs::write(self.path("statement"), statement.to_bytes()).unwrap();
    }

    pub fn run(&self, command: &str, extra: &[&str]) -> Output {
        let mut binary = verifier(self.folder.path());
        binary.args([command, "--key", "key", "--statement", "statement", "--proof", "proof"]);
        binary.args(extra).output().unwrap()
    }

    /// Status and reason of `verify`, checked to agree between text and JSON.
    pub fn verdict(&self, extra: &[&str]) -> (i32, String) {
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

pub fn verifier(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
    command.current_dir(folder);
    command
}

/// The arguments of `verify` and `export`.
pub const TRIPLE: [&str; 6] = ["--key", "key", "--statement", "statement", "--proof", "proof"];

/// Runs the program under a limit which a shell sets first: `ulimit -f` stands in for a full disk,
/// `ulimit -v` for a machine without memory to spare.
pub fn limited(folder: &Path, limit: &str, arguments: &[&str]) -> Output {
    let script = format!("trap '' XFSZ; {limit}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.current_dir(folder).args(["-c", &script, env!("CARGO_BIN_EXE_verifier")]);
    shell.args(arguments).output().unwrap()
}
