//! What a store has: entries, tables taken, batches, accounts and what they hold.

use std::collections::BTreeMap;

use blake3::Hash;
use rusqlite::{OptionalExtension, Row, params};

use zkmargin_protocol::account::Account;
use zkmargin_protocol::market::SignedRiskTable;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::value::units::{AccountIndex, InstrumentIndex};

use super::Store;
use crate::error::Error;
use crate::event::Entry;
use crate::tables::{self, ENTRY_COLUMNS, entry_of, signed, unsigned};

/// A batch as it is stored.
pub(crate) struct StoredBatch {
    pub artefact: Vec<u8>,
    pub statement: Vec<u8>,
    pub seal: Entry,
}

impl Store {
    /// The entry of a submission.
    pub fn find(&self, id: &Hash) -> Result<Option<Entry>, Error> {
        self.entry("id = ?1", params![id.as_bytes()])
    }

    fn entry(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Option<Entry>, Error> {
        let sql = format!("SELECT {ENTRY_COLUMNS} FROM events WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(values)?;
        rows.next()?.map(entry_of).transpose()
    }

    /// The table of `epoch`, if it was taken, with its place in the log.
    pub fn taken_table(&self, epoch: u64) -> Result<Option<(u64, SignedRiskTable)>, Error> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM events WHERE kind = 'oracle' ORDER BY sequence DESC"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let entry = entry_of(row)?;
            let table = entry.table()?;
            // Epochs rise along the log.
            let found = table.attestation.message.epoch;
            if found <= epoch {
                return Ok((found == epoch).then_some((entry.sequence, table)));
            }
        }
        Ok(None)
    }

    /// A batch with the entry that sealed it.
    pub fn batch(&self, number: u64) -> Result<Option<StoredBatch>, Error> {
        let sql = "SELECT sequence, artefact, statement FROM batches WHERE number = ?1";
        let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let mut query = self.connection.prepare_cached(sql)?;
        let found: Option<(i64, _, _)> = query.query_row([signed(number)], columns).optional()?;
        let Some((sequence, artefact, statement)) = found else { return Ok(None) };
        let seal = self.entry("sequence = ?1", [sequence])?;
        let missing = || Error::derived(format!("batch {number} has no seal"));
        Ok(Some(StoredBatch { artefact, statement, seal: seal.ok_or_else(missing)? }))
    }

    /// How many batches are stored.
    pub fn batch_count(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM batches";
        unsigned(self.connection.query_row(sql, [], |row| row.get(0))?, "count of batches")
    }

    /// The number of the batch which holds the entry; `None` while it is pending.
    pub fn batch_of(&self, sequence: u64) -> Result<Option<u64>, Error> {
        let sql = "SELECT min(number) FROM batches WHERE sequence > ?1";
        let mut query = self.connection.prepare_cached(sql)?;
        let number: Option<i64> = query.query_row([signed(sequence)], |row| row.get(0))?;
        number.map(|number| unsigned(number, "number of a batch")).transpose()
    }

    /// The accounts after the last batch.
    pub fn accounts(&self) -> Result<BTreeMap<AccountIndex, Account>, Error> {
        tables::contents(&self.connection, "account", "SELECT account, content FROM accounts")
    }

    /// What the instruments they hold are.
    pub fn specs(&self) -> Result<BTreeMap<InstrumentIndex, InstrumentSpec>, Error> {
        let sql = "SELECT instrument, content FROM specs";
        tables::contents(&self.connection, "instrument", sql)
    }
}
