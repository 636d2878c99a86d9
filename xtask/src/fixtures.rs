//! `cargo xtask fixtures`: the market tables and the signed flow below `fixtures/`.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Args;
use zkmargin_fixtures::import::{CHAIN_SOURCE, FLOW_SOURCE, tables};
use zkmargin_fixtures::market::TABLES;
use zkmargin_fixtures::trades::{self, CHAIN_ID, CONTRACT, Manifest};
use zkmargin_protocol::recipient::Recipient;
use zkmargin_protocol::shape::Shape;
use zkmargin_verifier::{Domain, address};

/// Options of `fixtures`.
#[derive(Args)]
pub struct Arguments {
    /// Folder of the recorded data. Without it the market tables stay as they are.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Seed of the signed flow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Chain id that the flow is signed for.
    #[arg(long, default_value_t = CHAIN_ID)]
    chain_id: u64,
    /// Contract that the flow is signed for, 0x and 40 digits; the default is that of the demonstration.
    #[arg(long)]
    contract: Option<String>,
}

/// Writes the files.
///
/// # Errors
/// What cannot be read, made or written.
pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    if arguments.data.is_dir() {
        let open = |file| File::open(arguments.data.join(file));
        let rebuilt = tables(open(CHAIN_SOURCE)?, open(FLOW_SOURCE)?)?;
        for (file, text) in &rebuilt {
            fs::write(fixtures.join(file), text)?;
            println!("fixtures/{file}: {} rows", text.lines().count() - 1);
        }
        // The flow is made from the tables this program was built with.
        if rebuilt.iter().zip(TABLES).any(|((_, text), (_, built))| text != built) {
            return Err("the market tables have changed: run the command again for the flow".into());
        }
    } else {
        println!("market tables kept: no folder {}", arguments.data.display());
    }
    let contract = match &arguments.contract {
        Some(text) => Recipient(address::parse(text)?),
        None => CONTRACT,
    };
    let manifest = Manifest {
        chain_id: arguments.chain_id,
        contract,
        domain: Domain::new(arguments.chain_id, contract.0).field(),
        seed: arguments.seed,
        shape: Shape::SMALL,
    };
    for (file, text) in trades::files(&manifest)? {
        fs::write(fixtures.join(file), &text)?;
        println!("fixtures/{file}: {} lines, {} bytes", text.lines().count(), text.len());
    }
    Ok(())
}
