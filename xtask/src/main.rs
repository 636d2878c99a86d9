//! Project chores, one subcommand each: `cargo xtask <command>`.
//!
//! Exit status: 0 done; 1 something is refused, differs or does not hold; 2 wrong usage; 3 a file
//! or standard output cannot be read or written.
#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod audit;
mod batch;
mod evm;
mod failure;
mod fixtures;
mod ledger;
mod shape;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use zkmargin_host::{output, usage};

/// What the exit status means, for `--help`.
const STATUS: &str = "Exit status: 0 done; 1 something is refused, differs or does not hold; 2 \
                      wrong usage; 3 a file or standard output cannot be read or written";

#[derive(Parser)]
#[command(about, after_help = STATUS)]
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
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(help) => return ExitCode::from(usage::status(help.print(), help.use_stderr())),
    };
    let result = match arguments.task {
        Task::Audit(arguments) => audit::run(&arguments),
        Task::Evm(arguments) => evm::run(&arguments),
        Task::Fixtures(arguments) => fixtures::run(&arguments),
        Task::Parts(arguments) => shape::print_parts(&arguments),
        Task::Shape(arguments) => shape::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(format_args!("xtask: {failure}"));
            failure.status()
        }
    }
}
