//! What happens to the auction of a two-sided row's account.

use derive_getters::Getters;
use zkmargin_protocol::Rule;

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::integer::Uint;
use crate::{Cs, sum};

/// What happens to the auction of a row's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    None,
    /// It starts, or starts anew.
    Start,
    /// It ends.
    End,
    /// A part of the account is sold.
    Bid,
    /// Its deficit is counted.
    Count,
}

/// Flags of a row.
#[derive(Getters)]
pub struct AuctionStepVar {
    /// Whether the auction starts or starts anew.
    is_start: Bool,
    /// Whether it ends.
    is_end: Bool,
    /// Whether a part of the account is sold; `argument` asks for the bid.
    is_bid: Bool,
    /// Whether the account's deficit is counted.
    is_count: Bool,
    /// Whether the account was in auction.
    was_in_auction: Bool,
    /// Whether the account was or is in auction, so that nothing it signed is applied.
    is_frozen: Bool,
}

impl AuctionStepVar {
    /// Allocates the flags, at most one of them in a row in use and none in others. `start` is that
    /// of the auction before the batch, 0 if there was none.
    pub fn new(cs: &mut Cs, step: Step, is_active: &Bool, start: &Uint) -> Self {
        let flag = |cs: &mut Cs, name, of| Bool::external(cs, name, step == of);
        let is_start = flag(cs, "auction starts", Step::Start);
        let is_end = flag(cs, "auction ends", Step::End);
        let is_bid = flag(cs, "account is bid for", Step::Bid);
        let is_count = flag(cs, "deficit is counted", Step::Count);
        let zero = cs.zero();
        let flags = sum([is_start.lc(), is_end.lc(), is_bid.lc(), is_count.lc()]);
        let was_in_auction = is_zero(cs, start).not(cs);
        let is_frozen = was_in_auction.or(cs, &is_start);
        cs.under(Rule::AuctionPhase, |cs| {
            // The sum is 0 to 4, and nothing but 0 or 1 is its flag for rows in use.
            cs.enforce("one step a batch", &flags, &is_active.minus(&flags), &zero);
            cs.enforce(
                "a bid is for an account in auction",
                is_bid.lc(),
                was_in_auction.not(cs).lc(),
                &zero,
            );
        });
        cs.under(Rule::AuctionEnd, |cs| {
            cs.enforce("what ends has started", is_end.lc(), was_in_auction.not(cs).lc(), &zero);
        });
        Self { is_start, is_end, is_bid, is_count, was_in_auction, is_frozen }
    }

    /// Start, end, bid and count.
    pub fn flags(&self) -> [&Bool; 4] {
        [&self.is_start, &self.is_end, &self.is_bid, &self.is_count]
    }

    /// Whether any step is taken.
    pub fn is_any(&self) -> Bool {
        // One of them at most is set in a row in use, and none in others.
        Bool::new_unchecked(sum(self.flags().map(Bool::lc)))
    }

    /// Whether a fraction is asked for: of a first start the one its fee is of, or that of a bid,
    /// if there is equity.
    pub fn is_priced(&self, cs: &mut Cs, is_solvent: &Bool) -> Bool {
        let is_fresh = self.is_fresh(cs);
        // No row both starts an auction and bids.
        let is_asked = Bool::new_unchecked(is_fresh.lc().plus(self.is_bid.lc()));
        is_asked.and(cs, is_solvent)
    }

    /// Whether an auction starts where there was none.
    pub fn is_fresh(&self, cs: &mut Cs) -> Bool {
        self.was_in_auction.not(cs).and(cs, &self.is_start)
    }
}
