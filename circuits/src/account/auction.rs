//! Twin of `protocol::auction`: what a two-sided row shows of its account's auction.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::value::units::{CASH_BITS, TIME_BITS};

use crate::account::AccountVar;
use crate::account::standing::StandingVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::integer::Uint;
use crate::value::packing::pack;
use crate::{Cs, Wire, sum};

/// The auction of a leaf; zeros without one.
pub struct AuctionVar {
    /// When it started, 40 bits.
    pub start: Wire,
    /// Whether equity was not above zero then.
    pub is_insolvent: Bool<Fr>,
    /// Cash that bids have paid, or the deficit counted of an account without equity, 63 bits.
    pub reserve: Wire,
}

impl AuctionVar {
    /// The auction of a stored leaf.
    pub fn external(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::parts(auction).map(|part| part.value);
        let start = Uint::external(cs, "old auction start", start, TIME_BITS);
        let is_insolvent = Bool::external(cs, "old auction is insolvent", is_insolvent == 1);
        let reserve = Uint::external(cs, "old auction reserve", reserve, CASH_BITS - 1);
        Self { start: start.lc().clone(), is_insolvent, reserve: reserve.lc().clone() }
    }

    /// The auction of a new leaf; what it is [`AuctionStepVar::enforce_result`] says.
    pub fn witness(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::parts(auction).map(|part| part.value);
        let start = cs.witness("new auction start", Fr::from(start));
        let is_insolvent = cs.witness("new auction is insolvent", Fr::from(is_insolvent));
        let reserve = Uint::witness(cs, "new auction reserve", reserve, CASH_BITS - 1);
        let is_insolvent = Bool::new_unchecked(is_insolvent);
        Self { start, is_insolvent, reserve: reserve.lc().clone() }
    }

    /// The deficit counted of the account.
    pub fn counted(&self, cs: &mut Cs) -> Wire {
        cs.product("deficit of an auction", self.is_insolvent.lc(), &self.reserve)
    }

    /// start (40) ‖ is insolvent (1) ‖ reserve (63).
    pub fn word(&self) -> Wire {
        pack(&[
            (&self.start, TIME_BITS),
            (self.is_insolvent.lc(), 1),
            (&self.reserve, CASH_BITS - 1),
        ])
    }
}

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
    /// Allocates the flags, at most one of them in a row in use and none in others, and enforces [`Rule::Frozen`].
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

    /// Whether a fraction is asked for: of a first start the one its fee is of, or that of a bid, if there is equity.
    pub fn is_priced(&self, cs: &mut Cs, is_solvent: &Bool<Fr>) -> Bool<Fr> {
        let is_fresh = self.is_fresh(cs);
        let is_asked = Bool::new_unchecked(is_fresh.lc().plus(self.is_bid.lc()));
        is_asked.and(cs, is_solvent)
    }

    /// Whether an auction starts where there was none.
    pub fn is_fresh(&self, cs: &mut Cs) -> Bool<Fr> {
        self.was.not(cs).and(cs, &self.is_start)
    }

    /// The auction after the batch: it is new, gone, or what it was but for what a bid leaves of the reserve.
    pub fn enforce_result(
        &self,
        cs: &mut Cs,
        [old, new]: [&AuctionVar; 2],
        standing: &StandingVar,
        (time, reserve): (&Wire, &Wire),
    ) {
        cs.under(Rule::AuctionPhase, |cs| {
            let is_kept = cs.one().minus(self.is_start.lc()).minus(self.is_end.lc());
            let stays = cs.product("start that stays", &is_kept, &old.start);
            let start = cs.product("start of an auction", self.is_start.lc(), time).plus(&stays);
            cs.enforce_equal("auction start", &new.start, &start);
            let stays = cs.product("insolvency that stays", &is_kept, old.is_insolvent.lc());
            let is_insolvent = standing.is_insolvent.and(cs, &self.is_start);
            let is_insolvent = is_insolvent.lc().plus(&stays);
            cs.enforce_equal("auction is insolvent", new.is_insolvent.lc(), &is_insolvent);
        });
        cs.under(Rule::BidPrice, |cs| {
            // What is counted of a deficit outlasts a bid.
            let is_outlasting = standing.is_insolvent.and(cs, &self.is_bid);
            let is_kept = cs.one().minus(&self.flags()).plus(is_outlasting.lc());
            let stays = cs.product("reserve that stays", &is_kept, &old.reserve);
            cs.enforce_equal("auction reserve", &new.reserve, &stays.plus(reserve));
        });
    }
}
