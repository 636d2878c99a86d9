//! `cargo xtask fixtures`: the market tables and the signed flow below `fixtures/`.
//!
//! The import is whole or does nothing: every file is made and checked before the first is
//! replaced.

use std::path::{Path, PathBuf};

use clap::Args;
use zkmargin_fixtures::data::import::{CHAIN_SOURCE, FLOW_SOURCE, import, tables};
use zkmargin_fixtures::data::market::{self, Facts};
use zkmargin_fixtures::data::trades::{self, CHAIN_ID, CONTRACT, Manifest};
use zkmargin_host::{file, output};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::recipient::Recipient;
use zkmargin_verifier::{Domain, address};

use crate::failure::Failure;

/// The recorded data where a checkout has them beside it.
const DATA: &str = "../shared/data";
/// Greatest size of a packed table.
const BYTES_MAX: u64 = 1 << 27;

/// Options of `fixtures`.
#[derive(Args)]
pub struct Arguments {
    /// Folder of the recorded data; ../shared/data if it is there. Without data the market tables
    /// stay as they are.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder of the files; by default fixtures/ of this checkout.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seed of the signed flow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Chain id that the flow is signed for.
    #[arg(long, default_value_t = CHAIN_ID, value_parser = clap::value_parser!(u64).range(1..))]
    chain_id: u64,
    /// Contract that the flow is signed for, 0x and 40 digits; the default is that of the
    /// demonstration.
    #[arg(long)]
    contract: Option<String>,
}

/// A file below the folder, its content and what is told of it.
type Made = (&'static str, String, String);

/// Makes the files, then puts them in place together.
///
/// # Errors
/// [`Failure`] naming the row that is refused or the file that cannot be read or written. No file
/// has changed then.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let out = arguments.out.clone().unwrap_or_else(default);
    let manifest = manifest(arguments)?;
    for folder in ["market", "trades"] {
        file::ensure_writable_folder(&out.join(folder))?;
    }
    let data = arguments.data.clone();
    let data = data.or_else(|| Some(PathBuf::from(DATA)).filter(|data| data.is_dir()));
    let mut made = Vec::new();
    let facts = match data {
        Some(data) => imported(&data, &mut made)?,
        None => {
            output::line(format_args!("market tables kept: there is no folder {DATA}"))?;
            market::facts()?
        }
    };
    for (name, text) in trades::files(&manifest, &facts)? {
        let told = format!("{} lines, {} bytes", text.lines().count(), text.len());
        made.push((name, text, told));
    }
    let files: Vec<_> = made.iter().map(|(name, text, _)| (out.join(name), text)).collect();
    file::write_together(&files)?;
    for (name, _, told) in &made {
        output::line(format_args!("{}: {told}", out.join(name).display()))?;
    }
    Ok(())
}

/// The facts of the recorded data, and their tables.
fn imported(data: &Path, made: &mut Vec<Made>) -> Result<Facts, Failure> {
    let read = |name| file::read(&data.join(name), BYTES_MAX);
    let [chain, flow] = [read(CHAIN_SOURCE)?, read(FLOW_SOURCE)?];
    let import = import(chain.as_slice(), flow.as_slice()).map_err(|error| {
        Failure::Refused(format!("{}/{error}\nno file has changed", data.display()))
    })?;
    for (name, report) in &import.reports {
        output::line(format_args!("{}: {report}", data.join(name).display()))?;
    }
    for (name, text) in tables(&import.facts)? {
        let told = format!("{} rows", text.lines().count().saturating_sub(1));
        made.push((name, text, told));
    }
    Ok(import.facts)
}

fn manifest(arguments: &Arguments) -> Result<Manifest, Failure> {
    let contract = match &arguments.contract {
        Some(text) => Recipient(address::parse(text).map_err(|error| error.to_string())?),
        None => CONTRACT,
    };
    Ok(Manifest {
        chain_id: arguments.chain_id,
        contract,
        domain: Domain::new(arguments.chain_id, contract.0).field(),
        seed: arguments.seed,
        shape: Shape::SMALL,
    })
}
