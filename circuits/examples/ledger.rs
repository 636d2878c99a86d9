//! Prints where the constraints of each shape go: by table, and per trade.
//!
//! `cargo run --release -p zkmargin-circuits --example ledger -- small`

use std::collections::BTreeMap;
use std::process::ExitCode;

use ark_bn254::Fr;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::Mode;
use zkmargin_fixtures::build;
use zkmargin_host::{OutputError, output};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;

fn main() -> ExitCode {
    for name in std::env::args().skip(1) {
        let Some(shape) = Shape::named(&name) else {
            output::note(format_args!("shape {name:?}: allowed is tiny, small or large"));
            return ExitCode::from(2);
        };
        if let Err(error) = print(&name, shape) {
            output::note(error);
            return ExitCode::from(3);
        }
    }
    ExitCode::SUCCESS
}

fn print(name: &str, shape: Shape) -> Result<(), OutputError> {
    let mut trace = build::tiny_batch(false);
    trace.shape = shape;
    let mut cs = Cs::new(Mode::Shape);
    synthesize(&mut cs, &BatchPublic::at(&trace, Fr::from(7u64)), &trace);
    let r1cs = cs.finish().1.expect("shape mode records matrices");
    let total = r1cs.constraints();
    output::line(format_args!("{name}: {total} constraints, {} nonzeros", r1cs.nonzeros()))?;
    output::line(format_args!("  {} per trade", total / shape.trades))?;
    let mut tables = BTreeMap::<_, usize>::new();
    for (k, &(first, label)) in r1cs.labels.iter().enumerate() {
        let end = r1cs.labels.get(k + 1).map_or(total, |next| next.0);
        let table = label.row.map_or("shared", |(table, _)| table);
        let rule = label.rule.map_or("-", Rule::name);
        *tables.entry((table, rule)).or_default() += end - first;
    }
    for ((table, rule), count) in tables {
        output::line(format_args!("  {table:>12} {rule:<16} {count:>9}"))?;
    }
    Ok(())
}
