//! Ledgers: one line a circuit, kept in `fixtures/`, compared by default and written on demand.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::{Serialize, de::DeserializeOwned};
use zkmargin_circuits::catalogue::Circuit;

use crate::batch;

/// Size of the batch circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// A batch of a few rows.
    Tiny,
    /// A batch that proves on a laptop.
    Small,
    /// The batch of the budget.
    Large,
}

/// A choice of circuits; by default all but the small and the large batch.
#[derive(Args, Default)]
pub struct Selection {
    /// The batch circuit of this size.
    #[arg(long)]
    shape: Option<Shape>,
    /// The circuits whose name starts so.
    #[arg(long, value_name = "NAME")]
    gadget: Option<String>,
    /// Writes the ledger's lines of the circuits chosen instead of comparing them.
    #[arg(long)]
    write: bool,
}

impl Selection {
    /// The circuits chosen; an error if there are none.
    pub fn circuits(&self) -> Result<Vec<&'static Circuit>, String> {
        let batch = |shape: Shape| format!("batch/{shape:?}").to_lowercase();
        let is_chosen = |circuit: &&Circuit| match (&self.gadget, self.shape) {
            (None, None) => {
                !circuit.name.starts_with("batch/") || circuit.name == batch(Shape::Tiny)
            }
            (gadget, shape) => {
                gadget.as_ref().is_some_and(|name| circuit.name.starts_with(name))
                    || shape.is_some_and(|shape| circuit.name == batch(shape))
            }
        };
        let chosen: Vec<_> = batch::circuits().filter(is_chosen).collect();
        if chosen.is_empty() {
            let names: Vec<_> = batch::circuits().map(|circuit| circuit.name).collect();
            return Err(format!("no such circuit; the catalogue holds {}", names.join(", ")));
        }
        Ok(chosen)
    }

    /// Compares `lines` with those of the same name in `fixtures/<file>`, or writes them there.
    pub fn settle<L: Line>(&self, file: &str, lines: Vec<L>) -> Result<(), String> {
        let path = fixture(file);
        let mut ledger = read::<L>(&path)?;
        let mut differences = Vec::new();
        for line in lines {
            match ledger.get(line.name()) {
                Some(before) if *before == line => {}
                Some(before) => differences.push(format!("{file}: {before:?}\n  is now {line:?}")),
                None => differences.push(format!("{file}: {} is missing", line.name())),
            }
            ledger.insert(line.name().to_owned(), line);
        }
        if self.write {
            return write(&path, &ledger);
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(format!("{}\nrun again with --write if this is meant", differences.join("\n")))
    }
}

/// One line of a ledger.
pub trait Line: Clone + Debug + PartialEq + Serialize + DeserializeOwned {
    /// The circuit's name.
    fn name(&self) -> &str;
}

fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(file)
}

fn read<L: Line>(path: &Path) -> Result<BTreeMap<String, L>, String> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let mut reader = csv::Reader::from_path(path).map_err(|error| error.to_string())?;
    let lines = reader.deserialize::<L>();
    lines.map(|line| line.map(|l| (l.name().to_owned(), l)).map_err(|e| e.to_string())).collect()
}

fn write<L: Line>(path: &Path, ledger: &BTreeMap<String, L>) -> Result<(), String> {
    let mut writer = csv::Writer::from_path(path).map_err(|error| error.to_string())?;
    for line in ledger.values() {
        writer.serialize(line).map_err(|error| error.to_string())?;
    }
    writer.flush().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Size {
        name: String,
        rows: usize,
    }

    impl Line for Size {
        fn name(&self) -> &str {
            &self.name
        }
    }

    #[test]
    fn rejects_a_line_that_differs_or_is_missing_until_it_is_written() {
        let file = format!("ledger-test-{}.tmp", std::process::id());
        let line = |name: &str, rows| Size { name: name.to_owned(), rows };
        let compare = Selection::default();
        let writer = Selection { write: true, ..Selection::default() };
        let missing = compare.settle(&file, vec![line("a", 1)]).unwrap_err();
        assert!(missing.contains("a is missing"), "{missing}");
        writer.settle(&file, vec![line("a", 1), line("b", 2)]).unwrap();
        compare.settle(&file, vec![line("b", 2)]).unwrap();
        let differs = compare.settle(&file, vec![line("b", 3)]).unwrap_err();
        assert!(differs.contains("rows: 2") && differs.contains("rows: 3"), "{differs}");
        writer.settle(&file, vec![line("b", 3)]).unwrap();
        compare.settle(&file, vec![line("a", 1), line("b", 3)]).unwrap();
        std::fs::remove_file(fixture(&file)).unwrap();
    }

    #[test]
    fn rejects_a_name_that_chooses_nothing() {
        let selection = Selection { gadget: Some("no such".to_owned()), ..Selection::default() };
        assert!(selection.circuits().is_err());
    }
}
