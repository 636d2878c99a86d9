//! What happened in a run, counted.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::operation::forced::reduction::Refusal;
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedAnswer};
use zkmargin_protocol::operation::request::SignedRequest;
use zkmargin_protocol::{Reject, Rule};

/// Greatest count of one part. A record has at most 2^26 bytes, so the sum of all its counts is
/// below 2^64.
const COUNT_MAX: u64 = 1 << 38;

/// The kind of an operation, for counts.
pub fn kind(operation: &Operation) -> &'static str {
    match operation {
        Operation::Deposit(_) => "deposit",
        Operation::Trade(_) => "trade",
        Operation::Settle(_) => "settle",
        Operation::GrantTier(_) => "grant of a tier",
        Operation::StartAuction(_) => "start of an auction",
        Operation::EndAuction(_) => "end of an auction",
        Operation::CountDeficit(_) => "count of a deficit",
        Operation::RefuseDeposit(_) => "deposit given back",
        Operation::Forced(request) => match request.action {
            ForcedAction::Withdrawal { .. } => "forced withdrawal",
            ForcedAction::CancelAll => "forced cancel-all",
            ForcedAction::Reduction(_) => "forced reduction",
        },
        Operation::Request(signed) => asked(signed),
    }
}

/// The kind of a request.
fn asked(signed: &SignedRequest) -> &'static str {
    match signed.request.action {
        Action::Transfer { .. } => "transfer",
        Action::Withdrawal { .. } => "withdrawal",
        Action::Rekey { .. } => "rekey",
        Action::CancelAll { .. } => "cancel-all",
        Action::Bid(_) => "bid",
    }
}

/// The kind of an answer to a forced request.
fn answered(answer: &ForcedAnswer) -> &'static str {
    match answer {
        ForcedAnswer::Withdrawal { amount, paid } if paid < amount => "forced withdrawal in part",
        ForcedAnswer::Withdrawal { .. } => "forced withdrawal",
        ForcedAnswer::CancelAll { .. } => "forced cancel-all",
        ForcedAnswer::Reduction(reduced) => match reduced.refusal {
            Some(Refusal::Unavailable) => "forced reduction refused, nobody to take it",
            Some(Refusal::Account) => "forced reduction refused, account short",
            Some(Refusal::Counterparty) => "forced reduction refused, counterparty short",
            None if reduced.is_done() => "forced reduction",
            None => "forced reduction of nothing",
        },
    }
}

/// What a row shows of its operations besides those in tables of their own.
fn shown(row: &AccountRow) -> impl Iterator<Item = &'static str> {
    let settled = (!row.settlement.is_empty()).then_some("account settled");
    let step = row.step.as_ref().and_then(|step| match step {
        AuctionStep::Start { .. } => Some("start of an auction"),
        AuctionStep::End => Some("end of an auction"),
        AuctionStep::Count { .. } => Some("count of a deficit"),
        AuctionStep::Bid(_) => None,
    });
    let answer = row.answer.as_ref().map(answered);
    let is_raised = row.old.as_ref().is_some_and(|old| old.tier < row.new.tier);
    let raised = is_raised.then_some("grant of a tier");
    settled.into_iter().chain(step).chain(answer).chain(raised)
}

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Accepted and refused operations by kind.
    pub kinds: BTreeMap<String, [u64; 2]>,
    /// Refused operations by rule.
    pub rules: BTreeMap<Rule, u64>,
    /// Answers to forced requests in sealed batches, by kind.
    #[serde(default)]
    pub answers: BTreeMap<String, u64>,
    /// Batches sealed.
    pub batches: u64,
    /// Batches refused because of the age or order of their market data.
    pub stale: u64,
    /// Tables that call another option by an index that is held, under which its holder was not
    /// touched.
    #[serde(default)]
    pub misnamed: u64,
    /// Epochs of market data, and how many had a forward outside of its band.
    pub epochs: [u64; 2],
    /// Changes of parameters.
    #[serde(default)]
    pub changes: u64,
    /// Expiries settled.
    pub expiries: u64,
    /// Checks of invariants that were made.
    pub checks: u64,
    /// Batches whose constraints were satisfied.
    pub satisfied: u64,
    /// Proofs verified.
    pub proofs: u64,
    /// Operations proven, by kind.
    pub proven: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts an operation.
    pub fn count(&mut self, operation: &Operation, verdict: &Result<(), Reject>) {
        let counts = self.kinds.entry(kind(operation).to_owned()).or_default();
        match verdict {
            Ok(()) => counts[0] += 1,
            Err(reject) => {
                counts[1] += 1;
                *self.rules.entry(reject.rule).or_default() += 1;
            }
        }
    }

    /// Counts a sealed batch.
    pub fn count_batch(&mut self, trace: &BatchTrace) {
        self.batches += 1;
        for answer in trace.accounts.iter().filter_map(|row| row.answer.as_ref()) {
            *self.answers.entry(answered(answer).to_owned()).or_default() += 1;
        }
    }

    /// Counts a batch proven and verified.
    pub fn count_proven(&mut self, trace: &BatchTrace) {
        self.proofs += 1;
        let deposits = trace.deposits.iter();
        let deposits =
            deposits.map(|row| if row.is_refused { "deposit given back" } else { "deposit" });
        let trades = trace.trades.iter().map(|_| "trade");
        let rows = trace.accounts.iter().flat_map(shown);
        for kind in deposits.chain(trades).chain(trace.requests.iter().map(asked)).chain(rows) {
            *self.proven.entry(kind.to_owned()).or_default() += 1;
        }
    }

    /// Accepted and refused operations.
    pub fn operations(&self) -> [u64; 2] {
        self.kinds.values().fold([0; 2], |[a, r], [accepted, refused]| [a + accepted, r + refused])
    }

    /// Every count.
    fn counts(&self) -> impl Iterator<Item = u64> {
        let Self { kinds, rules, answers, batches, stale, misnamed, epochs, .. } = self;
        let Self { changes, expiries, checks, satisfied, proofs, proven, .. } = self;
        let single = [batches, stale, misnamed, changes, expiries, checks, satisfied, proofs];
        let pairs = kinds.values().flatten().chain(epochs);
        let maps = rules.values().chain(answers.values()).chain(proven.values());
        pairs.chain(maps).chain(single).copied()
    }

    /// Checks that the counts of a file are such as a run can have, so that sums of them fit.
    ///
    /// # Errors
    /// The count that is too large, and the bound.
    pub fn check_counts(&self) -> Result<(), String> {
        match self.counts().find(|&count| count > COUNT_MAX) {
            Some(count) => Err(format!("count {count} found, at most {COUNT_MAX} allowed")),
            None => Ok(()),
        }
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Self) {
        for (kind, [accepted, refused]) in &other.kinds {
            let counts = self.kinds.entry(kind.clone()).or_default();
            counts[0] += accepted;
            counts[1] += refused;
        }
        for (&rule, count) in &other.rules {
            *self.rules.entry(rule).or_default() += count;
        }
        add(&mut self.answers, &other.answers);
        self.batches += other.batches;
        self.stale += other.stale;
        self.misnamed += other.misnamed;
        self.epochs[0] += other.epochs[0];
        self.epochs[1] += other.epochs[1];
        self.changes += other.changes;
        self.expiries += other.expiries;
        self.checks += other.checks;
        self.satisfied += other.satisfied;
        self.proofs += other.proofs;
        add(&mut self.proven, &other.proven);
    }
}

/// Adds counts to others.
fn add(to: &mut BTreeMap<String, u64>, counts: &BTreeMap<String, u64>) {
    for (kind, count) in counts {
        *to.entry(kind.clone()).or_default() += count;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [accepted, refused] = self.operations();
        writeln!(f, "operations {}: accepted {accepted}, refused {refused}", accepted + refused)?;
        for (kind, [accepted, refused]) in &self.kinds {
            writeln!(f, "  {kind}: accepted {accepted}, refused {refused}")?;
        }
        writeln!(f, "refused by rule")?;
        for (rule, count) in &self.rules {
            writeln!(f, "  {rule:?}: {count}")?;
        }
        writeln!(f, "forced requests answered")?;
        for (kind, count) in &self.answers {
            writeln!(f, "  {kind}: {count}")?;
        }
        let [epochs, outside] = self.epochs;
        writeln!(f, "epochs {epochs}, outside of the band {outside}; expiries {}", self.expiries)?;
        writeln!(f, "changes of parameters {}", self.changes)?;
        writeln!(f, "batches {}, refused for their market data {}", self.batches, self.stale)?;
        writeln!(f, "tables refused for a misnamed option {}", self.misnamed)?;
        writeln!(f, "checks of invariants {}", self.checks)?;
        writeln!(f, "batches satisfied {}, proofs verified {}", self.satisfied, self.proofs)?;
        self.proven.iter().try_for_each(|(kind, count)| writeln!(f, "  {kind}: proven {count}"))
    }
}
