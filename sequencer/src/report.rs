//! What the sequencer shows of itself.

use std::path::PathBuf;

use ark_bn254::Fr;
use serde::Serialize;

use zkmargin_protocol::account::margin;
use zkmargin_protocol::account::nonce::NonceWindow;
use zkmargin_protocol::account::positions::Positions;
use zkmargin_protocol::account::{Account, Book};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::crypto::eddsa::PublicKey;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::value::decimal;
use zkmargin_protocol::value::units::{AccountIndex, Cash, Tier, Time};

/// Where a store stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Chain id of EIP-155.
    pub chain_id: u64,
    /// The rollup contract.
    pub contract: String,
    /// Shape of every batch.
    pub shape: Shape,
    /// How often a writer has taken the store.
    pub epoch: i64,
    /// Number of the last entry of the log.
    pub sequence: u64,
    /// Hash of the whole log, 64 hexadecimal digits.
    pub log: String,
    /// Time of the last operation or risk table, which later ones are held to.
    pub time: Time,
    /// Batches closed.
    pub batches: u64,
    /// Account root after the last batch.
    #[serde(with = "decimal")]
    pub root: Fr,
    /// Accounts after the last batch.
    pub accounts: usize,
    /// Operations accepted that are in no batch yet.
    pub pending: usize,
    /// Epoch of the risk table.
    pub oracle_epoch: Option<u64>,
    /// Time of the risk table's data.
    pub oracle_time: Option<Time>,
}

/// A closed batch and its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchInfo {
    /// Number.
    pub batch: u64,
    /// Place of the seal in the log.
    pub sequence: u64,
    /// Time of the seal's entry.
    pub time: Time,
    /// Operations in the batch.
    pub operations: usize,
    /// Account root after it.
    #[serde(with = "decimal")]
    pub root: Fr,
    /// File for the prover.
    pub artefact: PathBuf,
    /// File for verifier and chain.
    pub statement: PathBuf,
}

/// An account for its operator's eyes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountInfo {
    /// Index.
    pub account: AccountIndex,
    /// Key that signs.
    pub key: PublicKey,
    /// Underlying and margin method.
    pub book: Book,
    /// Cash, micro-USDC.
    pub cash: Cash,
    /// Used nonces.
    pub nonces: NonceWindow,
    /// Positions.
    pub positions: Positions,
    /// Tier of the fee schedule.
    pub tier: Tier,
    /// Margin under the present risk table.
    pub margin: Option<MarginInfo>,
}

/// An account's margin, micro-USDC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarginInfo {
    /// Cash and mark value.
    pub equity: String,
    /// Initial margin.
    pub initial: String,
    /// Maintenance margin.
    pub maintenance: String,
}

impl AccountInfo {
    pub(crate) fn new(index: AccountIndex, account: &Account, market: Option<&Market>) -> Self {
        let Account { key, book, cash, nonces, positions, tier, .. } = account;
        let evaluate = |market: &Market| {
            let (rows, parameters) = (market.rows(), market.parameters());
            margin::evaluate(*cash, positions.iter(), rows, parameters, book.method).ok()
        };
        let margin = market.and_then(evaluate).map(|margin| MarginInfo {
            equity: margin.equity.to_string(),
            initial: margin.initial.to_string(),
            maintenance: margin.maintenance.to_string(),
        });
        Self {
            account: index,
            key: *key,
            book: *book,
            cash: *cash,
            nonces: *nonces,
            positions: positions.clone(),
            tier: *tier,
            margin,
        }
    }
}
