//! Prints where the constraints of each shape go: by table, and per trade.
//!
//! `cargo run --release -p zkmargin-circuits --example ledger -- small`

use std::collections::BTreeMap;

use ark_bn254::Fr;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::Mode;
use zkmargin_fixtures::synthetic;
use zkmargin_protocol::shape::Shape;

fn main() {
    for name in std::env::args().skip(1) {
        let shape = Shape::named(&name).expect("tiny, small or large");
        let mut trace = synthetic::tiny_batch(false);
        trace.shape = shape;
        let mut cs = Cs::new(Mode::Shape);
        synthesize(&mut cs, &BatchPublic::at(&trace, Fr::from(7u64)), &trace);
        let r1cs = cs.finish().1.expect("shape mode records matrices");
        let total = r1cs.constraints();
        println!("{name}: {total} constraints, {} nonzeros", r1cs.nonzeros());
        println!("  {} a trade", total / shape.trades);
        let mut tables = BTreeMap::<_, usize>::new();
        for (k, &(first, label)) in r1cs.labels.iter().enumerate() {
            let end = r1cs.labels.get(k + 1).map_or(total, |next| next.0);
            let table = label.row.map_or("shared", |(table, _)| table);
            let rule = label.rule.map_or_else(|| "-".to_owned(), |rule| rule.name());
            *tables.entry((table, rule)).or_default() += end - first;
        }
        for ((table, rule), count) in tables {
            println!("  {table:>12} {rule:<16} {count:>9}");
        }
    }
}
