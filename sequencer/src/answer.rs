//! What the sequencer answers, one JSON object a line.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use zkmargin_protocol::Reject;
use zkmargin_protocol::value::decimal;
use zkmargin_protocol::value::units::Time;

/// Characters of a value shown in a refusal; the rest is cut off.
const VALUE_CHARS_MAX: usize = 200;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The submission is kept.
    Accepted {
        /// Line of the input, from 1.
        line: u64,
        /// Always true.
        accepted: bool,
        /// The same each time the submission comes.
        #[serde(flatten)]
        receipt: Receipt,
    },
    /// The submission is not kept and may be tried again.
    Refused {
        /// Line of the input, from 1.
        line: u64,
        /// Always false.
        accepted: bool,
        /// Identity of the submission, if it could be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Why.
        #[serde(flatten)]
        refusal: Refusal,
    },
    /// The batch was full or old and is now closed.
    Sealed(SealedBatch),
}

impl Answer {
    pub(crate) fn accepted(line: u64, receipt: Receipt) -> Self {
        Self::Accepted { line, accepted: true, receipt }
    }

    /// Whether a line was refused.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    pub(crate) fn refused(line: u64, id: Option<blake3::Hash>, refusal: Refusal) -> Self {
        let id = id.map(|id| id.to_hex().to_string());
        Self::Refused { line, accepted: false, id, refusal }
    }
}

/// The promise that a submission is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Identity of the submission, 64 hexadecimal digits.
    pub id: String,
    /// Place in the log.
    pub sequence: u64,
    /// Batch which holds, or will hold, the operation.
    pub batch: u64,
    /// Time of the entry.
    pub time: Time,
    /// Whether it is a deposit that goes back on L1, for its account has other keys or another
    /// book.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_returned: bool,
}

/// A closed batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SealedBatch {
    /// Number of the batch.
    pub sealed: u64,
    /// Place of the seal in the log.
    pub sequence: u64,
    /// Operations in the batch.
    pub operations: usize,
    /// Time of the batch.
    pub time: Time,
    /// Account root after the batch.
    #[serde(with = "decimal")]
    pub root: Fr,
}

/// A reason of the sequencer's own to refuse, which is no rule of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The line is not exactly one submission in the expected form.
    Malformed,
    /// The line is longer than [`crate::LINE_BYTES_MAX`].
    LineLength,
    /// No risk table was taken yet.
    NoMarket,
    /// An L1 reference was used for something else.
    ChainReference,
    /// The risk table is not newer than the present one.
    OracleEpoch,
    /// The risk table has other signers than the store is for.
    SignerSet,
    /// The risk table has other parameters than the store is for.
    Parameters,
}

/// Why a submission was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Name of the [`zkmargin_protocol::Rule`] or of the [`Reason`].
    pub rule: String,
    /// What it was about.
    pub what: String,
    /// The value found; empty where `what` says it all.
    pub value: String,
    /// Index of the account concerned, where a rule names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<u32>,
    /// What would have been allowed, where a rule has a bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, what: &str, value: impl std::fmt::Display) -> Self {
        Self {
            rule: format!("{reason:?}"),
            what: what.to_owned(),
            value: shown(&value.to_string()),
            account: None,
            bound: None,
        }
    }
}

impl From<Reject> for Refusal {
    fn from(reject: Reject) -> Self {
        let Reject { account, what, value, bound, rule } = reject;
        let value = value.as_deref().map(shown).unwrap_or_default();
        Self { rule: rule.name().to_owned(), what: what.to_owned(), value, account, bound }
    }
}

fn shown(value: &str) -> String {
    value.chars().take(VALUE_CHARS_MAX).collect()
}
