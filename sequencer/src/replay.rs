//! What the log says: the quick reading at start, and the full one that runs every rule again.

use serde::Serialize;

use ark_bn254::Fr;
use zkmargin_protocol::decimal;
use zkmargin_protocol::market::{Market, SignedRiskTable};
use zkmargin_protocol::state::State;

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
                    let table = table_of(entry)?;
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
        let table = self.table.as_ref().map(table_of).transpose()?;
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
    let mut replay: Option<Replay> = None;
    let (head, _) = store.walk(|entry| match (&mut replay, entry.event()?) {
        (None, Event::Genesis(genesis)) => {
            let state = genesis.state()?;
            replay = Some(Replay {
                pins: Pins::of(&genesis),
                genesis: *genesis,
                state,
                market: None,
                pending: vec![],
                operations: 0,
            });
            Ok(())
        }
        (Some(replay), event) => replay.visit(store, entry, event),
        (None, _) => Err(no_genesis()),
    })?;
    let Replay { genesis, state, market, pending, operations, .. } =
        replay.ok_or_else(no_genesis)?;
    Desk::resume(&state, market.as_ref(), genesis.shape, u64::MAX, &pending)?;
    if store.accounts()? != *state.accounts() || store.specs()? != state.open_interest().specs() {
        let what = "the stored accounts and instruments are not those of the log";
        return Err(Error::Damaged(what.to_owned()));
    }
    let operations = operations + pending.len() as u64;
    let entries = head.sequence + 1;
    Ok(Replayed { entries, batches: state.batches(), operations, root: state.root() })
}

/// What follows from the log up to some entry.
pub(crate) struct Replay {
    pub genesis: Genesis,
    pub pins: Pins,
    pub state: State,
    pub market: Option<Market>,
    pub pending: Vec<Pending>,
    pub operations: u64,
}

impl Replay {
    /// Runs an entry through the rules and compares a batch with the one stored.
    pub fn visit(&mut self, store: &Store, entry: &Entry, event: Event) -> Result<(), Error> {
        let sequence = entry.sequence;
        match event {
            Event::Genesis(_) => {
                Err(Error::Damaged(format!("entry {sequence} is a second genesis")))
            }
            Event::Parameters(announcement) => {
                self.pins.announce(announcement.parameters);
                Ok(())
            }
            Event::Oracle(table) => {
                self.pins.check_table(&table).map_err(|refusal| {
                    Error::Damaged(format!(
                        "entry {sequence}: {} of {}",
                        refusal.rule, refusal.value
                    ))
                })?;
                self.pins.pin(&table);
                let market = Market::new(*table, self.state.domain());
                self.market = Some(market.map_err(|reject| Error::diverged(sequence, &reject))?);
                Ok(())
            }
            Event::Submission(submission) => {
                let operation = submission.operation();
                self.pending.push(Pending { sequence, time: entry.time, operation });
                Ok(())
            }
            Event::Seal(record) => self.seal(store, sequence, &record),
        }
    }

    fn seal(&mut self, store: &Store, sequence: u64, record: &SealRecord) -> Result<(), Error> {
        let pending = std::mem::take(&mut self.pending);
        let shape = self.genesis.shape;
        let desk = Desk::resume(&self.state, self.market.as_ref(), shape, u64::MAX, &pending)?;
        let closed = desk.close().map_err(|reject| Error::diverged(sequence, &reject))?;
        let differs = |what: &str| {
            let SealRecord { number, .. } = record;
            Error::Damaged(format!("{what} of batch {number} does not follow from the log"))
        };
        let (next, trace) = closed.ok_or_else(|| differs("emptiness"))?;
        let (again, artefact, statement) = produced(&self.genesis, &trace, pending.len());
        if again != *record {
            return Err(differs("root, artefact or statement"));
        }
        let stored = store.batch(record.number)?.ok_or_else(|| differs("absence"))?;
        if stored.artefact != artefact || stored.statement != statement {
            return Err(differs("stored artefact or statement"));
        }
        self.operations += pending.len() as u64;
        self.state = next;
        Ok(())
    }
}

fn no_genesis() -> Error {
    Error::Damaged("the log does not begin with a genesis".to_owned())
}

fn unexpected(entry: &Entry) -> Error {
    Error::Damaged(format!("entry {} is not of kind {}", entry.sequence, entry.kind))
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

fn table_of(entry: &Entry) -> Result<SignedRiskTable, Error> {
    match entry.event()? {
        Event::Oracle(table) => Ok(*table),
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
            operation: submission.operation(),
        }),
        _ => Err(unexpected(entry)),
    }
}
