//! The way of a line: read, judged, committed with its group, answered.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;

use zkmargin_protocol::Rule;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::value::units::Time;

use crate::answer::{Answer, Reason, Receipt, Refusal};
use crate::batches::{self, close, export_batches};
use crate::desk::{Desk, Pending, Verdict};
use crate::error::Error;
use crate::event::Event;
use crate::genesis::Genesis;
use crate::lines::Line;
use crate::store::Store;
use crate::submission::{Content, Source, Submission};

/// What [`crate::Sequencer::submit`] works through, from one batch to the next.
pub(crate) struct Intake<G, C, P> {
    source: Source,
    groups: G,
    clock: C,
    publish: P,
    /// Lines of the group that are not judged yet; the first may have been sent back by a full
    /// batch.
    queue: VecDeque<Line>,
    /// Answers of the group that are not on the disk yet.
    answers: Vec<Answer>,
    now: Time,
    /// Whether a transaction is open.
    is_writing: bool,
    /// Whether the batch must be closed for its age, without a line that asks for it.
    is_due: bool,
    /// When this process last knew all that others had written.
    current: Time,
}

/// Why a batch takes nothing more, for now.
pub(crate) enum Step {
    /// It was closed; the state after it.
    Closed(Box<State>),
    /// Another process has written. Follow it and go on with the batch that there is then.
    Behind,
    /// The input has ended.
    End,
}

impl<G, C, P> Intake<G, C, P>
where
    G: Iterator<Item = io::Result<Vec<Line>>>,
    C: Fn() -> Result<Time, Error>,
    P: FnMut(&[Answer]) -> Result<(), Error>,
{
    pub fn new(source: Source, groups: G, clock: C, publish: P) -> Self {
        let (queue, answers) = (VecDeque::new(), Vec::new());
        let [now, current] = [Time::MIN; 2];
        let [is_writing, is_due] = [false; 2];
        Self { source, groups, clock, publish, queue, answers, now, is_writing, is_due, current }
    }

    /// Fills one batch, with the lock of the store. Nothing is judged before all that others have
    /// written is known, so that a group is judged and committed in one turn.
    pub fn fill(
        &mut self,
        store: &mut Store,
        genesis: &Genesis,
        mut desk: Desk<'_>,
        pending: &mut Vec<Pending>,
        wait: Duration,
    ) -> Result<Step, Error> {
        self.current = (self.clock)()?.max(self.current);
        loop {
            if std::mem::take(&mut self.is_due) && desk.is_old(self.now) {
                self.begin(store)?;
                return self.close(store, genesis, desk, pending.len());
            }
            if !self.queue.is_empty() {
                self.begin(store)?;
            }
            while let Some(line) = self.queue.front() {
                let Some(answer) = self.answer(line, store, &mut desk, pending)? else {
                    return self.close(store, genesis, desk, pending.len());
                };
                self.answers.push(answer);
                self.queue.pop_front();
            }
            if self.is_writing {
                self.finish(store)?;
            }
            store.release();
            if !self.wait_for_work(store, &desk)? {
                return Ok(Step::End);
            }
            store.acquire(wait)?;
            if store.is_behind()? {
                return Ok(Step::Behind);
            }
        }
    }

    /// Waits until there is a line, or the batch is due to be closed; `false` at the end of the
    /// input. At least once in the age of a batch this looks whether others have written, because
    /// their batch may be due too.
    fn wait_for_work(&mut self, store: &Store, desk: &Desk<'_>) -> Result<bool, Error> {
        loop {
            let Some(group) = self.groups.next() else { return Ok(false) };
            self.queue = group.map_err(Error::input(Path::new("the input")))?.into();
            let clock = (self.clock)()?;
            self.now = clock.max(store.time());
            self.is_due = self.queue.is_empty();
            if !self.is_due || desk.is_old(self.now) {
                return Ok(true);
            }
            if clock.get().saturating_sub(self.current.get()) > desk.age_max_s() {
                if store.is_behind()? {
                    return Ok(true);
                }
                self.current = clock;
            }
        }
    }

    /// Starts the transaction of the group, unless it goes on from the batch before.
    fn begin(&mut self, store: &mut Store) -> Result<(), Error> {
        if !std::mem::replace(&mut self.is_writing, true) {
            self.now = self.now.max(store.time());
            store.begin()?;
        }
        Ok(())
    }

    fn close(
        &mut self,
        store: &mut Store,
        genesis: &Genesis,
        desk: Desk<'_>,
        operations: usize,
    ) -> Result<Step, Error> {
        let (next, sealed) = close(store, genesis, desk, operations)?;
        self.answers.push(Answer::Sealed(sealed));
        Ok(Step::Closed(Box::new(next)))
    }

    /// Judges a line within a transaction; `None` if the batch must be closed first.
    fn answer(
        &self,
        line: &Line,
        store: &mut Store,
        desk: &mut Desk<'_>,
        pending: &mut Vec<Pending>,
    ) -> Result<Option<Answer>, Error> {
        let number = line.number;
        let refused = |id, refusal| Ok(Some(Answer::refused(number, id, refusal)));
        let parsed = line.text.as_ref().map_err(Clone::clone);
        let mut submission = match parsed.and_then(|text| Submission::parse(self.source, text)) {
            Ok(submission) => submission,
            Err(refusal) => return refused(None, refusal),
        };
        let id = submission.id;
        let hex = id.to_hex().to_string();
        if let Some(entry) = store.find(&id)? {
            let (sequence, time) = (entry.sequence, entry.time);
            let known = match entry.event()? {
                Event::Submission(known) if submission.is_same(&known) => known.content,
                _ => {
                    let what = "reference used for something else, entry";
                    return refused(Some(id), Refusal::new(Reason::ChainReference, what, sequence));
                }
            };
            let batch = store.batch_of(sequence)?.unwrap_or(desk.number());
            let is_returned = matches!(known, Content::Returned(_));
            let receipt = Receipt { id: hex, sequence, batch, time, is_returned };
            return Ok(Some(Answer::accepted(number, receipt)));
        }
        let mut verdict = desk.admit(&submission.content.operation(), self.now);
        // What is on L1 cannot be refused there any more: it goes back by a batch.
        if let (true, Some(returned)) = (verdict.is_by(Rule::DepositKey), submission.returned()) {
            verdict = desk.admit(&returned.content.operation(), self.now);
            submission = returned;
        }
        let operation = submission.content.operation();
        match verdict {
            Verdict::Closed => Ok(None),
            Verdict::Refused(refusal) => refused(Some(id), refusal),
            Verdict::Accepted => {
                let is_returned = matches!(submission.content, Content::Returned(_));
                let entry = store.append(self.now, &Event::Submission(submission))?;
                let (sequence, time) = (entry.sequence, entry.time);
                pending.push(Pending { sequence, time, operation });
                let batch = desk.number();
                let receipt = Receipt { id: hex, sequence, batch, time, is_returned };
                Ok(Some(Answer::accepted(number, receipt)))
            }
        }
    }

    /// Commits a group, writes the files of batches closed in it, and only then publishes its
    /// answers.
    fn finish(&mut self, store: &mut Store) -> Result<(), Error> {
        store.commit()?;
        self.is_writing = false;
        let sealed = |answer: &Answer| match answer {
            Answer::Sealed(batch) => Some(batch.sealed),
            _ => None,
        };
        let numbers: Vec<u64> = self.answers.iter().filter_map(sealed).collect();
        let directory = store.directory().join(batches::DIRECTORY);
        export_batches(store, &directory, &numbers)?;
        // Who does not read the answers keeps nobody else waiting.
        store.release();
        (self.publish)(&self.answers)?;
        self.answers.clear();
        Ok(())
    }
}
