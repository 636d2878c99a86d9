//! The engine: takes submissions and risk tables, closes batches, and answers once it is on the
//! disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ark_bn254::Fr;
use zkmargin_protocol::Reject;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::{Market, SignedRiskTable};
use zkmargin_protocol::value::units::{AccountIndex, Time};

use crate::answer::{Answer, Reason, Refusal, SealedBatch};
use crate::batches::{self, close, export_batches, sealed_batch};
use crate::clock;
use crate::desk::{Desk, Pending};
use crate::error::Error;
use crate::event::{Announcement, Event, SealRecord};
use crate::export;
use crate::genesis::Genesis;
use crate::intake::{Intake, Step};
use crate::lines::Line;
use crate::pins::Pins;
use crate::replay::{self, Recovered, Recovery, Replayed};
use crate::report::{AccountInfo, BatchInfo, Status};
use crate::store::Store;
use crate::submission::Source;

pub use crate::store::Access;

mod turn;

/// An open store with the state it holds in memory. After an error of a call that changes it, drop
/// it and open again.
///
/// A writer holds the store against other writers until [`Sequencer::submit`] waits for input. From
/// then on each call that changes the store takes it anew, and first follows what others have done
/// meanwhile.
pub struct Sequencer {
    store: Store,
    genesis: Genesis,
    pins: Pins,
    state: State,
    market: Option<Market>,
    pending: Vec<Pending>,
    /// Greatest age of a batch, seconds: a later submission goes to the next one.
    pub batch_age_max_s: u64,
    /// How long a call waits for other writers.
    pub wait: Duration,
}

/// Greatest age of a batch unless set otherwise, seconds.
const BATCH_AGE_MAX_S: u64 = 60;

impl Sequencer {
    /// Makes a store in `directory`, which must not exist.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Configuration`] for a genesis that makes no sense, errors of the
    /// disk.
    pub fn create(directory: &Path, genesis: Genesis) -> Result<(), Error> {
        let snapshot = genesis.state()?.snapshot();
        Store::create(directory, &Event::Genesis(Box::new(genesis)), &snapshot)
    }

    /// Opens a store. The whole log is checked, and the stored accounts against the root in its
    /// last seal; a writer then writes the files of batches which an earlier process closed but did
    /// not get to write.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Held`], [`Error::Format`], [`Error::Damaged`],
    /// [`Error::Moved`], errors of the disk.
    pub fn open(directory: &Path, access: Access) -> Result<Self, Error> {
        Self::open_within(directory, access, Duration::ZERO)
    }

    /// [`Sequencer::open`]; a writer waits for others, then and later, at most `wait`.
    ///
    /// # Errors
    /// Those of [`Sequencer::open`].
    pub fn open_within(directory: &Path, access: Access, wait: Duration) -> Result<Self, Error> {
        Self::open_unnamed(directory, access, wait).map_err(|error| error.at(directory))
    }

    fn open_unnamed(directory: &Path, access: Access, wait: Duration) -> Result<Self, Error> {
        let mut recovery = Recovery::default();
        let store = Store::open(directory, access, wait, |entry| recovery.visit(entry))?;
        let Recovered { genesis, pins, seal, table, pending } = recovery.finish()?;
        let state = stored_state(&store, &genesis, seal.as_ref())?;
        let domain = state.domain();
        let market = table.map(|table| Market::new(table, domain)).transpose();
        let market =
            market.map_err(|reject| Error::broken_log(format!("the risk table: {reject}")))?;
        Desk::resume(&state, market.as_ref(), genesis.shape, BATCH_AGE_MAX_S, &pending)?;
        let batch_age_max_s = BATCH_AGE_MAX_S;
        let sequencer =
            Self { store, genesis, pins, state, market, pending, batch_age_max_s, wait };
        if access == Access::Write {
            sequencer.export_missing()?;
        }
        Ok(sequencer)
    }

    /// Takes groups of lines until there are no more. Each group is one transaction; its answers go
    /// to `publish`, one or more a line and in the order of the lines, after the transaction is on
    /// the disk. Between groups other writers may have their turn.
    ///
    /// A submission that was accepted before gets its first receipt again. An operation for which
    /// the batch has no room, or which comes when the batch is older than
    /// [`Sequencer::batch_age_max_s`], closes the batch. So does an empty group, which says that
    /// nothing has come for a while, when the batch is that old.
    ///
    /// # Errors
    /// Those of the disk, of `groups`, `clock` and `publish`; [`Error::Held`]. Nothing unpublished
    /// is promised.
    pub fn submit(
        &mut self,
        source: Source,
        groups: impl Iterator<Item = io::Result<Vec<Line>>>,
        clock: impl Fn() -> Result<Time, Error>,
        publish: impl FnMut(&[Answer]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut intake = Intake::new(source, groups, clock, publish);
        let mut take = || loop {
            self.take_turn()?;
            let Self { store, genesis, state, market, pending, batch_age_max_s, wait, .. } =
                &mut *self;
            let desk =
                Desk::resume(state, market.as_ref(), genesis.shape, *batch_age_max_s, pending)?;
            match intake.fill(store, genesis, desk, pending, *wait)? {
                Step::Closed(next) => {
                    self.state = *next;
                    self.pending.clear();
                }
                Step::Behind => {}
                Step::End => return Ok(()),
            }
        };
        let taken = take();
        taken.map_err(|error: Error| self.named(error))
    }

    /// The error, naming the store.
    fn named(&self, error: Error) -> Error {
        error.at(self.store.directory())
    }

    /// Closes the pending operations into a batch; `None` if there are none.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn seal(&mut self) -> Result<Option<SealedBatch>, Error> {
        let mut seal = || {
            self.take_turn()?;
            self.store.begin()?;
            let sealed = self.seal_pending()?;
            self.store.commit()?;
            self.export_sealed(&sealed)?;
            Ok(sealed)
        };
        let sealed = seal();
        sealed.map_err(|error: Error| self.named(error))
    }

    fn seal_pending(&mut self) -> Result<Option<SealedBatch>, Error> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        let Self { store, genesis, state, market, pending, batch_age_max_s, .. } = self;
        let desk = Desk::resume(state, market.as_ref(), genesis.shape, *batch_age_max_s, pending)?;
        let (next, sealed) = close(store, genesis, desk, pending.len())?;
        self.state = next;
        self.pending.clear();
        Ok(Some(sealed))
    }

    fn export_sealed(&self, sealed: &Option<SealedBatch>) -> Result<(), Error> {
        let number = sealed.as_ref().map(|batch| batch.sealed);
        export_batches(&self.store, &self.batches_directory(), number.as_slice()).map(drop)
    }

    /// From now on a risk table may be of the parameters with this hash, as well as of those in
    /// force, which the first such table ends. Returns the place of the announcement in the log.
    ///
    /// Nothing bounds the time of an announcement. The entry keeps `now`, and no later entry is
    /// held to it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn announce_parameters(&mut self, parameters: Fr, now: Time) -> Result<u64, Error> {
        let event = Event::Parameters(Announcement { parameters });
        let mut announce = || {
            self.take_turn()?;
            self.store.begin()?;
            let entry = self.store.append(now, &event)?;
            self.store.commit()?;
            Ok(entry.sequence)
        };
        let sequence = announce().map_err(|error: Error| self.named(error))?;
        self.pins.announce(parameters);
        Ok(sequence)
    }

    /// Takes a risk table signed by the oracle's quorum. Pending operations are closed into a batch
    /// first: a batch has one table. Returns that batch, and the place of the table in the log. A
    /// table that was taken before has no effect and gets its first place again, if all of it is
    /// the same: rows, signatures, members and parameters.
    ///
    /// # Errors
    /// `Ok(Err(…))` refuses the table: [`zkmargin_protocol::Rule::OracleQuorum`] and other rules,
    /// [`Reason::SignerSet`], [`Reason::Parameters`], [`Reason::OracleEpoch`].
    pub fn take_table(
        &mut self,
        table: SignedRiskTable,
        now: Time,
    ) -> Result<Result<(Option<SealedBatch>, u64), Refusal>, Error> {
        let taken = self.take_new_or_known_table(table, now);
        taken.map_err(|error| self.named(error))
    }

    fn take_new_or_known_table(
        &mut self,
        table: SignedRiskTable,
        now: Time,
    ) -> Result<Result<(Option<SealedBatch>, u64), Refusal>, Error> {
        self.take_turn()?;
        let epoch = table.attestation.message.epoch;
        let last = self.market.as_ref().map(|market| market.attestation().message.epoch);
        if last.is_some_and(|last| epoch <= last)
            && let Some((sequence, known)) = self.store.taken_table(epoch)?
        {
            return Ok(known_table(&table, &known, sequence).map(|()| (None, sequence)));
        }
        let now = now.max(self.store.time());
        let market = match self.checked_market(&table, now) {
            Ok(market) => market,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.store.begin()?;
        let sealed = self.seal_pending()?;
        self.pins.pin(&table);
        let entry = self.store.append(now, &Event::Oracle(Box::new(table)))?;
        self.store.commit()?;
        self.market = Some(market);
        self.export_sealed(&sealed)?;
        Ok(Ok((sealed, entry.sequence)))
    }

    /// The market of a table whose epoch is new.
    fn checked_market(&self, table: &SignedRiskTable, now: Time) -> Result<Market, Refusal> {
        let message = &table.attestation.message;
        if let Some(present) = &self.market {
            let old = &present.attestation().message;
            if message.epoch <= old.epoch {
                return Err(Refusal::new(Reason::OracleEpoch, "epoch", message.epoch));
            }
            if message.time < old.time {
                return Err(Refusal::new(Reason::OracleEpoch, "time of the epoch", message.time));
            }
        }
        self.pins.check_table(table)?;
        clock::check_age(&table.attestation, &table.parameters, now)?;
        Ok(Market::new(table.clone(), self.state.domain())?)
    }

    /// Writes artefact and statement of every batch to `directory`; files that are right are left
    /// alone.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a stored batch is not the one sealed; those of the disk.
    pub fn export(&self, directory: &Path) -> Result<(), Error> {
        let numbers: Vec<u64> = self.batch_numbers().collect();
        // A place that cannot be written is said before there is a batch.
        let written = export::ensure_directory(directory)
            .and_then(|()| export_batches(&self.store, directory, &numbers));
        written.map(drop).map_err(|error| self.named(error))
    }

    /// Writes the files of every batch to the store's own directory; returns the names of those
    /// that were not there as they should be.
    pub(crate) fn restore_files(&self) -> Result<Vec<String>, Error> {
        let numbers: Vec<u64> = self.batch_numbers().collect();
        export_batches(&self.store, &self.batches_directory(), &numbers)
    }

    fn export_missing(&self) -> Result<(), Error> {
        let directory = self.batches_directory();
        let is_missing = |number: &u64| {
            let names = [export::artefact_name(*number), export::statement_name(*number)];
            names.iter().any(|name| !directory.join(name).exists())
        };
        let missing: Vec<u64> = self.batch_numbers().filter(is_missing).collect();
        export_batches(&self.store, &directory, &missing).map(drop)
    }

    /// The directory where artefacts and statements are written.
    pub fn batches_directory(&self) -> PathBuf {
        self.store.directory().join(batches::DIRECTORY)
    }

    fn batch_numbers(&self) -> std::ops::Range<u64> {
        self.genesis.snapshot.batches..self.state.batches()
    }

    /// The batches closed so far.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn batches(&self) -> Result<Vec<BatchInfo>, Error> {
        let directory = self.batches_directory();
        let info = |number| {
            let (batch, record) = sealed_batch(&self.store, number)?;
            Ok(BatchInfo {
                batch: number,
                sequence: batch.seal.sequence,
                time: batch.seal.time,
                operations: record.operations,
                root: record.root,
                artefact: directory.join(export::artefact_name(number)),
                statement: directory.join(export::statement_name(number)),
            })
        };
        let batches = self.batch_numbers().map(info).collect::<Result<_, Error>>();
        batches.map_err(|error| self.named(error))
    }

    /// An account as it stands, pending operations included, without its view key.
    ///
    /// # Errors
    /// `Ok(Err(…))` is [`zkmargin_protocol::Rule::AccountExists`].
    pub fn account(&self, index: AccountIndex) -> Result<Result<AccountInfo, Reject>, Error> {
        let Self { state, market, genesis, pending, .. } = self;
        let desk =
            Desk::resume(state, market.as_ref(), genesis.shape, self.batch_age_max_s, pending)
                .map_err(|error| self.named(error))?;
        Ok(desk.account(index).map(|account| AccountInfo::new(index, account, market.as_ref())))
    }

    /// The state after the last batch.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Where the store stands.
    pub fn status(&self) -> Status {
        let message = self.market.as_ref().map(|market| &market.attestation().message);
        Status {
            chain_id: self.genesis.chain_id,
            contract: self.genesis.contract.into(),
            shape: self.genesis.shape,
            epoch: self.store.epoch(),
            sequence: self.store.sequence(),
            log: self.store.hash().to_hex().to_string(),
            time: self.store.time(),
            batches: self.state.batches(),
            root: self.state.root(),
            accounts: self.state.accounts().len(),
            pending: self.pending.len(),
            oracle_epoch: message.map(|message| message.epoch),
            oracle_time: message.map(|message| message.time),
        }
    }

    /// Runs the whole log through the rules again and compares every root, artefact and statement.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the first difference.
    pub fn replay(&self) -> Result<Replayed, Error> {
        replay::replay(&self.store).map_err(|error| self.named(error))
    }

    /// The store, for what is made of all of it.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

/// The table is the one that was taken as entry `sequence`.
fn known_table(
    table: &SignedRiskTable,
    known: &SignedRiskTable,
    sequence: u64,
) -> Result<(), Refusal> {
    // A table has its rows in any order.
    let rows = |table: &SignedRiskTable| {
        let mut rows = table.rows.clone();
        rows.sort_by_key(|row| row.instrument);
        rows
    };
    let parts = [
        ("message", table.attestation.message == known.attestation.message),
        ("parameters", table.parameters == known.parameters),
        ("members", table.oracle == known.oracle),
        ("signatures", table.attestation.signatures == known.attestation.signatures),
        ("rows", rows(table) == rows(known)),
    ];
    let Some((part, _)) = parts.iter().find(|(_, is_same)| !is_same) else { return Ok(()) };
    let what = format!("epoch of the table taken as entry {sequence}, which has other {part}");
    Err(Refusal::new(Reason::OracleEpoch, &what, table.attestation.message.epoch))
}

/// Roots of the accounts and of the open interest.
fn roots_of(state: &State) -> [Fr; 2] {
    [state.root(), state.open_interest().root()]
}

/// The stored accounts and what they hold, whose roots must be those of the last seal.
fn stored_state(
    store: &Store,
    genesis: &Genesis,
    seal: Option<&SealRecord>,
) -> Result<State, Error> {
    let opening = &genesis.snapshot;
    let (batches, roots, oracle, parameters, custody) = match seal {
        Some(seal) => {
            let SealRecord { number, root, interest_root, oracle, parameters, custody, .. } = *seal;
            (number + 1, [root, interest_root], oracle, parameters, custody)
        }
        None => {
            let Snapshot { batches, oracle, parameters, custody, .. } = *opening;
            (batches, roots_of(&genesis.state()?), oracle, parameters, custody)
        }
    };
    let (domain, accounts, specs) = (opening.domain, store.accounts()?, store.specs()?);
    let snapshot = Snapshot { domain, batches, oracle, parameters, custody, accounts, specs };
    let state = State::new(snapshot).map_err(|reject| Error::derived(reject.to_string()))?;
    if roots_of(&state) != roots {
        return Err(Error::derived("the stored accounts do not have the sealed roots"));
    }
    Ok(state)
}
