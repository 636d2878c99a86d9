//! What verification costs, locked to the unit in `fixtures/gas.json`.
//!
//! `UPDATE_FIXTURES=1 cargo test --release -p zkmargin-contracts --test gas` writes the file anew.

mod chain;

use std::collections::BTreeMap;

use chain::{Chain, FORKS};
use zkmargin_contracts::Fork;
use zkmargin_verifier::solidity;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/gas.json");
const COUNTS: [usize; 6] = [2, 32, 64, 256, 1024, 4096];

/// Gas of calldata without the floor: 4 a zero byte, 16 any other.
fn calldata_gas(data: &[u8]) -> u64 {
    data.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum()
}

/// Gas of execution alone: without the transaction's base and calldata.
fn execution(chain: &mut Chain, count: usize) -> u64 {
    let (statement, proof) = chain.proven(count);
    let data = solidity::calldata(&statement, &proof);
    let receipt = chain.submit(&statement, &proof).unwrap();
    receipt.gas_without_floor - 21_000 - calldata_gas(&data)
}

#[test]
fn gas_is_locked() {
    let mut gas = BTreeMap::<String, BTreeMap<String, u64>>::new();
    for fork in FORKS {
        let mut chain = Chain::new(fork, "gas");
        let costs = gas.entry(fork.name().to_string()).or_default();
        costs.insert("statement_verifier_deploy".into(), chain.deploy_gas);
        for count in COUNTS {
            let (statement, proof) = chain.proven(count);
            let receipt = chain.submit(&statement, &proof).unwrap();
            costs.insert(format!("verify_statement_{count:04}_words"), receipt.gas);
            if fork == Fork::Osaka {
                let execution = execution(&mut chain, count);
                costs.insert(format!("verify_statement_{count:04}_words_execution"), execution);
            }
        }
    }
    let text = serde_json::to_string_pretty(&gas).unwrap() + "\n";
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(FIXTURE, &text).unwrap();
    }
    let locked = std::fs::read_to_string(FIXTURE).unwrap_or_default();
    assert_eq!(text, locked, "run with UPDATE_FIXTURES=1 and review the change");
}

#[test]
fn gas_stays_near_the_arithmetic() {
    let mut chain = Chain::new(Fork::Osaka, "gas bounds");
    let (short, long) = (execution(&mut chain, 32), execution(&mut chain, 1024));
    let words = 1024 - 32;
    println!("execution: {short} at 32 words, {long} at 1024, {} a word", (long - short) / words);
    // What is left without the words is the pairing's part. Its floor is 199,450: four pairings, three
    // multiplications and three additions. The usual template's transaction costs 228,268 with these three
    // inputs, of which 201,600 are execution; one hundredth of it more is allowed.
    let fixed = short - 32 * (long - short) / words;
    println!("execution without words: {fixed}");
    assert!(fixed <= 201_600 + 2_282, "{fixed}");
    // Hash and copies 20, Horner's rule 24, range check 15.
    assert!(long - short <= 60 * words, "{}", long - short);
}
