//! What the log says: the quick reading at start, and the full one that runs every rule again.

use serde::Serialize;

use ark_bn254::Fr;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::{Market, SignedRiskTable};
use zkmargin_protocol::value::decimal;

use crate::batches::produced;
use crate::desk::{Desk, Pending};
use crate::error::Error;
use crate::event::{Entry, Event, SealRecord};
use crate::genesis::Genesis;
use crate::pins::Pins;
use crate::store::Store;

/// What is needed to go on: the parts of the log which the stored accounts do not have.
#[derive(Default)]
pub(crate) struct Recovery {
    genesis: Option<(Genesis, Pins)>,
    table: Option<Entry>,
    last_seal: Option<Entry>,
    pending: Vec<Entry>,
}

impl Recovery {
    /// Takes the next entry.
    pub fn visit(&mut self, entry: &Entry) -> Result<(), Error> {
        match entry.kind.as_str() {
            "genesis" => {
                let genesis = genesis_of(entry)?;
                let pins = Pins::of(&genesis);
                self.genesis = Some((genesis, pins));
            }
            "parameters" => self.pins()?.announce(announced_by(entry)?),
            "oracle" => {
                // Most tables change nothing that is pinned, and are not read here.
                if self.pins()?.is_open() {
                    let table = entry.table()?;
                    self.pins()?.pin(&table);
                }
                self.table = Some(entry.clone());
            }
            "seal" => {
                self.last_seal = Some(entry.clone());
                self.pending.clear();
            }
            _ => self.pending.push(entry.clone()),
        }
        Ok(())
    }

    fn pins(&mut self) -> Result<&mut Pins, Error> {
        self.genesis.as_mut().map(|(_, pins)| pins).ok_or_else(no_genesis)
    }

    /// The genesis, whose tables are taken, the last seal, the last table, the pending operations.
    pub fn finish(self) -> Result<Recovered, Error> {
        let (genesis, pins) = self.genesis.ok_or_else(no_genesis)?;
        let seal = self.last_seal.as_ref().map(seal_of).transpose()?;
        let table = self.table.as_ref().map(Entry::table).transpose()?;
        let pending = self.pending.iter().map(pending_of).collect::<Result<_, _>>()?;
        Ok(Recovered { genesis, pins, seal, table, pending })
    }
}

/// See [`Recovery::finish`].
pub(crate) struct Recovered {
    pub genesis: Genesis,
    pub pins: Pins,
    pub seal: Option<SealRecord>,
    pub table: Option<SignedRiskTable>,
    pub pending: Vec<Pending>,
}

/// What a replay from genesis found equal to what is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Entries of the log.
    pub entries: u64,
    /// Batches made again, each with the root, artefact and statement stored.
    pub batches: u64,
    /// Operations applied again.
    pub operations: u64,
    /// Account root after the last batch.
    #[serde(with = "decimal")]
    pub root: Fr,
}

/// Runs the whole log through the rules again.
///
/// # Errors
/// [`Error::Damaged`] with the first entry or batch that does not follow.
pub(crate) fn replay(store: &Store) -> Result<Replayed, Error> {
    store.check_all_pages()?;
    let mut replay = Replay::default();
    let mut batches = 0;
    let (head, _) = store.walk(|entry| {
        let Some(made) = replay.visit(entry)? else { return Ok(()) };
        batches += 1;
        made.check_stored(store, entry)
    })?;
    let Ended { state, operations } = replay.finish()?;
    if store.accounts()? != *state.accounts() || store.specs()? != state.open_interest().specs() {
        let what = "the stored accounts and instruments are not those of the log";
        return Err(Error::derived(what));
    }
    if store.batch_count()? != batches {
        return Err(Error::derived("there are batches that no entry of the log has sealed"));
    }
    let entries = head.sequence + 1;
    Ok(Replayed { entries, batches: state.batches(), operations, root: state.root() })
}

/// The log, entry by entry, under the rules.
#[derive(Default)]
pub(crate) struct Replay(Option<Standing>);

/// What follows from the log up to some entry.
pub(crate) struct Standing {
    pub genesis: Genesis,
    pub pins: Pins,
    pub state: State,
    pub market: Option<Market>,
    pub pending: Vec<Pending>,
    pub operations: u64,
}

/// A batch made again, as its seal says.
pub(crate) struct Made {
    pub record: SealRecord,
    pub artefact: Vec<u8>,
    pub statement: Vec<u8>,
}

impl Made {
    /// The batch that is stored is this one, sealed by `entry`.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn check_stored(&self, store: &Store, entry: &Entry) -> Result<(), Error> {
        let number = self.record.number;
        let differs = || {
            let what = "stored artefact, statement or seal";
            Error::derived(format!("{what} of batch {number} does not follow from the log"))
        };
        let stored = store.batch(number)?.ok_or_else(differs)?;
        let is_same = stored.artefact == self.artefact
            && stored.statement == self.statement
            && stored.seal.sequence == entry.sequence;
        if is_same { Ok(()) } else { Err(differs()) }
    }
}

/// Where a log ends.
pub(crate) struct Ended {
    /// After the last batch.
    pub state: State,
    /// Operations in batches and pending.
    pub operations: u64,
}

impl Replay {
    /// Takes the next entry; a batch, if the entry is its seal.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the entry does not follow from those before it.
    pub fn visit(&mut self, entry: &Entry) -> Result<Option<Made>, Error> {
        match (&mut self.0, entry.event()?) {
            (standing @ None, Event::Genesis(genesis)) => {
                *standing = Some(Standing::new(*genesis)?);
                Ok(None)
            }
            (Some(standing), event) => standing.visit(entry, event),
            (None, _) => Err(no_genesis()),
        }
    }

    /// The end of the log, whose pending operations must still be acceptable.
    pub fn finish(self) -> Result<Ended, Error> {
        let standing = self.0.ok_or_else(no_genesis)?;
        let Standing { genesis, state, market, pending, operations, .. } = standing;
        Desk::resume(&state, market.as_ref(), genesis.shape, u64::MAX, &pending)?;
        let operations = operations + pending.len() as u64;
        Ok(Ended { state, operations })
    }
}

impl Standing {
    fn new(genesis: Genesis) -> Result<Self, Error> {
        let (state, pins) = (genesis.state()?, Pins::of(&genesis));
        Ok(Self { genesis, pins, state, market: None, pending: vec![], operations: 0 })
    }

    /// Takes the next entry; a batch, if the entry is its seal.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the entry does not follow from those before it.
    pub fn visit(&mut self, entry: &Entry, event: Event) -> Result<Option<Made>, Error> {
        let sequence = entry.sequence;
        match event {
            Event::Genesis(_) => {
                return Err(Error::broken_log(format!("entry {sequence} is a second genesis")));
            }
            Event::Parameters(announcement) => self.pins.announce(announcement.parameters),
            Event::Oracle(table) => {
                self.pins.check_table(&table).map_err(|refusal| {
                    let what = format!("entry {sequence}: {} of {}", refusal.rule, refusal.value);
                    Error::broken_log(what)
                })?;
                self.pins.pin(&table);
                let market = Market::new(*table, self.state.domain());
                self.market = Some(market.map_err(|reject| Error::diverged(sequence, &reject))?);
            }
            Event::Submission(submission) => {
                let operation = submission.content.operation();
                self.pending.push(Pending { sequence, time: entry.time, operation });
            }
            Event::Seal(record) => return self.seal(sequence, record).map(Some),
        }
        Ok(None)
    }

    fn seal(&mut self, sequence: u64, record: SealRecord) -> Result<Made, Error> {
        let pending = std::mem::take(&mut self.pending);
        let shape = self.genesis.shape;
        let desk = Desk::resume(&self.state, self.market.as_ref(), shape, u64::MAX, &pending)?;
        let closed = desk.close().map_err(|reject| Error::diverged(sequence, &reject))?;
        let number = record.number;
        let differs = |what: &str| {
            let what = format!("{what} of batch {number}, sealed by entry {sequence},");
            Error::broken_log(format!("{what} does not follow from the log"))
        };
        let (next, trace): (_, BatchTrace) = closed.ok_or_else(|| differs("emptiness"))?;
        let (again, artefact, statement) = produced(&self.genesis, &trace, pending.len());
        if again != record {
            return Err(differs("root, artefact or statement"));
        }
        self.operations += pending.len() as u64;
        self.state = next;
        Ok(Made { record, artefact, statement })
    }
}

fn no_genesis() -> Error {
    Error::broken_log("the log does not begin with a genesis")
}

fn unexpected(entry: &Entry) -> Error {
    Error::broken_log(format!("entry {} is not of kind {}", entry.sequence, entry.kind))
}

fn genesis_of(entry: &Entry) -> Result<Genesis, Error> {
    match entry.event()? {
        Event::Genesis(genesis) => Ok(*genesis),
        _ => Err(unexpected(entry)),
    }
}

fn announced_by(entry: &Entry) -> Result<Fr, Error> {
    match entry.event()? {
        Event::Parameters(announcement) => Ok(announcement.parameters),
        _ => Err(unexpected(entry)),
    }
}

pub(crate) fn seal_of(entry: &Entry) -> Result<SealRecord, Error> {
    match entry.event()? {
        Event::Seal(record) => Ok(record),
        _ => Err(unexpected(entry)),
    }
}

fn pending_of(entry: &Entry) -> Result<Pending, Error> {
    match entry.event()? {
        Event::Submission(submission) => Ok(Pending {
            sequence: entry.sequence,
            time: entry.time,
            operation: submission.content.operation(),
        }),
        _ => Err(unexpected(entry)),
    }
}
