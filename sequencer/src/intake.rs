//! The way of a line: read, judged, committed with its group, answered.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use zkmargin_protocol::Rule;
use zkmargin_protocol::state::State;
use zkmargin_protocol::units::Time;

use crate::answer::{Answer, Reason, Receipt, Refusal};
use crate::batches::{self, close, export_batches};
use crate::desk::{Desk, Pending, Verdict};
use crate::error::Error;
use crate::event::Event;
use crate::genesis::Genesis;
use crate::lines::Line;
use crate::store::Store;
use crate::submission::{Source, Submission};

/// What [`crate::Sequencer::submit`] works through, from one batch to the next.
pub(crate) struct Intake<G, C, P> {
    source: Source,
    groups: G,
    clock: C,
    publish: P,
    /// Lines of the group that are not judged yet; the first may have been sent back by a full batch.
    queue: VecDeque<Line>,
    /// Answers of the group that are not on the disk yet.
    answers: Vec<Answer>,
    now: Time,
}

impl<G, C, P> Intake<G, C, P>
where
    G: Iterator<Item = io::Result<Vec<Line>>>,
    C: Fn() -> Result<Time, Error>,
    P: FnMut(&[Answer]) -> Result<(), Error>,
{
    pub fn new(source: Source, groups: G, clock: C, publish: P) -> Self {
        let (queue, answers) = (VecDeque::new(), Vec::new());
        Self { source, groups, clock, publish, queue, answers, now: Time::MIN }
    }

    /// Fills one batch; the state after it if it was closed, `None` at the end of the input.
    pub fn fill(
        &mut self,
        store: &mut Store,
        genesis: &Genesis,
        mut desk: Desk<'_>,
        pending: &mut Vec<Pending>,
    ) -> Result<Option<State>, Error> {
        loop {
            while let Some(line) = self.queue.front() {
                let Some(answer) = self.answer(line, store, &mut desk, pending)? else {
                    let (next, sealed) = close(store, genesis, desk, pending.len())?;
                    self.answers.push(Answer::Sealed(sealed));
                    return Ok(Some(next));
                };
                self.answers.push(answer);
                self.queue.pop_front();
            }
            if !self.answers.is_empty() {
                self.finish(store)?;
            }
            let Some(group) = self.groups.next() else { return Ok(None) };
            self.queue = group.map_err(Error::input(Path::new("the input")))?.into();
            self.now = (self.clock)()?.max(store.time());
            store.begin()?;
        }
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
        let id = submission.identity();
        let hex = id.to_hex().to_string();
        if let Some(entry) = store.find(&id)? {
            let (sequence, time) = (entry.sequence, entry.time);
            let known = match entry.event()? {
                Event::Submission(known) if submission.is_same(&known) => known,
                _ => {
                    let what = "reference used for something else, entry";
                    return refused(Some(id), Refusal::new(Reason::ChainReference, what, sequence));
                }
            };
            let batch = store.batch_of(sequence)?.unwrap_or(desk.number());
            let is_returned = matches!(known, Submission::Returned(_));
            let receipt = Receipt { id: hex, sequence, batch, time, is_returned };
            return Ok(Some(Answer::accepted(number, receipt)));
        }
        let mut verdict = desk.admit(&submission.operation(), self.now);
        // What is on L1 cannot be refused there any more: it goes back by a batch.
        if let (true, Some(returned)) = (verdict.is_by(Rule::DepositKey), submission.returned()) {
            verdict = desk.admit(&returned.operation(), self.now);
            submission = returned;
        }
        let operation = submission.operation();
        match verdict {
            Verdict::Closed => Ok(None),
            Verdict::Refused(refusal) => refused(Some(id), refusal),
            Verdict::Accepted => {
                let is_returned = matches!(submission, Submission::Returned(_));
                let entry = store.append(self.now, &Event::Submission(submission))?;
                let (sequence, time) = (entry.sequence, entry.time);
                pending.push(Pending { sequence, time, operation });
                let batch = desk.number();
                let receipt = Receipt { id: hex, sequence, batch, time, is_returned };
                Ok(Some(Answer::accepted(number, receipt)))
            }
        }
    }

    /// Commits a group, writes the files of batches closed in it, and only then publishes its answers.
    fn finish(&mut self, store: &mut Store) -> Result<(), Error> {
        store.commit()?;
        let sealed = |answer: &Answer| match answer {
            Answer::Sealed(batch) => Some(batch.sealed),
            _ => None,
        };
        let numbers: Vec<u64> = self.answers.iter().filter_map(sealed).collect();
        let directory = store.directory().join(batches::DIRECTORY);
        export_batches(store, &directory, &numbers)?;
        (self.publish)(&self.answers)?;
        self.answers.clear();
        Ok(())
    }
}
