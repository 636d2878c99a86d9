//! What the auditor was shown in a stormy run, kept to be changed.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use zkmargin_protocol::Reject;
use zkmargin_protocol::account::settlement::Settlement;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::operation::forced::reduction::Refusal;
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedAnswer, ForcedRequest};
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::{AccountIndex, ForcedQuantity, Time};
use zkmargin_simulator::audit::Auditor;
use zkmargin_simulator::audit::memory::Memory;
use zkmargin_simulator::audit::observation::{Accounts, Ends, Seal, Step};
use zkmargin_simulator::audit::parties::parties;
use zkmargin_simulator::feed::Epoch;
use zkmargin_simulator::invariants::Breach;
use zkmargin_simulator::prove::home;
use zkmargin_simulator::scale::Scale;
use zkmargin_simulator::tally::kind;
use zkmargin_simulator::world::{Witness, World};

/// An operation as it was shown, with the memory before it.
#[derive(Clone)]
pub struct ShownStep {
    pub memory: Memory,
    pub market: Market,
    pub time: Time,
    pub opening: Accounts,
    pub before: Accounts,
    pub after: Accounts,
    pub custody: Custody,
    pub counts: [usize; 2],
    pub operation: Operation,
    pub verdict: Result<(), Reject>,
    pub again: Result<(), Reject>,
    pub settled: BTreeMap<AccountIndex, Settlement>,
    pub auction: Option<AuctionStep>,
}

impl ShownStep {
    fn of(memory: &Memory, step: &Step) -> Self {
        Self {
            memory: memory.clone(),
            market: step.market.clone(),
            time: step.time,
            opening: step.opening.clone(),
            before: step.before.clone(),
            after: step.after.clone(),
            custody: step.custody,
            counts: step.counts,
            operation: step.operation.clone(),
            verdict: step.verdict.clone(),
            again: step.again.clone(),
            settled: step.settled.clone(),
            auction: step.auction.cloned(),
        }
    }

    /// What the auditor finds.
    pub fn breaches(&self) -> Vec<Breach> {
        let mut auditor = Auditor { memory: self.memory.clone(), checks: 0 };
        auditor.step(&Step {
            domain: home().field(),
            market: &self.market,
            time: self.time,
            opening: &self.opening,
            before: &self.before,
            after: &self.after,
            custody: self.custody,
            counts: self.counts,
            operation: &self.operation,
            verdict: &self.verdict,
            again: &self.again,
            settled: &self.settled,
            auction: self.auction.as_ref(),
        })
    }
}

/// A batch as it was shown.
#[derive(Clone)]
pub struct ShownSeal {
    pub memory: Memory,
    pub market: Market,
    pub before: Ends,
    pub standing: Accounts,
    pub after: Ends,
    pub operations: Vec<Operation>,
    pub trace: BatchTrace,
    pub words: Vec<Fr>,
    pub again: Result<(Fr, bool), Reject>,
}

impl ShownSeal {
    /// What the auditor finds.
    pub fn breaches(&self) -> Vec<Breach> {
        let mut auditor = Auditor { memory: self.memory.clone(), checks: 0 };
        auditor.seal(&Seal {
            market: &self.market,
            before: &self.before,
            standing: &self.standing,
            after: &self.after,
            operations: &self.operations,
            trace: &self.trace,
            words: &self.words,
            again: &self.again,
        })
    }
}

/// An epoch as it was shown.
#[derive(Clone)]
pub struct ShownEpoch {
    pub memory: Memory,
    pub epoch: Epoch,
    pub accounts: Accounts,
}

impl ShownEpoch {
    /// What the auditor finds.
    pub fn breaches(&self) -> Vec<Breach> {
        let mut auditor = Auditor { memory: self.memory.clone(), checks: 0 };
        auditor.epoch(&self.epoch, &self.accounts)
    }
}

/// The first of each sort.
#[derive(Default)]
pub struct Gallery {
    steps: BTreeMap<&'static str, ShownStep>,
    pub seal: Option<ShownSeal>,
    pub epoch: Option<ShownEpoch>,
}

/// Sorts of operations beside the kinds accepted.
const SORTS: [&str; 5] =
    ["refused", "settled", "frozen bystander", "outside of the band", "refused reduction"];
/// Kinds of operations.
const KINDS: usize = 16;

impl Gallery {
    /// A run that goes on until there is one of each sort.
    pub fn collect() -> Self {
        let scale = Scale { attempts: Scale::WIDE.attempts, ..Scale::STORM };
        let mut world = World::new(77, scale, home().field()).expect("an empty market");
        let mut gallery = Self::default();
        for _ in 0..1_000 {
            world.batch(u64::MAX, &mut gallery).unwrap_or_else(|broken| panic!("{broken}"));
            let is_full = gallery.steps.len() == KINDS + SORTS.len();
            if is_full && gallery.seal.is_some() && gallery.epoch.is_some() {
                break;
            }
        }
        gallery
    }

    /// The operation of a sort.
    pub fn step(&self, sort: &str) -> &ShownStep {
        self.steps.get(sort).unwrap_or_else(|| panic!("no {sort} in {:?}", self.steps.keys()))
    }
}

fn sorts(step: &Step) -> Vec<&'static str> {
    // Many accounts, so that there are bystanders.
    if step.opening.len() < 20 {
        return vec![];
    }
    if step.verdict.is_err() {
        return vec!["refused"];
    }
    let mut sorts = vec![];
    let parties = parties(step.operation);
    let holds =
        |index: &AccountIndex| step.after.get(index).is_some_and(|a| a.positions.count() > 0);
    let is_frozen = |index: &AccountIndex| {
        step.opening.get(index).is_some_and(|account| account.auction.is_some())
    };
    if step.settled.values().any(|settlement| settlement.cash != 0) {
        sorts.push("settled");
    }
    if step.after.keys().any(|k| is_frozen(k) && holds(k) && !parties.contains(k)) {
        sorts.push("frozen bystander");
    }
    let is_outside = step.market.attestation().message.is_outside_band;
    let is_plain = matches!(kind(step.operation), "deposit" | "withdrawal");
    if is_outside && is_plain && holds(&parties[0]) {
        sorts.push("outside of the band");
    }
    let reduced = reduced(step);
    sorts.extend((reduced == Some(false)).then_some("refused reduction"));
    // A bid that the account is paid for, a start with a fee, a reduction that moves contracts.
    let is_rich = match (step.auction, step.operation) {
        (Some(AuctionStep::Bid(fill)), _) => fill.price > 0,
        (Some(AuctionStep::Start { fee }), _) => *fee > 0,
        _ => reduced == Some(true) || kind(step.operation) != "forced reduction",
    };
    if is_rich {
        sorts.push(kind(step.operation));
    }
    sorts
}

/// Whether a reduction of contracts that are held moves some, or is refused for want of margin.
fn reduced(step: &Step) -> Option<bool> {
    let Operation::Forced(ForcedRequest { account, action }) = step.operation else { return None };
    let ForcedAction::Reduction(terms) = action else { return None };
    let held = |all: &Accounts| Some(all.get(account)?.positions.quantity(terms.instrument).get());
    let [before, after] = [step.before, step.after].map(held);
    let is_empty = before == Some(0) || terms.quantity == ForcedQuantity::MIN;
    if is_empty || step.settled.contains_key(account) {
        return None;
    }
    let pair = [*account, terms.counterparty].map(|index| &step.after[&index]);
    let is_one_book = pair[0].book.underlying == pair[1].book.underlying;
    let auctions = [step.opening, step.after].map(|all| all.get(&terms.counterparty)?.auction);
    let is_free = auctions == [None; 2];
    (before != after || (is_one_book && is_free)).then_some(before != after)
}

/// Whether a batch answers a reduction that it refuses for want of margin.
fn has_refusal(trace: &BatchTrace) -> bool {
    trace.accounts.iter().any(|row| match row.answer {
        Some(ForcedAnswer::Reduction(answer)) => {
            matches!(answer.refusal, Some(Refusal::Account | Refusal::Counterparty))
        }
        _ => false,
    })
}

impl Witness for Gallery {
    fn step(&mut self, memory: &Memory, step: &Step) {
        for sort in sorts(step) {
            self.steps.entry(sort).or_insert_with(|| ShownStep::of(memory, step));
        }
    }

    fn seal(&mut self, memory: &Memory, seal: &Seal) {
        let kinds: Vec<_> = seal.operations.iter().map(kind).collect();
        let is_full = ["deposit", "withdrawal", "trade"].iter().all(|kind| kinds.contains(kind));
        let has_step = seal.trace.accounts.iter().any(|row| row.step.is_some());
        if self.seal.is_some()
            || !is_full
            || !has_step
            || !has_refusal(seal.trace)
            || seal.trace.accounts.len() < 12
        {
            return;
        }
        self.seal = Some(ShownSeal {
            memory: memory.clone(),
            market: seal.market.clone(),
            before: seal.before.clone(),
            standing: seal.standing.clone(),
            after: seal.after.clone(),
            operations: seal.operations.to_vec(),
            trace: seal.trace.clone(),
            words: seal.words.to_vec(),
            again: seal.again.clone(),
        });
    }

    fn epoch(&mut self, memory: &Memory, epoch: &Epoch, accounts: &Accounts) {
        let is_calm = !epoch.market.attestation().message.is_outside_band;
        let is_full = memory.prices.keys().any(|key| epoch.settlements.contains_key(key));
        let holders = accounts.values().any(|account| account.positions.count() > 0);
        if self.epoch.is_none() && is_calm && is_full && holders {
            let (memory, epoch, accounts) = (memory.clone(), epoch.clone(), accounts.clone());
            self.epoch = Some(ShownEpoch { memory, epoch, accounts });
        }
    }
}
