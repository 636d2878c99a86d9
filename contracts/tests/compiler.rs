//! The checked-in artefacts are what the pinned compiler makes of the checked-in sources.

mod chain;

use std::path::{Path, PathBuf};
use std::process::Command;

use chain::simulator::Trapdoor;
use chain::{CHAIN_ID, key_file};
use sha3::{Digest, Keccak256};
use zkmargin_contracts::{Artifact, Evm, Fork};
use zkmargin_verifier::solidity::{self, Deployment};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `node`, when it and the pinned compiler are installed.
fn compiler(what: &str) -> Option<Command> {
    let installed = folder().join("node_modules/solc").is_dir();
    let runs = Command::new("node").arg("--version").output().is_ok();
    if !installed || !runs {
        println!(
            "skipped: {what} (node or contracts/node_modules absent; run npm ci in contracts/)"
        );
        return None;
    }
    let mut node = Command::new("node");
    node.current_dir(folder());
    Some(node)
}

#[test]
fn artefacts_belong_to_the_sources() {
    for artifact in [Artifact::statement_verifier(), Artifact::inheriting_verifier()] {
        let artifact = artifact.unwrap();
        for (name, digest) in &artifact.sources {
            let path = match name.as_str() {
                "StatementVerifier.sol" => "../verifier/solidity/StatementVerifier.sol".into(),
                name => PathBuf::from("solidity").join(name),
            };
            let source = std::fs::read(folder().join(path)).unwrap();
            let found: [u8; 32] = Keccak256::digest(&source).into();
            assert_eq!(&found, digest, "{name} changed: run node build.mjs in contracts/");
        }
    }
}

#[test]
fn artefacts_are_reproducible() {
    let Some(mut node) = compiler("compiling the contracts again") else { return };
    let output = node.args(["build.mjs", "--check"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn generated_source_deploys_the_spliced_code() {
    let Some(mut node) = compiler("compiling a generated verifier") else { return };
    let trapdoor = Trapdoor::new("generated", 3);
    let file = key_file(&trapdoor);
    let source = solidity::source(&file, Deployment::Test).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("Generated.sol");
    std::fs::write(&path, source).unwrap();
    let output = node.arg("build.mjs").arg("--creation").arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let creation = hex::decode(String::from_utf8(output.stdout).unwrap().trim()).unwrap();

    let mut evm = Evm::new(Fork::Osaka, CHAIN_ID);
    let (address, _) = evm.deploy(creation).unwrap();
    let runtime = Artifact::statement_verifier().unwrap().runtime_code;
    let tail = solidity::code_tail(&file, Deployment::Test).unwrap();
    assert_eq!(evm.code(address), [&runtime[..], &tail[..]].concat());
}
