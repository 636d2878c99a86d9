//! The calldata which the binary prints, in front of the contract.
#![cfg(feature = "cli")]

mod program;
mod simulator;

use ark_bn254::Fr;
use program::{Files, verifier};
use zkmargin_contracts::{DeployedVerifier, Fork};
use zkmargin_host::broken::said;
use zkmargin_verifier::Provenance;
use zkmargin_verifier::solidity::{self, Deployment};

fn printed(files: &Files, extra: &[&str]) -> Result<Vec<u8>, i32> {
    let mut binary = verifier(files.folder.path());
    binary.args(["calldata", "--statement", "statement", "--proof", "proof"]).args(extra);
    let output = binary.output().unwrap();
    match output.status.code() {
        Some(0) => {
            let line = String::from_utf8(output.stdout).unwrap();
            Ok(hex::decode(line.strip_suffix('\n').unwrap()).unwrap())
        }
        status => {
            assert!(output.stdout.is_empty(), "{}", said(&output));
            Err(status.unwrap())
        }
    }
}

#[test]
fn the_contract_accepts_what_is_printed() {
    let mut files = Files::new(Provenance::Ceremony);
    let data = printed(&files, &["--key", "key"]).unwrap();
    assert_eq!(data, printed(&files, &[]).unwrap());
    assert_eq!(data, solidity::calldata(&files.statement, &files.proof.proof));
    let domain = files.statement.domain;
    for fork in [Fork::Osaka, Fork::Amsterdam] {
        let mut chain =
            DeployedVerifier::new(fork, &domain, &files.key, Deployment::Production).unwrap();
        chain.call(data.clone()).unwrap();
        let mut changed = data.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(chain.call(changed).unwrap_err().name(), "StatementProofRejected");
    }
    // With the key at hand, what the contract would refuse is not printed; without it, neither is a
    // statement that is not one for its contract.
    files.statement.words[3] += Fr::from(1u64);
    files.save();
    assert_eq!(printed(&files, &["--key", "key"]), Err(16));
    let printed_alone = printed(&files, &[]).unwrap();
    assert_eq!(printed_alone, solidity::calldata(&files.statement, &files.proof.proof));
    files.statement.words[1] += Fr::from(1u64);
    files.save();
    assert_eq!(printed(&files, &[]), Err(27));
}
