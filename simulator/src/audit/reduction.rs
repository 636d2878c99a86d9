//! Contracts that owners force on others through L1.

use zkmargin_protocol::account::Book;
use zkmargin_protocol::account::positions::SLOTS;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::forced::reduction::{Reduction, Refusal};
use zkmargin_protocol::value::units::AccountIndex;

use super::margin::{ONE_PPM, Standing, ceil};
use super::memory::Memory;
use super::observation::{Holding, Step};
use super::parties::auctioned;
use super::{Finding, demand};

/// What a forced reduction comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was asked for.
    pub terms: Reduction,
    /// 1/1000 contracts in question, of the sign of the position.
    pub contracts: i128,
    /// Micro-USDC that the account receives for them.
    pub proceeds: i128,
    /// Why nothing is moved, if it is for a reason.
    pub refusal: Option<Refusal>,
}

/// One of the two accounts of a request, as it stands.
struct Side<'a> {
    held: Holding,
    book: Book,
    /// Whether it was in auction when the batch began, or its auction has taken a step.
    is_in_auction: bool,
    market: &'a Market,
}

impl<'a> Side<'a> {
    fn new(memory: &Memory, step: &Step<'a>, index: AccountIndex, held: Holding) -> Option<Self> {
        let was_frozen = step.opening.get(&index).is_some_and(|a| a.auction.is_some());
        let is_in_auction = was_frozen || memory.steps.contains_key(&index);
        let book = step.after.get(&index)?.book;
        Some(Self { held, book, is_in_auction, market: step.market })
    }

    /// Whether it takes half of the room that there is for spreads, 2^52 micro-USDC.
    fn is_wide(&self) -> bool {
        let standing = Standing::of(&self.held, self.market, self.book.method);
        standing.is_some_and(|standing| 2 * standing.spread >= 1 << 52)
    }

    /// Equity above initial margin if it held this, micro-USDC times 10^6.
    fn excess_e12(&self, held: &Holding) -> i128 {
        let standing = Standing::of(held, self.market, self.book.method);
        standing.map_or(0, |standing| standing.excess_e12())
    }
}

impl Outcome {
    /// What a request of the account `index` comes to, by what both accounts had before it.
    pub fn of(memory: &Memory, step: &Step, index: AccountIndex, terms: Reduction) -> Self {
        let held = memory.start(index, step.before);
        // Contracts that came in the batch are not asked for.
        let found = memory.opened.get(&index).map(|found| found.held(terms.instrument));
        let position = found.unwrap_or(0);
        let size = position.abs().min(terms.quantity.into());
        let row = step.market.rows().get(&terms.instrument);
        let [mark, forward] = row.map_or([0; 2], |row| [row.mark, row.forward].map(i128::from));
        let penalty_ppm = i128::from(step.market.parameters().forced_penalty_ppm);
        let contracts = size * position.signum();
        let proceeds = contracts * mark - ceil(size * forward * penalty_ppm, ONE_PPM);
        let outcome = Self { terms, contracts, proceeds, refusal: None };
        let other = memory.start(terms.counterparty, step.before);
        let account = Side::new(memory, step, index, held);
        let other = Side::new(memory, step, terms.counterparty, other);
        let sides = account.zip(other).filter(|_| contracts != 0);
        let reasons = [Refusal::Unavailable, Refusal::Account, Refusal::Counterparty];
        let first = sides.and_then(|(account, other)| {
            reasons.into_iter().find(|reason| outcome.is_impossible(*reason, &account, &other))
        });
        Self { refusal: first, ..outcome }
    }

    /// Whether contracts change hands.
    pub fn is_done(&self) -> bool {
        self.contracts != 0 && self.refusal.is_none()
    }

    /// What an account has that gives the contracts up for the proceeds.
    pub fn left(&self, held: &Holding) -> Holding {
        let mut left = held.clone();
        left.add(self.terms.instrument, -self.contracts);
        left.cash += self.proceeds;
        left
    }

    /// What an account has that takes them.
    pub fn taken(&self, held: &Holding) -> Holding {
        let mut taken = held.clone();
        taken.add(self.terms.instrument, self.contracts);
        taken.cash -= self.proceeds;
        taken
    }

    /// Whether this stands in the way.
    fn is_impossible(&self, reason: Refusal, account: &Side, other: &Side) -> bool {
        match reason {
            Refusal::Unavailable => {
                let is_other_book = account.book.underlying != other.book.underlying;
                let is_shut = other.is_in_auction || other.held.contracts.len() >= SLOTS;
                is_shut || is_other_book || account.is_wide() || other.is_wide()
            }
            Refusal::Account => {
                let now = account.excess_e12(&account.held);
                let then = account.excess_e12(&self.left(&account.held));
                then < 0 && (account.is_in_auction || then < now)
            }
            Refusal::Counterparty => {
                // They are borne as if the account had nothing to set them off against.
                let needed = other.excess_e12(&self.taken(&Holding::default()));
                other.excess_e12(&other.held) + needed < 0
            }
        }
    }
}

/// [`crate::invariants::Invariant::ReducedAtMark`]
pub fn reduced_at_mark(memory: &Memory, step: &Step) -> Finding {
    let Some((index, outcome)) = memory.reduction(step) else { return Ok(()) };
    let pair = [index, outcome.terms.counterparty];
    let before = pair.map(|index| memory.start(index, step.before));
    let after = pair.map(|index| step.after.get(&index).map(Holding::of).unwrap_or_default());
    let moved = [outcome.left(&before[0]), outcome.taken(&before[1])];
    let is_exact = after == before || after == moved;
    demand!(is_exact, "{pair:?} have {after:?}, expected {before:?} or {moved:?}");
    Ok(())
}

/// [`crate::invariants::Invariant::RefusedIfImpossible`]
pub fn refused_if_impossible(memory: &Memory, step: &Step) -> Finding {
    for (index, outcome) in &memory.reductions {
        let Some(refusal) = outcome.refusal else { continue };
        let side = |index: AccountIndex| {
            let held = step.after.get(&index).map(Holding::of)?;
            Side::new(memory, step, index, held)
        };
        let Some((account, other)) = side(*index).zip(side(outcome.terms.counterparty)) else {
            return Err(format!("a reduction of account {index} with nobody"));
        };
        let found = memory.opened.get(index).map(|held| &held.contracts);
        let is_kept = found == Some(&account.held.contracts);
        demand!(is_kept, "positions of account {index}, whose reduction was refused, changed");
        let is_still = outcome.is_impossible(refusal, &account, &other);
        demand!(is_still, "account {index} could be reduced: no longer {refusal:?}");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::ReducedInAuctionCovers`]
pub fn reduced_in_auction_covers(memory: &Memory, step: &Step) -> Finding {
    for (index, _) in memory.reductions.iter().filter(|(_, outcome)| outcome.is_done()) {
        let Some(account) = step.after.get(index) else { continue };
        let was_frozen = step.opening.get(index).is_some_and(|a| a.auction.is_some());
        let standing = Standing::of(&Holding::of(account), step.market, account.book.method);
        let excess = standing.map_or(0, |standing| standing.excess_e12());
        demand!(!was_frozen || excess >= 0, "account {index} was reduced and is short: {excess}");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::TakerTakesNoStep`]
pub fn taker_takes_no_step(memory: &Memory, step: &Step) -> Finding {
    for outcome in memory.reductions.values().filter(|outcome| outcome.is_done()) {
        let taker = outcome.terms.counterparty;
        let is_stepping = auctioned(step.operation) == Some(taker);
        let is_sold = is_stepping || memory.steps.contains_key(&taker);
        demand!(!is_sold, "a step of account {taker}, which has taken contracts");
    }
    Ok(())
}
