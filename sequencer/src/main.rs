//! The `sequencer` binary; see `sequencer --help` and `docs/spec/sequencer.md`.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use ark_bn254::Fr;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;

use zkmargin_protocol::account::{Account, Book};
use zkmargin_protocol::decimal::{self, Decimal};
use zkmargin_protocol::eddsa::PublicKey;
use zkmargin_protocol::margin::MarginMethod;
use zkmargin_protocol::market::SignedRiskTable;
use zkmargin_protocol::recipient::Recipient;
use zkmargin_protocol::shape::Shape;
use zkmargin_protocol::units::{AccountIndex, Time, Underlying};
use zkmargin_protocol::{Reject, Rule};
use zkmargin_sequencer::{
    Access, Answer, Error, Genesis, Sequencer, Source, backup, read_groups, rebuild,
};
use zkmargin_verifier::Domain;

/// Greatest size of a risk table, bytes: 65,536 rows take less.
const TABLE_BYTES_MAX: u64 = 64 << 20;
/// Greatest size of a genesis, bytes.
const GENESIS_BYTES_MAX: u64 = 1 << 30;
/// Something was refused; the reason is on standard output.
const REFUSED: u8 = 1;
/// The environment failed; the reason is on standard error.
const FAILED: u8 = 3;

/// Takes signed operations, keeps them durably, closes them into batches.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Directory of the store.
    #[arg(long, value_name = "DIRECTORY")]
    store: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a store with an empty insurance fund and an empty fee account, or from a genesis file.
    Init(Init),
    /// Takes a risk table signed by the oracle's quorum.
    Oracle {
        /// JSON of the table.
        file: PathBuf,
        #[command(flatten)]
        clock: Clock,
    },
    /// Lets the next risk tables be of other parameters; the first that is ends those in force.
    Parameters {
        /// Their hash, a decimal.
        hash: String,
        #[command(flatten)]
        clock: Clock,
    },
    /// Takes what is seen on L1, deposits and forced requests, one JSON object a line.
    Chain(Input),
    /// Takes tiers that the venue grants, one JSON object a line.
    Grant(Input),
    /// Takes signed trades and requests, one JSON object a line.
    Submit(Input),
    /// Closes the pending operations into a batch.
    Seal,
    /// Lists the batches closed, one a line.
    Batches,
    /// Writes artefact and statement of every batch again.
    Export {
        /// Directory to write to, instead of the store's own.
        #[arg(long)]
        to: Option<PathBuf>,
    },
    /// Makes again, from the log, whatever of a damaged store follows from it.
    Rebuild {
        /// Go on without the anchor, if it is lost: acknowledged entries at the end of the log may
        /// then be missing, and nothing will tell.
        #[arg(long)]
        without_anchor: bool,
    },
    /// Copies the store, also while a writer is at work.
    Backup {
        /// Directory to make.
        to: PathBuf,
    },
    /// Shows an account as it stands.
    Account {
        /// Index of the account.
        index: String,
    },
    /// Shows where the store stands.
    Status {
        /// Runs the whole log through the rules again and compares everything stored with what follows.
        #[arg(long)]
        verify: bool,
    },
}

#[derive(Args)]
struct Init {
    /// JSON of a genesis, instead of all other options.
    #[arg(long, exclusive = true)]
    genesis: Option<PathBuf>,
    /// Chain id of EIP-155.
    #[arg(long, required_unless_present = "genesis")]
    chain_id: Option<u64>,
    /// Address of the rollup contract, 0x and 40 digits.
    #[arg(long, required_unless_present = "genesis")]
    contract: Option<String>,
    /// Shape of every batch: tiny, small or large.
    #[arg(long, default_value = "small")]
    shape: String,
    /// Public key of the insurance fund: x,y as decimals.
    #[arg(long, required_unless_present = "genesis", value_name = "X,Y")]
    fund_key: Option<String>,
    /// Public key of the fee account: x,y as decimals.
    #[arg(long, required_unless_present = "genesis", value_name = "X,Y")]
    fee_key: Option<String>,
    /// View key of both accounts, a decimal; without it each gets one drawn at random.
    #[arg(long)]
    view_key: Option<String>,
    /// Hash of the oracle's members; without it the first table decides.
    #[arg(long)]
    signer_set: Option<String>,
    /// Hash of the parameters; without it the first table decides.
    #[arg(long)]
    parameters: Option<String>,
}

#[derive(Args)]
struct Input {
    /// File of lines, or - for standard input.
    file: PathBuf,
    /// Greatest number of lines that are committed together.
    #[arg(long, default_value_t = 64)]
    group_max: usize,
    /// Seconds after which a batch takes no more operations.
    #[arg(long, default_value_t = 60)]
    batch_age_max: u64,
    #[command(flatten)]
    clock: Clock,
}

#[derive(Args)]
struct Clock {
    /// Time in unix seconds, instead of the system's clock.
    #[arg(long)]
    time: Option<u64>,
}

impl Clock {
    fn now(&self) -> Result<Time, Error> {
        let seconds = match self.time {
            Some(seconds) => seconds,
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_err(|_| Error::Configuration("the clock is before 1970".to_owned()))?
                .as_secs(),
        };
        Time::new(seconds).map_err(configuration("time"))
    }
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sequencer: {error}");
            if error.is_fatal() {
                // No destructor may touch the store again; the next start finds out what is on the disk.
                std::process::abort();
            }
            ExitCode::from(FAILED)
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Error> {
    let store = &cli.store;
    let open = |access| Sequencer::open(store, access);
    match cli.command {
        Command::Init(init) => {
            Sequencer::create(store, init.genesis()?)?;
            show(&open(Access::Read)?.status())?;
        }
        Command::Oracle { file, clock } => {
            return oracle(open(Access::Write)?, &file, clock.now()?);
        }
        Command::Parameters { hash, clock } => {
            let (parameters, now) = (element("hash", &hash)?, clock.now()?);
            let sequence = open(Access::Write)?.announce_parameters(parameters, now)?;
            show(&serde_json::json!({"accepted": true, "sequence": sequence}))?;
        }
        Command::Chain(input) => take(open(Access::Write)?, Source::Chain, &input)?,
        Command::Grant(input) => take(open(Access::Write)?, Source::Venue, &input)?,
        Command::Submit(input) => take(open(Access::Write)?, Source::Public, &input)?,
        Command::Seal => show(&open(Access::Write)?.seal()?)?,
        Command::Batches => {
            for batch in open(Access::Read)?.batches()? {
                show(&batch)?;
            }
        }
        Command::Export { to: Some(directory) } => open(Access::Read)?.export(&directory)?,
        Command::Export { to: None } => {
            let sequencer = open(Access::Write)?;
            sequencer.export(&sequencer.batches_directory())?;
        }
        Command::Rebuild { without_anchor } => show(&rebuild(store, without_anchor)?)?,
        Command::Backup { to } => show(&backup(store, &to)?)?,
        Command::Account { index } => return account(&open(Access::Read)?, index),
        Command::Status { verify: true } => show(&open(Access::Read)?.replay()?)?,
        Command::Status { verify: false } => show(&open(Access::Read)?.status())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn oracle(mut sequencer: Sequencer, file: &Path, now: Time) -> Result<ExitCode, Error> {
    let table: SignedRiskTable = read_json(file, TABLE_BYTES_MAX)?;
    let epoch = table.attestation.message.epoch;
    match sequencer.take_table(table, now)? {
        Ok((sealed, sequence)) => {
            if let Some(batch) = sealed {
                show(&batch)?;
            }
            show(&serde_json::json!({"accepted": true, "epoch": epoch, "sequence": sequence}))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => {
            let mut answer = serde_json::json!({"accepted": false, "epoch": epoch});
            answer["rule"] = refusal.rule.into();
            answer["what"] = refusal.what.into();
            answer["value"] = refusal.value.into();
            show(&answer)?;
            Ok(ExitCode::from(REFUSED))
        }
    }
}

fn take(mut sequencer: Sequencer, source: Source, input: &Input) -> Result<(), Error> {
    let reader: Box<dyn Read + Send> = if input.file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(open_file(&input.file)?)
    };
    sequencer.batch_age_max_s = input.batch_age_max;
    let groups = read_groups(reader, input.group_max);
    sequencer.submit(source, groups, || input.clock.now(), publish)
}

/// Writes answers whose promises are on the disk.
fn publish(answers: &[Answer]) -> Result<(), Error> {
    answers.iter().try_for_each(show_unflushed)?;
    io::stdout().flush().map_err(Error::Output)
}

fn account(sequencer: &Sequencer, index: String) -> Result<ExitCode, Error> {
    let index = AccountIndex::try_from(index).map_err(configuration("index"))?;
    match sequencer.account(index)? {
        Ok(account) => {
            show(&account)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(Reject { rule, what, value }) => {
            show(&serde_json::json!({"rule": rule, "what": what, "value": value}))?;
            Ok(ExitCode::from(REFUSED))
        }
    }
}

impl Init {
    fn genesis(self) -> Result<Genesis, Error> {
        if let Some(path) = self.genesis {
            return read_json(&path, GENESIS_BYTES_MAX);
        }
        let domain = Domain::new(
            given(self.chain_id, "--chain-id")?,
            Recipient::try_from(given(self.contract, "--contract")?)
                .map_err(configuration("--contract"))?
                .0,
        );
        let unknown = || Error::Configuration(format!("--shape {} is unknown", self.shape));
        let shape = Shape::named(&self.shape).ok_or_else(unknown)?;
        let view_key = || match &self.view_key {
            Some(text) => element("--view-key", text),
            None => drawn_element(),
        };
        let book = Book { underlying: Underlying::MIN, method: MarginMethod::Portfolio };
        let open =
            |key: String| Ok::<_, Error>(Account::open(public_key(&key)?, view_key()?, book));
        let fund = open(given(self.fund_key, "--fund-key")?)?;
        let fees = open(given(self.fee_key, "--fee-key")?)?;
        let mut genesis = Genesis::new(domain, shape, fund, fees);
        let hash = |name, text: Option<String>| text.map(|text| element(name, &text)).transpose();
        genesis.signer_set = hash("--signer-set", self.signer_set)?.map(Decimal);
        genesis.parameters = hash("--parameters", self.parameters)?.map(Decimal);
        Ok(genesis)
    }
}

fn configuration(what: &'static str) -> impl Fn(Reject) -> Error {
    move |reject| Error::Configuration(format!("{what}: {reject}"))
}

fn given<T>(value: Option<T>, name: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::Configuration(format!("{name} is missing")))
}

fn element(name: &'static str, text: &str) -> Result<Fr, Error> {
    decimal::parse(Rule::Range, name, text).map_err(configuration("argument"))
}

/// An element that nobody can guess: 512 bits of the system's generator modulo the field's order.
fn drawn_element() -> Result<Fr, Error> {
    let path = Path::new("/dev/urandom");
    let mut parts = [[0; 16]; 4];
    let mut source = open_file(path)?;
    for part in &mut parts {
        let input = |source| Error::Input { path: path.to_owned(), source };
        source.read_exact(part).map_err(input)?;
    }
    let shift = Fr::from(u128::MAX) + Fr::from(1u64);
    let parts = parts.map(u128::from_le_bytes).into_iter();
    Ok(parts.fold(Fr::from(0u64), |number, part| number * shift + Fr::from(part)))
}

fn public_key(text: &str) -> Result<PublicKey, Error> {
    let wrong = || Error::Configuration(format!("{text} is not x,y"));
    let (x, y) = text.split_once(',').ok_or_else(wrong)?;
    PublicKey::new(element("x", x)?, element("y", y)?).map_err(configuration("key"))
}

fn open_file(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::Input { path: path.to_owned(), source })
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path, bytes_max: u64) -> Result<T, Error> {
    let mut text = String::new();
    let input = |source| Error::Input { path: path.to_owned(), source };
    open_file(path)?.take(bytes_max).read_to_string(&mut text).map_err(input)?;
    let wrong = |error| Error::Configuration(format!("{}: {error}", path.display()));
    serde_json::from_str(&text).map_err(wrong)
}

fn show(value: &impl Serialize) -> Result<(), Error> {
    show_unflushed(value)?;
    io::stdout().flush().map_err(Error::Output)
}

fn show_unflushed(value: &impl Serialize) -> Result<(), Error> {
    let mut line = serde_json::to_vec(value).map_err(|error| Error::Output(error.into()))?;
    line.push(b'\n');
    io::stdout().write_all(&line).map_err(Error::Output)
}
