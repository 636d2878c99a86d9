//! `cargo xtask fixtures`: the market tables and the signed flow below `fixtures/`.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Args;
use zkmargin_fixtures::import::{CHAIN_SOURCE, FLOW_SOURCE, tables};

/// Options of `fixtures`.
#[derive(Args)]
pub struct Arguments {
    /// Folder of the recorded data. Without it the market tables stay as they are.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
}

/// Writes the files.
///
/// # Errors
/// What cannot be read, made or written.
pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    if arguments.data.is_dir() {
        let open = |file| File::open(arguments.data.join(file));
        for (file, text) in tables(open(CHAIN_SOURCE)?, open(FLOW_SOURCE)?)? {
            fs::write(fixtures.join(file), &text)?;
            println!("fixtures/{file}: {} rows", text.lines().count() - 1);
        }
    } else {
        println!("market tables kept: no folder {}", arguments.data.display());
    }
    Ok(())
}
