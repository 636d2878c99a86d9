//! What comes from outside, its one canonical form, and its identity.

use std::borrow::Cow;

use blake3::{Hash, Hasher};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::deposit::Deposit;
use zkmargin_protocol::operation::forced::ForcedRequest;
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::{Reject, Rule};
use zkmargin_verifier::address::{self, AddressError};

use crate::answer::{Reason, Refusal};
use crate::reference;

/// Under which submissions are hashed.
const IDENTITY_CONTEXT: &str = "zkmargin 2026-11 sequencer submission";

/// Where the L1 address stands in the JSON of a withdrawal.
const RECIPIENT: &str = "/request/request/action/withdrawal/to";

/// Who sent a line, which decides what it may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Anybody: trades and requests, each with its signatures.
    Public,
    /// The operator's watcher of L1: deposits and forced requests.
    Chain,
    /// The operator itself: tiers granted.
    Venue,
}

/// A deposit seen on L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepositNotice {
    /// What tells the deposit from all others on L1: transaction and place of the log, `0x…:3`, in
    /// any usual spelling, or a name of the watcher's own. Two deposits of the same amount are two
    /// deposits.
    pub reference: String,
    /// The deposit.
    pub deposit: Deposit,
}

/// A request that an account's owner has forced on L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForcedNotice {
    /// What tells the request from all others on L1, as that of a deposit.
    pub reference: String,
    /// The request.
    pub forced: ForcedRequest,
}

/// What a line asks for, as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A trade or a request.
    Signed(Operation),
    /// A deposit.
    Deposit(DepositNotice),
    /// A deposit that its account cannot take, so that it goes back.
    Returned(DepositNotice),
    /// A request forced on L1.
    Forced(ForcedNotice),
    /// A tier granted.
    Grant(GrantTier),
}

impl Content {
    /// The deposit, going back.
    fn returned(&self) -> Option<Self> {
        match self {
            Self::Deposit(notice) => Some(Self::Returned(notice.clone())),
            _ => None,
        }
    }

    /// The operation asked for.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Signed(operation) => operation.clone(),
            Self::Deposit(notice) => Operation::Deposit(notice.deposit.clone()),
            Self::Returned(notice) => Operation::RefuseDeposit(notice.deposit.clone()),
            Self::Forced(notice) => Operation::Forced(notice.forced),
            Self::Grant(grant) => Operation::GrantTier(*grant),
        }
    }
}

/// A line that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// BLAKE3 of the canonical content; of what came from L1, of its reference there, so that
    /// nothing is done twice. A grant sent again is the same one, for tiers only rise.
    pub id: Hash,
    /// What it asks for.
    pub content: Content,
}

impl Submission {
    /// Reads a line of JSON.
    ///
    /// # Errors
    /// [`Reason::Malformed`] for anything but exactly one submission which `source` may send:
    /// unknown or repeated fields, numbers that are not in their unit's range, other kinds.
    pub fn parse(source: Source, line: &str) -> Result<Self, Refusal> {
        match source {
            Source::Public => {
                let (operation, text) = exact(&with_canonical_recipient(line)?)?;
                let content = Content::Signed(only_public(operation)?);
                Ok(Self { id: identity("signed", &text), content })
            }
            Source::Chain => Self::parse_notice(line),
            Source::Venue => {
                let (grant, text) = exact(line)?;
                Ok(Self { id: identity("grant", &text), content: Content::Grant(grant) })
            }
        }
    }

    fn parse_notice(line: &str) -> Result<Self, Refusal> {
        let value: Option<Value> = serde_json::from_str(line).ok();
        let (reference, content) = if value.is_some_and(|value| value.get("forced").is_some()) {
            let (notice, _) = exact::<ForcedNotice>(line)?;
            let reference = canonical(&notice.reference)?;
            (reference.clone(), Content::Forced(ForcedNotice { reference, ..notice }))
        } else {
            let (notice, _) = exact::<DepositNotice>(line)?;
            let reference = canonical(&notice.reference)?;
            (reference.clone(), Content::Deposit(DepositNotice { reference, ..notice }))
        };
        Ok(Self { id: identity("chain", &reference), content })
    }

    /// The deposit, going back.
    pub fn returned(&self) -> Option<Self> {
        Some(Self { id: self.id, content: self.content.returned()? })
    }

    /// Whether both say the same, whatever came of it.
    pub fn is_same(&self, other: &Self) -> bool {
        self == other || self.returned().as_ref() == Some(other)
    }
}

/// An operation that anybody may send.
fn only_public(operation: Operation) -> Result<Operation, Refusal> {
    let (what, found) = match operation {
        Operation::Deposit(_) | Operation::RefuseDeposit(_) => {
            ("deposits come from L1 only", "deposit")
        }
        Operation::Forced(_) => ("requests are forced on L1 only", "forced"),
        Operation::GrantTier(_) => ("tiers are the venue's to grant", "tier"),
        operation => return Ok(operation),
    };
    Err(malformed(what, found))
}

/// A reference before it is an identity: one event is credited once, however it is spelled.
fn canonical(reference: &str) -> Result<String, Refusal> {
    reference::canonical(reference).map_err(|what| malformed(what, reference))
}

/// The identity of what `text` says, of a kind.
fn identity(kind: &str, text: &str) -> Hash {
    let mut hasher = Hasher::new_derive_key(IDENTITY_CONTEXT);
    for part in [kind, " ", text] {
        hasher.update(part.as_bytes());
    }
    hasher.finalize()
}

fn malformed(what: &str, value: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Malformed, what, value)
}

/// The line with the L1 address of a withdrawal in canonical form, the only one that is signed and
/// hashed. What is no address is left for the protocol to refuse.
fn with_canonical_recipient(line: &str) -> Result<Cow<'_, str>, Refusal> {
    // Without this word there is no withdrawal, and most lines are trades.
    if !line.contains("\"withdrawal\"") {
        return Ok(line.into());
    }
    let value: Option<Value> = serde_json::from_str(line).ok();
    let recipient = value.as_ref().and_then(|value| value.pointer(RECIPIENT)?.as_str());
    let Some(text) = recipient else { return Ok(line.into()) };
    match address::parse(text) {
        // The digits have no other meaning as a text of a request.
        Ok(bytes) => {
            let [found, canonical] = [text, &address::canonical(bytes)].map(|t| format!("\"{t}\""));
            Ok(line.replace(&found, &canonical).into())
        }
        Err(AddressError::Checksum { found, right }) => {
            let what = format!("checksum of the recipient, which would be {right}");
            let rule = Rule::Range.name().to_owned();
            Err(Refusal { rule, ..malformed(&what, found) })
        }
        Err(AddressError::Form { .. }) => Ok(line.into()),
    }
}

/// The value of which `line` is the JSON, with nothing left over at any depth, and its canonical
/// text: fields in the order of their types, no white space.
fn exact<T: Serialize + DeserializeOwned>(line: &str) -> Result<(T, String), Refusal> {
    let value: T = serde_json::from_str(line).map_err(|error| unreadable(&error.to_string()))?;
    let text = serde_json::to_string(&value).expect("submissions have string keys only");
    let read = |text| serde_json::from_str::<Value>(text).ok();
    // Types without the attribute ignore unknown fields; what is written back would lack them.
    if text != line.trim_ascii() && read(&text) != read(line) {
        return Err(malformed("JSON", "unknown fields, or values not in canonical form"));
    }
    Ok((value, text))
}

/// A value outside its unit or a key off the curve is refused while it is read, and the reader's
/// message then says by which rule.
fn unreadable(message: &str) -> Refusal {
    match Reject::found_in(message) {
        Some((rule, value)) => Refusal { rule: rule.name().to_owned(), ..malformed("JSON", value) },
        None => malformed("JSON", message),
    }
}
