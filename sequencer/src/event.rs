//! The entries of the log and the hash that chains them.

use ark_bn254::Fr;
use blake3::{Hash, Hasher};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use zkmargin_protocol::market::SignedRiskTable;
use zkmargin_protocol::market::oracle::OracleClock;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::decimal;
use zkmargin_protocol::value::units::Time;

use crate::error::Error;
use crate::genesis::Genesis;
use crate::submission::Submission;

/// Under which the entries are hashed.
const CHAIN_CONTEXT: &str = "zkmargin 2026-11 sequencer log";

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The store was made.
    Genesis(Box<Genesis>),
    /// Parameters were announced, under which a table may come.
    Parameters(Announcement),
    /// A risk table was taken.
    Oracle(Box<SignedRiskTable>),
    /// A submission was accepted.
    Submission(Submission),
    /// The pending operations became a batch.
    Seal(SealRecord),
}

/// Parameters that the store takes tables of from now on, beside those in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// Their hash.
    #[serde(with = "decimal")]
    pub parameters: Fr,
}

/// What a seal fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealRecord {
    /// Number of the batch.
    pub number: u64,
    /// Operations in the batch.
    pub operations: usize,
    /// Account root after the batch.
    #[serde(with = "decimal")]
    pub root: Fr,
    /// Open-interest root after the batch.
    #[serde(with = "decimal")]
    pub interest_root: Fr,
    /// Epoch and time of the batch's risk table.
    pub oracle: OracleClock,
    /// Hash of the batch's parameters.
    #[serde(with = "decimal")]
    pub parameters: Fr,
    /// Cash held on L1 after the batch, and deficits counted.
    pub custody: Custody,
    /// BLAKE3 of the artefact's bytes.
    pub artefact: String,
    /// BLAKE3 of the statement's bytes.
    pub statement: String,
}

impl Event {
    /// The kind of entry, as the log names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::Parameters(_) => "parameters",
            Self::Oracle(_) => "oracle",
            Self::Submission(_) => "submission",
            Self::Seal(_) => "seal",
        }
    }

    /// The entry's canonical JSON: fields in the order of their types, no white space.
    pub fn payload(&self) -> String {
        let text = match self {
            Self::Genesis(genesis) => serde_json::to_string(genesis),
            Self::Parameters(announcement) => serde_json::to_string(announcement),
            Self::Oracle(table) => serde_json::to_string(table),
            Self::Submission(submission) => serde_json::to_string(&submission.content),
            Self::Seal(record) => serde_json::to_string(record),
        };
        text.expect("the types of the log have string keys and no failing parts")
    }
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub sequence: u64,
    pub kind: String,
    pub time: Time,
    pub id: Option<Hash>,
    pub payload: String,
}

impl Entry {
    pub fn new(sequence: u64, time: Time, event: &Event) -> Self {
        let id = match event {
            Event::Submission(submission) => Some(submission.id),
            _ => None,
        };
        Self { sequence, kind: event.kind().to_owned(), time, id, payload: event.payload() }
    }

    /// Whether rules bound the time of the entry, so that later entries may be held to it: an
    /// operation's by its batch, a risk table's by its data. What the operator announces comes when
    /// it likes, and a seal is of the time of what it seals.
    pub fn is_bounded_in_time(&self) -> bool {
        matches!(self.kind.as_str(), "oracle" | "submission")
    }

    /// The hash of this entry and, through `previous`, of all before it.
    pub fn chained(&self, previous: &Hash) -> Hash {
        let mut hasher = Hasher::new_derive_key(CHAIN_CONTEXT);
        hasher.update(previous.as_bytes());
        hasher.update(&self.sequence.to_le_bytes());
        hasher.update(&self.time.get().to_le_bytes());
        hasher.update(self.id.as_ref().map_or([0; 32].as_slice(), |id| id.as_bytes()));
        for text in [&self.kind, &self.payload] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize()
    }

    /// The event of the entry.
    pub fn event(&self) -> Result<Event, Error> {
        Ok(match self.kind.as_str() {
            "genesis" => Event::Genesis(self.parse()?),
            "parameters" => Event::Parameters(self.parse()?),
            "oracle" => Event::Oracle(self.parse()?),
            "submission" => {
                let Self { sequence, id, .. } = self;
                let what = format!("entry {sequence} of the log is a submission without identity");
                let id = id.ok_or_else(|| Error::broken_log(what))?;
                Event::Submission(Submission { id, content: self.parse()? })
            }
            "seal" => Event::Seal(self.parse()?),
            kind => {
                let Self { sequence, .. } = self;
                let what = format!("entry {sequence} of the log is of unknown kind {kind}");
                return Err(Error::broken_log(what));
            }
        })
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.payload)
            .map_err(|error| Error::broken_log(format!("entry {}: {error}", self.sequence)))
    }

    /// The risk table of the entry.
    pub fn table(&self) -> Result<SignedRiskTable, Error> {
        match self.event()? {
            Event::Oracle(table) => Ok(*table),
            _ => Err(Error::broken_log(format!("entry {} is no risk table", self.sequence))),
        }
    }
}
