//! The sequencer takes the flow, refuses what must be refused, and closes a batch.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use zkmargin_fixtures::data::trades::{
    BadOperation, Manifest, bad_operations, batch_time, demo_accounts, demo_operations,
};
use zkmargin_host::{FileError, file};
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::Snapshot;
use zkmargin_protocol::market::SignedRiskTable;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::Time;
use zkmargin_sequencer::{Access, Answer, DepositNotice, Genesis, Line, Sequencer, Source};
use zkmargin_verifier::statement::PROTOCOL_VERSION;
use zkmargin_verifier::{Statement, StatementFile};

use crate::narrative::{Narrative, took};
use crate::{Outcome, keep};

/// Greatest size of a batch's file that is read back.
const BYTES_MAX: u64 = 1 << 28;

/// A closed batch as its files hold it.
pub struct Sealed {
    /// What the batch did, for the prover.
    pub trace: BatchTrace,
    /// The public statement, for verifiers.
    pub statement: Statement,
}

/// Opens the venue, submits the first batch of the flow and the bad operations, closes the batch.
pub fn trade(
    narrative: &mut Narrative,
    manifest: &Manifest,
    table: SignedRiskTable,
    out: &Path,
) -> Outcome<Sealed> {
    narrative.chapter("Venue: signed orders from accounts with books");
    let store = fresh_store(out)?;
    let accounts = demo_accounts()?;
    let positions: usize = accounts.values().map(|account| account.positions.count()).sum();
    narrative.say(format_args!("{} accounts hold {positions} positions", accounts.len()));
    narrative.figure("accounts", accounts.len());
    let specs = table.rows.iter().map(|row| (row.instrument, row.spec)).collect();
    Sequencer::create(
        &store,
        Genesis {
            chain_id: manifest.chain_id,
            contract: manifest.contract,
            version: PROTOCOL_VERSION,
            shape: manifest.shape,
            signer_set: None,
            parameters: None,
            snapshot: Snapshot::opening(manifest.domain, accounts, specs)?,
        },
    )?;
    let mut sequencer = Sequencer::open(&store, Access::Write)?;
    let now = batch_time(0)?;
    if let Err(refusal) = sequencer.take_table(table, now)? {
        return Err(format!("risk table refused: {}: {}", refusal.rule, refusal.what).into());
    }
    let mut desk = Desk { sequencer, now, transcript: String::new(), references: 0 };
    let good = demo_operations()?.into_iter().next().unwrap_or_default();
    take_good(narrative, &mut desk, &good)?;
    refuse_bad(narrative, &mut desk, bad_operations()?)?;
    keep(out, "answers.jsonl", &desk.transcript)?;
    seal(narrative, desk.sequencer, out)
}

/// The folder for the store of this run; an earlier run's store makes room.
fn fresh_store(out: &Path) -> Outcome<PathBuf> {
    let store = out.join("sequencer");
    if store.exists() {
        // Only what is a store is taken away.
        Sequencer::open(&store, Access::Read)?;
        fs::remove_dir_all(&store).map_err(FileError::at(&store))?;
    }
    Ok(store)
}

/// The sequencer at a fixed time, and what it answered.
struct Desk {
    sequencer: Sequencer,
    now: Time,
    transcript: String,
    references: usize,
}

impl Desk {
    /// Submits operations as lines of JSON; `None` for each that is accepted, the rule for each
    /// that is not.
    fn submit(&mut self, operations: &[Operation]) -> Outcome<Vec<Option<String>>> {
        let mut rules = Vec::new();
        for operation in operations {
            let (source, text) = self.line(operation)?;
            let line = Line { number: self.references as u64, text: Ok(text) };
            let answers = RefCell::new(Vec::new());
            let now = self.now;
            self.sequencer.submit(
                source,
                std::iter::once(Ok(vec![line])),
                || Ok(now),
                |list| {
                    answers.borrow_mut().extend_from_slice(list);
                    Ok(())
                },
            )?;
            for answer in answers.into_inner() {
                self.transcript.push_str(&serde_json::to_string(&answer)?);
                self.transcript.push('\n');
                match answer {
                    Answer::Accepted { .. } => rules.push(None),
                    Answer::Refused { refusal, .. } => rules.push(Some(refusal.rule)),
                    Answer::Sealed(batch) => {
                        return Err(format!("batch {} closed before its time", batch.sealed).into());
                    }
                }
            }
        }
        Ok(rules)
    }

    /// Deposits come from the watcher of the chain, under a reference; all else from the public.
    fn line(&mut self, operation: &Operation) -> Outcome<(Source, String)> {
        self.references += 1;
        Ok(match operation {
            Operation::Deposit(deposit) => {
                let reference = format!("demo-{}", self.references);
                let notice = DepositNotice { reference, deposit: deposit.clone() };
                (Source::Chain, serde_json::to_string(&notice)?)
            }
            operation => (Source::Public, serde_json::to_string(operation)?),
        })
    }
}

fn take_good(narrative: &mut Narrative, desk: &mut Desk, good: &[Operation]) -> Outcome<()> {
    let (rules, time) = narrative.timed("submit_s", || desk.submit(good));
    for (operation, rule) in good.iter().zip(rules?) {
        if let Some(rule) = rule {
            return Err(format!("refused by {rule}: {operation:?}").into());
        }
    }
    let count = |is_kind: fn(&Operation) -> bool| good.iter().filter(|o| is_kind(o)).count();
    let trades = count(|o| matches!(o, Operation::Trade(_)));
    narrative.say(format_args!(
        "accepted in {}, each on the disk before its answer: {trades} trades, {} requests, \
         {} deposits",
        took(time),
        count(|o| matches!(o, Operation::Request(_))),
        count(|o| matches!(o, Operation::Deposit(_))),
    ));
    narrative.figure("trades", trades);
    Ok(())
}

fn refuse_bad(narrative: &mut Narrative, desk: &mut Desk, bad: Vec<BadOperation>) -> Outcome<()> {
    let operations: Vec<_> = bad.iter().map(|bad| bad.operation.clone()).collect();
    let rules = desk.submit(&operations)?;
    let mut refused: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (bad, rule) in bad.iter().zip(rules) {
        let expected = bad.rule.name();
        match rule {
            Some(rule) if rule == expected => {
                refused.entry(rule).or_default().push(&bad.what);
            }
            Some(rule) => {
                return Err(format!("{}: refused by {rule}, not {expected}", bad.what).into());
            }
            None => return Err(format!("{}: accepted, against {expected}", bad.what).into()),
        }
    }
    let count: usize = refused.values().map(Vec::len).sum();
    narrative.say(format_args!("refused: {count} bad operations, by {} rules:", refused.len()));
    for (rule, what) in &refused {
        narrative.say(format_args!("  {rule:<15} {}", what.join("; ")));
    }
    narrative.figure("refused", count);
    Ok(())
}

/// Closes the batch and reads its files back.
fn seal(narrative: &mut Narrative, mut sequencer: Sequencer, out: &Path) -> Outcome<Sealed> {
    narrative.chapter("Batch");
    let (sealed, time) = narrative.timed("seal_s", || sequencer.seal());
    let number = sealed?.ok_or("no operation was accepted")?.sealed;
    sequencer.export(out)?;
    let batches = sequencer.batches()?;
    let batch = batches.iter().find(|batch| batch.batch == number).ok_or("no such batch")?;
    let artefact = file::read(&batch.artefact, BYTES_MAX)?;
    let trace: BatchTrace = serde_json::from_slice(&artefact)?;
    let statement = file::read(&batch.statement, BYTES_MAX)?;
    let StatementFile(statement) = StatementFile::from_bytes(&statement)?;
    narrative.say(format_args!(
        "batch {number} closed in {}: {} accounts, {} instruments, {} tree nodes",
        took(time),
        trace.accounts.len(),
        trace.instruments.len(),
        trace.nodes.len()
    ));
    let equity: i128 = trace.accounts.iter().map(|row| row.margin.equity).sum();
    let initial: i128 = trace.accounts.iter().map(|row| row.margin.initial).sum();
    narrative.say(format_args!(
        "every account covers its initial margin: {} USDC of equity against {} USDC",
        equity / 1_000_000,
        initial / 1_000_000
    ));
    narrative.say(format_args!("account root {}", trace.old_root));
    narrative.say(format_args!("          to {}", trace.new_root));
    narrative.say(format_args!("public statement: {} words", statement.words.len()));
    narrative.figure("batch", number);
    narrative.figure("statement_words", statement.words.len());
    narrative.figure("old_root", trace.old_root.to_string());
    narrative.figure("new_root", trace.new_root.to_string());
    Ok(Sealed { trace, statement })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market;
    use zkmargin_contracts::{Evm, Fork};
    use zkmargin_fixtures::data::trades::{CHAIN_ID, CONTRACT, manifest};
    use zkmargin_verifier::Domain;

    #[test]
    fn flow_is_signed_for_the_first_contract_of_the_deployer() {
        let address = Evm::new(Fork::Osaka, CHAIN_ID).next_address();
        assert_eq!(address.into_array(), CONTRACT.0);
        assert_eq!(manifest().unwrap().domain, Domain::new(CHAIN_ID, CONTRACT.0).field());
    }

    #[test]
    fn a_second_run_replaces_the_store_and_closes_the_same_batch() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = manifest().unwrap();
        let run = || {
            let mut narrative = Narrative::new();
            let table = market::build(&mut narrative, manifest.domain, folder.path()).unwrap();
            trade(&mut narrative, &manifest, table, folder.path()).unwrap()
        };
        let (first, second) = (run(), run());
        assert_eq!(first.trace, second.trace);
        assert_eq!(first.statement, second.statement);
        assert_eq!(first.trace.trades.len(), manifest.shape.trades);
        assert_eq!(first.statement.words, first.trace.words());
    }

    #[test]
    fn a_folder_that_is_no_store_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("sequencer");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("diary.txt"), "mine").unwrap();
        assert!(fresh_store(folder.path()).is_err());
        assert_eq!(fs::read_to_string(taken.join("diary.txt")).unwrap(), "mine");
    }
}
