//! Submits trades that must be refused and reads whose order broke which rule, what was found and
//! what is allowed.
//!
//! `cargo run --release -p zkmargin-protocol --example read_rejection`

use std::error::Error;
use std::process::ExitCode;

use zkmargin_fixtures::data::trades::{self, BadOperation};
use zkmargin_host::{OutputError, output};
use zkmargin_protocol::Reject;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::operation::Operation;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let status = if error.is::<OutputError>() { 3 } else { 1 };
            output::note(error);
            ExitCode::from(status)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    for (what, reject) in rejections()? {
        output::line(format_args!("{what}: {reject}"))?;
    }
    Ok(())
}

/// What was wrong with each recorded bad trade, and the refusal.
fn rejections() -> Result<Vec<(String, Reject)>, Box<dyn Error>> {
    let manifest = trades::manifest()?;
    let domain = manifest.domain;
    let market = trades::market(domain)?;
    let accounts = trades::demo_accounts()?;
    let state = State::new(Snapshot::opening(domain, accounts, market.specs())?)?;
    let mut batch = Batch::new(&state, &market, manifest.shape, trades::batch_time(0)?)?;
    batch.push(&trades::demo_operations()?[0])?;
    let before = batch.used();

    let mut rejections = Vec::new();
    for BadOperation { what, operation, .. } in trades::bad_operations()? {
        if !matches!(operation, Operation::Trade(_)) {
            continue;
        }
        match batch.push(&[operation]) {
            Ok(()) => return Err(format!("{what}: accepted").into()),
            Err(reject) => rejections.push((what, reject)),
        }
    }
    // A refusal changes nothing.
    assert_eq!(batch.used(), before);
    Ok(rejections)
}

#[test]
fn each_bad_trade_names_its_rule() {
    let named: Vec<_> = rejections().unwrap().iter().map(|(_, reject)| reject.rule).collect();
    let expected = trades::bad_operations().unwrap();
    let expected = expected.iter().filter(|bad| matches!(bad.operation, Operation::Trade(_)));
    assert_eq!(named, expected.map(|bad| bad.rule).collect::<Vec<_>>());
    assert!(named.len() >= 10);
}
