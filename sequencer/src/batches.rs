//! Closed batches: their artefact, their statement, the seal that fixes both, and their files.

use std::path::Path;

use zkmargin_protocol::batch::statement;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::State;
use zkmargin_verifier::{Statement, StatementFile};

use crate::answer::SealedBatch;
use crate::desk::Desk;
use crate::error::Error;
use crate::event::{Event, SealRecord};
use crate::export;
use crate::genesis::Genesis;
use crate::replay::seal_of;
use crate::store::{Store, StoredBatch};

/// Directory of artefacts and statements within a store.
pub(crate) const DIRECTORY: &str = "batches";

/// Closes the batch on the desk and records it, within a transaction.
pub(crate) fn close(
    store: &mut Store,
    genesis: &Genesis,
    desk: Desk<'_>,
    operations: usize,
) -> Result<(State, SealedBatch), Error> {
    let number = store.sequence();
    let closed = desk.close().map_err(|reject| Error::diverged(number, &reject))?;
    let nothing = || Error::broken_log("a batch without operations was to be closed");
    let (next, trace) = closed.ok_or_else(nothing)?;
    let (record, artefact, statement) = produced(genesis, &trace, operations);
    let sealed = SealedBatch {
        sealed: trace.number,
        sequence: store.sequence() + 1,
        operations,
        time: trace.time,
        root: trace.new_root,
    };
    store.append(store.time(), &Event::Seal(record))?;
    store.put_batch(&trace, &artefact, &statement)?;
    Ok((next, sealed))
}

/// The seal, the artefact and the statement of a batch.
pub(crate) fn produced(
    genesis: &Genesis,
    trace: &BatchTrace,
    operations: usize,
) -> (SealRecord, Vec<u8>, Vec<u8>) {
    let mut artefact = serde_json::to_vec(trace).expect("traces have string keys only");
    artefact.push(b'\n');
    let words = trace.words();
    let commitment = statement::commitment(&words);
    let statement = StatementFile(Statement { words, commitment, domain: genesis.domain() });
    let statement = statement.to_bytes();
    let record = SealRecord {
        number: trace.number,
        operations,
        root: trace.new_root,
        interest_root: trace.new_interest_root,
        oracle: trace.attestation.message.clock(),
        parameters: trace.parameters.hash(),
        custody: trace.custody_after(),
        artefact: blake3::hash(&artefact).to_hex().to_string(),
        statement: blake3::hash(&statement).to_hex().to_string(),
    };
    (record, artefact, statement)
}

/// A stored batch and its seal, the one checked against the other.
pub(crate) fn sealed_batch(store: &Store, number: u64) -> Result<(StoredBatch, SealRecord), Error> {
    let missing = || Error::derived(format!("batch {number} is gone"));
    let batch = store.batch(number)?.ok_or_else(missing)?;
    let record = seal_of(&batch.seal)?;
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let is_sealed = record.number == number
        && record.artefact == hash(&batch.artefact)
        && record.statement == hash(&batch.statement);
    if is_sealed {
        return Ok((batch, record));
    }
    Err(Error::derived(format!("batch {number} is not the one that was sealed")))
}

/// Writes the files of batches; returns the names of those that were not there as they should be.
pub(crate) fn export_batches(
    store: &Store,
    directory: &Path,
    numbers: &[u64],
) -> Result<Vec<String>, Error> {
    if numbers.is_empty() {
        return Ok(vec![]);
    }
    export::ensure_directory(directory)?;
    export::remove_file_drafts(directory)?;
    let mut written = Vec::new();
    for &number in numbers {
        let (batch, _) = sealed_batch(store, number)?;
        let artefact = (export::artefact_name(number), batch.artefact);
        let statement = (export::statement_name(number), batch.statement);
        for (name, content) in [artefact, statement] {
            if export::write_file(directory, &name, &content)? {
                written.push(name);
            }
        }
    }
    Ok(written)
}
