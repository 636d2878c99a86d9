//! Project chores, one subcommand each: `cargo xtask <command>`.
#![forbid(unsafe_code)]

mod audit;
mod batch;
mod evm;
mod fixtures;
mod ledger;
mod shape;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Audits the circuits of the catalogue: determinacy, mutation, deletion.
    Audit(audit::Arguments),
    /// Submits a proof to its contract on an EVM in this process and prints the gas.
    Evm(evm::Arguments),
    /// Writes the market tables and the signed flow below fixtures/.
    Fixtures(fixtures::Arguments),
    /// Prints the constraints of circuits by table and rule.
    Parts(ledger::Selection),
    /// Compares the shapes of the circuits with fixtures/shape.csv, or writes it.
    Shape(ledger::Selection),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Audit(arguments) => audit::run(&arguments),
        Task::Evm(arguments) => evm::run(&arguments),
        Task::Fixtures(arguments) => fixtures::run(&arguments).map_err(|error| error.to_string()),
        Task::Parts(arguments) => shape::print_parts(&arguments),
        Task::Shape(arguments) => shape::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
