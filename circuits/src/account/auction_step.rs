//! What happens to the auction of a two-sided row's account.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;

use crate::account::AccountVar;
use crate::account::auction::AuctionVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::{Cs, Wire, sum};

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
pub struct AuctionStepVar {
    /// Whether the auction starts or starts anew.
    pub is_start: Bool<Fr>,
    /// Whether it ends.
    pub is_end: Bool<Fr>,
    /// Whether a part of the account is sold; `argument` asks for the bid.
    pub is_bid: Bool<Fr>,
    /// Whether the account's deficit is counted.
    pub is_count: Bool<Fr>,
    /// Whether the account was in auction.
    pub was: Bool<Fr>,
    /// Whether the account was or is in auction, so that nothing it signed is applied.
    pub is_frozen: Bool<Fr>,
}

impl AuctionStepVar {
    /// Allocates the flags, at most one of them in a row in use and none in others, and enforces
    /// [`Rule::Frozen`].
    pub fn new(cs: &mut Cs, step: Step, account: &AccountVar, old: &AuctionVar) -> Self {
        let flag = |cs: &mut Cs, name, of| Bool::external(cs, name, step == of);
        let is_start = flag(cs, "auction starts", Step::Start);
        let is_end = flag(cs, "auction ends", Step::End);
        let is_bid = flag(cs, "account is bid for", Step::Bid);
        let is_count = flag(cs, "deficit is counted", Step::Count);
        let zero = cs.zero();
        let flags = sum([is_start.lc(), is_end.lc(), is_bid.lc(), is_count.lc()]);
        let was = is_zero(cs, &old.start).not(cs);
        let is_frozen = was.or(cs, &is_start);
        cs.under(Rule::AuctionPhase, |cs| {
            // The sum is 0 to 4, and nothing but 0 or 1 is its flag for rows in use.
            cs.enforce("one step a batch", &flags, &account.is_active.lc().minus(&flags), &zero);
            cs.enforce("a bid is for an account in auction", is_bid.lc(), was.not(cs).lc(), &zero);
        });
        cs.under(Rule::AuctionEnd, |cs| {
            cs.enforce("what ends has started", is_end.lc(), was.not(cs).lc(), &zero);
        });
        cs.under(Rule::Frozen, |cs| {
            let signed = sum(account.nonces.newly_used.iter().map(Bool::lc));
            cs.enforce("an account in auction signs nothing", is_frozen.lc(), &signed, &zero);
        });
        Self { is_start, is_end, is_bid, is_count, was, is_frozen }
    }

    /// Whether any step is taken.
    pub fn flags(&self) -> Wire {
        sum([self.is_start.lc(), self.is_end.lc(), self.is_bid.lc(), self.is_count.lc()])
    }

    /// Whether a fraction is asked for: of a first start the one its fee is of, or that of a bid,
    /// if there is equity.
    pub fn is_priced(&self, cs: &mut Cs, is_solvent: &Bool<Fr>) -> Bool<Fr> {
        let is_fresh = self.is_fresh(cs);
        let is_asked = Bool::new_unchecked(is_fresh.lc().plus(self.is_bid.lc()));
        is_asked.and(cs, is_solvent)
    }

    /// Whether an auction starts where there was none.
    pub fn is_fresh(&self, cs: &mut Cs) -> Bool<Fr> {
        self.was.not(cs).and(cs, &self.is_start)
    }
}
