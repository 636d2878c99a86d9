//! What verification costs, locked to the unit in `fixtures/gas.json`.
//!
//! `UPDATE_FIXTURES=1 cargo test --release -p zkmargin-contracts --test gas` writes the file anew.

mod chain;

use std::collections::BTreeMap;

use chain::{Chain, FORKS};
use zkmargin_contracts::Fork;
use zkmargin_fixtures::data::trades;
use zkmargin_host::file;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_prover::batch;
use zkmargin_verifier::{Domain, Statement, solidity};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/gas.json");
const COUNTS: [usize; 6] = [2, 32, 64, 256, 1024, 4096];

/// Gas of calldata without the floor: 4 a zero byte, 16 any other.
fn calldata_gas(data: &[u8]) -> u64 {
    data.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum()
}

/// What a batch of recorded trades that fills the large shape makes public.
fn full_large_batch(domain: Domain) -> Statement {
    let market = trades::market(domain.field()).unwrap();
    let venue = trades::large_operations(1, domain.field()).unwrap();
    let opening = Snapshot::opening(domain.field(), venue.accounts, market.specs());
    let state = State::new(opening.unwrap()).unwrap();
    let time = trades::batch_time(0).unwrap();
    let mut batch = Batch::new(&state, &market, Shape::LARGE, time).unwrap();
    batch.push(&venue.batches[0]).unwrap();
    assert_eq!(batch.used().trades, Shape::LARGE.trades);
    batch::statement(&batch.seal().unwrap().1, domain).unwrap()
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
    let large = full_large_batch(Chain::new(Fork::Osaka, "gas").domain());
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
        let proof = chain.trapdoor.prove(large.public_inputs().unwrap().as_slice());
        let receipt = chain.submit(&large, &proof).unwrap();
        costs.insert("verify_full_large_batch".into(), receipt.gas);
        costs.insert("verify_full_large_batch_without_floor".into(), receipt.gas_without_floor);
    }
    let text = serde_json::to_string_pretty(&gas).unwrap() + "\n";
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        file::write(FIXTURE.as_ref(), text.as_bytes()).unwrap();
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
    // What is left without the words is the pairing's part. Its floor is 199,450: four pairings,
    // three multiplications and three additions. The usual template's transaction costs 228,268
    // with these three inputs, of which 201,600 are execution; one hundredth of it more is allowed.
    let fixed = short - 32 * (long - short) / words;
    println!("execution without words: {fixed}");
    assert!(fixed <= 201_600 + 2_282, "{fixed}");
    // Hash, copies and memory 17.3, Horner's rule 23, range check 15, loop 3.7:
    // docs/performance.md.
    assert!(long - short <= 60 * words, "{}", long - short);
}
