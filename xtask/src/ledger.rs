//! Ledgers: one line a circuit, kept in `fixtures/`, compared by default and written on demand.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::{Serialize, de::DeserializeOwned};
use zkmargin_circuits::catalogue::Circuit;
use zkmargin_host::{FileError, file};

use crate::batch;
use crate::failure::Failure;

/// Greatest size of a ledger.
const BYTES_MAX: u64 = 1 << 24;

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

    /// The ledger `fixtures/<file>`. It is read, and shown to be writable if it will be written,
    /// before circuits are built, which takes minutes for the large ones.
    ///
    /// # Errors
    /// [`Failure::Environment`] for a file that cannot be read or written, or is damaged.
    pub fn ledger<L: Line>(&self, file: &str) -> Result<Ledger<L>, Failure> {
        let path = fixture(file);
        if self.write {
            file::ensure_writable_folder(file::parent(&path))?;
        }
        let lines = read::<L>(&path)?;
        Ok(Ledger { path, lines })
    }

    /// Compares `lines` with those of the same name in the ledger, or writes them there.
    ///
    /// # Errors
    /// [`Failure::Refused`] with what differs.
    pub fn settle<L: Line>(&self, ledger: Ledger<L>, lines: Vec<L>) -> Result<(), Failure> {
        let Ledger { path, lines: mut known } = ledger;
        let file = path.file_name().unwrap_or_default().display();
        let mut differences = Vec::new();
        for line in lines {
            match known.get(line.name()) {
                Some(before) if *before == line => {}
                Some(before) => differences.push(format!("{file}: {before:?}\n  is now {line:?}")),
                None => differences.push(format!("{file}: {} is missing", line.name())),
            }
            known.insert(line.name().to_owned(), line);
        }
        if self.write {
            return write(&path, &known);
        }
        if differences.is_empty() {
            return Ok(());
        }
        let differences = differences.join("\n");
        Err(format!("{differences}\nrun again with --write if this is meant").into())
    }
}

/// The lines of a ledger by name, with its file.
pub struct Ledger<L> {
    path: PathBuf,
    lines: BTreeMap<String, L>,
}

/// One line of a ledger.
pub trait Line: Clone + Debug + PartialEq + Serialize + DeserializeOwned {
    /// The circuit's name.
    fn name(&self) -> &str;
}

fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(file)
}

fn read<L: Line>(path: &Path) -> Result<BTreeMap<String, L>, Failure> {
    let content = match file::read(path, BYTES_MAX) {
        Ok(content) => content,
        Err(FileError { error, .. }) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let damaged = |error: csv::Error| {
        let remedy = "restore the file, or remove it and run again with --write for every circuit";
        Failure::Environment(format!("{}: {error}; {remedy}", path.display()))
    };
    let mut lines = BTreeMap::new();
    for line in csv::Reader::from_reader(content.as_slice()).deserialize::<L>() {
        let line = line.map_err(damaged)?;
        lines.insert(line.name().to_owned(), line);
    }
    Ok(lines)
}

fn write<L: Line>(path: &Path, ledger: &BTreeMap<String, L>) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in ledger.values() {
        writer.serialize(line).map_err(|error| error.to_string())?;
    }
    let content = writer.into_inner().map_err(|error| error.to_string())?;
    Ok(file::write(path, &content)?)
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

    /// A ledger in a folder of its own, read with `selection` and settled with lines of these
    /// sizes.
    fn settle(path: &Path, selection: &Selection, sizes: &[(&str, usize)]) -> Result<(), Failure> {
        let lines = read(path)?;
        let ledger = Ledger { path: path.to_owned(), lines };
        let line = |&(name, rows): &(&str, usize)| Size { name: name.to_owned(), rows };
        selection.settle(ledger, sizes.iter().map(line).collect())
    }

    #[test]
    fn rejects_a_line_that_differs_or_is_missing_until_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sizes.csv");
        let compare = Selection::default();
        let writer = Selection { write: true, ..Selection::default() };
        let missing = settle(&path, &compare, &[("a", 1)]).unwrap_err().to_string();
        assert!(missing.contains("sizes.csv: a is missing"), "{missing}");
        settle(&path, &writer, &[("a", 1), ("b", 2)]).unwrap();
        settle(&path, &compare, &[("b", 2)]).unwrap();
        let differs = settle(&path, &compare, &[("b", 3)]).unwrap_err().to_string();
        assert!(differs.contains("rows: 2") && differs.contains("rows: 3"), "{differs}");
        settle(&path, &writer, &[("b", 3)]).unwrap();
        settle(&path, &compare, &[("a", 1), ("b", 3)]).unwrap();
    }

    #[test]
    fn rejects_a_damaged_ledger_by_its_path_with_the_remedy_and_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sizes.csv");
        let writer = Selection { write: true, ..Selection::default() };
        for damaged in ["name,rows\na,1\nb", "name,rows\na,many\n", "name\na\n"] {
            std::fs::write(&path, damaged).unwrap();
            let refused = settle(&path, &writer, &[("a", 1)]).unwrap_err();
            let text = refused.to_string();
            assert!(matches!(refused, Failure::Environment(_)), "{text}");
            assert!(text.contains("sizes.csv: ") && text.contains("; restore the file"), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
        }
    }

    #[test]
    fn rejects_a_name_that_chooses_nothing() {
        let selection = Selection { gadget: Some("no such".to_owned()), ..Selection::default() };
        assert!(selection.circuits().is_err());
    }
}
