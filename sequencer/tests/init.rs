//! The view keys of the venue's own accounts: drawn for each store unless they are given.

use std::process::Command;

use serde_json::Value;
use zkmargin_fixtures::build::account_index;
use zkmargin_fixtures::keys::trader_key;

/// The state's root after `init` in a new folder, with these options besides what it needs.
fn root(options: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let [fund, fees] = [0, 1].map(|index| {
        let point = trader_key(account_index(index)).public().point();
        format!("{},{}", point.x, point.y)
    });
    let contract = format!("0x{}", "ab".repeat(20));
    let output = Command::new(env!("CARGO_BIN_EXE_sequencer"))
        .arg("--store")
        .arg(folder.path().join("store"))
        .args(["init", "--chain-id", "1", "--contract", &contract])
        .args(["--fund-key", &fund, "--fee-key", &fees])
        .args(options)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let status: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    status["root"].as_str().expect("a root").to_owned()
}

#[test]
fn init_draws_view_keys_unless_one_is_given() {
    let given = root(&["--view-key", "7"]);
    assert_eq!(root(&["--view-key", "7"]), given, "the same genesis");
    let drawn = [root(&[]), root(&[])];
    assert_ne!(drawn[0], drawn[1], "the leaves of both stores would be told apart by nothing else");
    assert!(!drawn.contains(&root(&["--view-key", "0"])), "0 is no drawn key");
}
