//! The `sequencer` binary; see `sequencer --help` and `docs/spec/sequencer.md`.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ark_bn254::Fr;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use serde::de::DeserializeOwned;

use zkmargin_host::{file, output, threads, usage};
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::account::{Account, Book};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::crypto::eddsa::PublicKey;
use zkmargin_protocol::market::SignedRiskTable;
use zkmargin_protocol::value::decimal::{self, Decimal};
use zkmargin_protocol::value::units::{AccountIndex, Time, Underlying};
use zkmargin_protocol::{Reject, Rule};
use zkmargin_sequencer::{
    Access, Answer, Error, Genesis, Refusal, Sequencer, Source, backup, read_groups, rebuild,
};
use zkmargin_verifier::{Domain, address, text};

/// Greatest size of a risk table, bytes: 65,536 rows take less.
const TABLE_BYTES_MAX: u64 = 64 << 20;
/// Greatest size of a genesis, bytes.
const GENESIS_BYTES_MAX: u64 = 1 << 30;
/// Something was refused; the reason is on standard output.
const REFUSED: u8 = 1;
/// The environment failed; the reason is on standard error.
const FAILED: u8 = 3;

/// Takes signed operations, keeps them durably, closes them into batches.
///
/// Exit status: 0 good; 1 something was refused, standard output says why; 2 wrong usage; 3 the
/// environment failed, standard error says why.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Directory of the store.
    #[arg(long, value_name = "DIRECTORY")]
    store: PathBuf,
    /// Seconds to wait for another process that is writing to the store.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a store with an empty insurance fund and an empty fee account, or from a genesis file.
    Init(Box<Init>),
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
        #[arg(value_parser = parse_element)]
        hash: Fr,
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
        #[arg(value_parser = parse_index)]
        index: AccountIndex,
    },
    /// Shows where the store stands.
    Status {
        /// Runs the whole log through the rules again and compares everything stored with what
        /// follows.
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
    /// Address of the rollup contract, 0x and 40 hexadecimal digits. Letters of both cases must be
    /// the checksum of EIP-55.
    #[arg(long, required_unless_present = "genesis", value_parser = address::parse)]
    contract: Option<[u8; 20]>,
    /// Shape of every batch: tiny, small or large.
    #[arg(long, default_value = "small", value_parser = parse_shape)]
    shape: Shape,
    /// Public key of the insurance fund: x,y as decimals.
    #[arg(long, required_unless_present = "genesis", value_name = "X,Y", value_parser = parse_key)]
    fund_key: Option<PublicKey>,
    /// Public key of the fee account: x,y as decimals.
    #[arg(long, required_unless_present = "genesis", value_name = "X,Y", value_parser = parse_key)]
    fee_key: Option<PublicKey>,
    /// View key of both accounts, a decimal; without it each gets one drawn at random.
    #[arg(long, value_parser = parse_element)]
    view_key: Option<Fr>,
    /// Hash of the oracle's members; without it the first table decides.
    #[arg(long, value_parser = parse_element)]
    signer_set: Option<Fr>,
    /// Hash of the parameters; without it the first table decides.
    #[arg(long, value_parser = parse_element)]
    parameters: Option<Fr>,
}

#[derive(Args)]
struct Input {
    /// File of lines, or - for standard input.
    file: PathBuf,
    /// Greatest number of lines that are committed together.
    #[arg(long, default_value_t = 64)]
    group_max: usize,
    /// Seconds after which a batch takes no more operations, and is closed even when no line comes.
    #[arg(long, default_value_t = 60)]
    batch_age_max: u64,
    #[command(flatten)]
    clock: Clock,
}

#[derive(Args)]
struct Clock {
    /// Time in unix seconds, instead of the system's clock.
    #[arg(long, value_parser = parse_time)]
    time: Option<Time>,
}

impl Clock {
    fn now(&self) -> Result<Time, Error> {
        if let Some(time) = self.time {
            return Ok(time);
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.map_err(|_| configuration("the clock is before 1970"))?;
        Time::new(since.as_secs()).map_err(|reject| configuration(format!("the clock: {reject}")))
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) => return ExitCode::from(usage::status(help.print(), help.use_stderr())),
    };
    if let Err(error) = threads::start() {
        output::note(format_args!("sequencer: {error}"));
        return ExitCode::from(FAILED);
    }
    let wait = cli.wait;
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            match error {
                Error::Held(_) => output::note(format_args!("sequencer: {error}, for {wait} s")),
                _ => output::note(format_args!("sequencer: {error}")),
            }
            if error.is_fatal() {
                // No destructor may touch the store again; the next start finds out what is on the
                // disk.
                std::process::abort();
            }
            ExitCode::from(FAILED)
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Error> {
    let store = &cli.store;
    let look = || Sequencer::open(store, Access::Read);
    let write = || Sequencer::open_within(store, Access::Write, Duration::from_secs(cli.wait));
    match cli.command {
        Command::Init(init) => {
            Sequencer::create(store, init.genesis()?)?;
            show(&look()?.status())?;
        }
        Command::Oracle { file, clock } => {
            let table = read_json(&file, TABLE_BYTES_MAX)?;
            return oracle(write()?, table, clock.now()?);
        }
        Command::Parameters { hash, clock } => {
            let now = clock.now()?;
            let sequence = write()?.announce_parameters(hash, now)?;
            show(&serde_json::json!({"accepted": true, "sequence": sequence}))?;
        }
        Command::Chain(input) => return take(write, Source::Chain, &input),
        Command::Grant(input) => return take(write, Source::Venue, &input),
        Command::Submit(input) => return take(write, Source::Public, &input),
        Command::Seal => show(&write()?.seal()?)?,
        Command::Batches => {
            for batch in look()?.batches()? {
                show(&batch)?;
            }
        }
        Command::Export { to: Some(directory) } => look()?.export(&directory)?,
        Command::Export { to: None } => {
            let sequencer = write()?;
            sequencer.export(&sequencer.batches_directory())?;
        }
        Command::Rebuild { without_anchor } => {
            show(&rebuild(store, without_anchor, Duration::from_secs(cli.wait))?)?;
        }
        Command::Backup { to } => show(&backup(store, &to)?)?,
        Command::Account { index } => return account(&look()?, index),
        Command::Status { verify: true } => show(&look()?.replay()?)?,
        Command::Status { verify: false } => show(&look()?.status())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn oracle(mut sequencer: Sequencer, table: SignedRiskTable, now: Time) -> Result<ExitCode, Error> {
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
            let mut answer = serde_json::json!(refusal);
            answer["accepted"] = false.into();
            answer["epoch"] = epoch.into();
            show(&answer)?;
            Ok(ExitCode::from(REFUSED))
        }
    }
}

/// Takes all lines of an input; the status says whether one was refused.
fn take(
    open: impl Fn() -> Result<Sequencer, Error>,
    source: Source,
    input: &Input,
) -> Result<ExitCode, Error> {
    let reader: Box<dyn Read + Send> = if input.file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(open_file(&input.file)?)
    };
    let mut sequencer = open()?;
    sequencer.batch_age_max_s = input.batch_age_max;
    let groups = read_groups(reader, input.group_max);
    let groups =
        groups.map_err(|error| configuration(format!("no thread to read with: {error}")))?;
    let mut is_refused = false;
    let publish = |answers: &[Answer]| {
        is_refused |= answers.iter().any(Answer::is_refused);
        publish(answers)
    };
    sequencer.submit(source, groups, || input.clock.now(), publish)?;
    Ok(if is_refused { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS })
}

/// Writes answers whose promises are on the disk.
fn publish(answers: &[Answer]) -> Result<(), Error> {
    let lines: Vec<String> = answers.iter().map(json).collect::<Result<_, _>>()?;
    Ok(output::bytes(lines.concat().as_bytes())?)
}

fn account(sequencer: &Sequencer, index: AccountIndex) -> Result<ExitCode, Error> {
    match sequencer.account(index)? {
        Ok(account) => {
            show(&account)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(reject) => {
            show(&Refusal::from(reject))?;
            Ok(ExitCode::from(REFUSED))
        }
    }
}

impl Init {
    fn genesis(self) -> Result<Genesis, Error> {
        if let Some(path) = self.genesis {
            return read_json(&path, GENESIS_BYTES_MAX);
        }
        let domain =
            Domain::new(given(self.chain_id, "--chain-id")?, given(self.contract, "--contract")?);
        let view_key = || self.view_key.map_or_else(drawn_element, Ok);
        let book = Book { underlying: Underlying::MIN, method: MarginMethod::Portfolio };
        let open = |key: PublicKey| Ok::<_, Error>(Account::open(key, view_key()?, book));
        let fund = open(given(self.fund_key, "--fund-key")?)?;
        let fees = open(given(self.fee_key, "--fee-key")?)?;
        let mut genesis = Genesis::new(domain, self.shape, fund, fees);
        genesis.signer_set = self.signer_set.map(Decimal);
        genesis.parameters = self.parameters.map(Decimal);
        Ok(genesis)
    }
}

fn configuration(what: impl Into<String>) -> Error {
    Error::Configuration(what.into())
}

fn given<T>(value: Option<T>, name: &str) -> Result<T, Error> {
    value.ok_or_else(|| configuration(format!("{name} is missing")))
}

fn parse_element(text: &str) -> Result<Fr, Reject> {
    decimal::parse(Rule::Range, "number", text)
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

fn parse_index(text: &str) -> Result<AccountIndex, Reject> {
    AccountIndex::try_from(text.to_owned())
}

fn parse_time(text: &str) -> Result<Time, Reject> {
    Time::try_from(text.to_owned())
}

fn parse_shape(name: &str) -> Result<Shape, String> {
    let names = Shape::NAMED.map(|(name, _)| name).join(", ");
    Shape::named(name).ok_or_else(|| format!("the shapes are {names}"))
}

fn parse_key(text: &str) -> Result<PublicKey, String> {
    let (x, y) = text.split_once(',').ok_or("x,y is wanted")?;
    let [x, y] = [x, y].map(parse_element);
    let key = x.and_then(|x| PublicKey::new(x, y?));
    key.map_err(|reject| reject.to_string())
}

fn open_file(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::Input { path: path.to_owned(), source })
}

fn read_json<T: DeserializeOwned>(path: &Path, bytes_max: u64) -> Result<T, Error> {
    let content = file::read(path, bytes_max)
        .map_err(|error| Error::Input { path: error.path, source: error.error })?;
    let wrong =
        |error: &dyn std::fmt::Display| configuration(format!("{}: {error}", path.display()));
    let text = text::decode(&content).map_err(|error| wrong(&error))?;
    serde_json::from_str(text).map_err(|error| wrong(&error))
}

fn show(value: &impl Serialize) -> Result<(), Error> {
    Ok(output::bytes(json(value)?.as_bytes())?)
}

/// One line of JSON.
fn json(value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string(value);
    text.map(|text| text + "\n").map_err(|error| configuration(format!("an answer: {error}")))
}
