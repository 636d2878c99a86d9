//! Twin of `protocol::account::auction`: the auction that a leaf holds.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::auction::{Auction, WORD};
use zkmargin_protocol::value::units::{CASH_BITS, PPM, TIME_BITS};

use crate::Cs;
use crate::account::auction_step::AuctionStepVar;
use crate::account::margin::EXCESS_BITS;
use crate::account::standing::StandingVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::enforce_nonzero_if;
use crate::gadgets::integer::Uint;
use crate::value::packing::pack_as;

/// The auction of a leaf; zeros without one.
#[derive(Getters)]
pub struct AuctionVar {
    /// When it started.
    start: Uint,
    /// Whether equity was not above zero then.
    is_insolvent: Bool,
    /// Cash that bids have paid, or the deficit counted of an account without equity.
    reserve: Uint,
}

impl AuctionVar {
    /// The auction of a stored leaf.
    pub fn external(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::fields(auction);
        let start = Uint::external(cs, "old auction start", start, TIME_BITS);
        let is_insolvent = Bool::external(cs, "old auction is insolvent", is_insolvent == 1);
        let reserve = Uint::external(cs, "old auction reserve", reserve, CASH_BITS - 1);
        Self { start, is_insolvent, reserve }
    }

    /// The auction of a new leaf. `ledger::liquidation` makes start and flag those of the old leaf,
    /// of the batch's time or nothing, which are ranged.
    pub fn witness(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::fields(auction);
        let start = cs.witness("new auction start", Fr::from(start));
        let start = Uint::new_unchecked(start, TIME_BITS);
        let is_insolvent = cs.witness("new auction is insolvent", Fr::from(is_insolvent));
        let reserve = Uint::witness(cs, "new auction reserve", reserve, CASH_BITS - 1);
        let is_insolvent = Bool::new_unchecked(is_insolvent);
        Self { start, is_insolvent, reserve }
    }

    /// The deficit counted of the account.
    pub fn counted(&self, cs: &mut Cs) -> Uint {
        self.reserve.only_if(cs, "deficit of an auction", &self.is_insolvent)
    }

    /// The auction in a status word.
    pub fn word(&self) -> Uint {
        pack_as(&WORD, [&self.start, &self.is_insolvent, &self.reserve])
    }

    /// An auction starts for equity below maintenance margin, and anew when equity has changed its
    /// sign; never for the insurance fund, whose row would then not be bound to have what it pays.
    /// `self` is the auction before the batch, of the account `index`.
    pub fn enforce_start(
        &self,
        cs: &mut Cs,
        step: &AuctionStepVar,
        standing: &StandingVar,
        index: &Uint,
        is_changed: &Bool,
    ) {
        let (zero, one) = (cs.zero(), cs.one());
        let is_fresh = cs.under(Rule::AuctionStart, |cs| step.is_fresh(cs));
        cs.under(Rule::ParameterChange, |cs| {
            let what = "no auction in the first batch under other parameters";
            cs.enforce(what, is_fresh.lc(), is_changed.lc(), &zero);
        });
        cs.under(Rule::AuctionStart, |cs| {
            enforce_nonzero_if(cs, "the insurance fund itself", index, step.is_start());
            let is_anew = step.is_start().minus(&is_fresh);
            let equity = standing.equity().scaled(Fr::from(PPM));
            let lack = standing.maintenance().minus(&equity).minus(&one);
            let lack = cs.product("lack of maintenance margin", is_fresh.lc(), &lack);
            Uint::range_check(cs, "equity is below maintenance margin", &lack, EXCESS_BITS);
            let covers = standing.is_short().not(cs);
            cs.enforce("equity is below buffered margin", is_fresh.lc(), covers.lc(), &zero);
            let has_kept = self.has_kept_sign(cs, standing);
            cs.enforce("equity has changed its sign", &is_anew, has_kept.lc(), &zero);
        });
    }

    /// A deficit is counted of an account in auction without equity that has less than none: what
    /// `cover` leaves of it. Returns the deficit.
    pub fn enforce_count(
        &self,
        cs: &mut Cs,
        step: &AuctionStepVar,
        standing: &StandingVar,
        cover: &Uint,
    ) -> Uint {
        cs.under(Rule::Deficit, |cs| {
            let (zero, is_count) = (cs.zero(), step.is_count().lc());
            let is_out = step.was_in_auction().not(cs);
            let is_solvent = self.is_insolvent.not(cs);
            let is_covered = standing.is_negative().not(cs);
            cs.enforce("counted in an auction", is_count, is_out.lc(), &zero);
            cs.enforce("counted in an auction without equity", is_count, &is_solvent, &zero);
            cs.enforce("counted of equity below zero", is_count, is_covered.lc(), &zero);
            let missing = standing.equity().plus(cover).negated();
            let missing = cs.product("deficit counted", is_count, &missing);
            Uint::range_check(cs, "the fund gives no more than is missing", &missing, CASH_BITS)
        })
    }

    /// Whether the auction started for equity of the sign it has now.
    pub fn has_kept_sign(&self, cs: &mut Cs, standing: &StandingVar) -> Bool {
        let was_solvent = self.is_insolvent.not(cs);
        let has_kept = standing.is_insolvent().select(cs, &self.is_insolvent, &was_solvent);
        // One of two bits.
        Bool::new_unchecked(has_kept)
    }
}

/// An auction ends when equity covers buffered margin.
pub fn enforce_end(cs: &mut Cs, step: &AuctionStepVar, standing: &StandingVar) {
    cs.under(Rule::AuctionEnd, |cs| {
        let (zero, is_end) = (cs.zero(), step.is_end().lc());
        cs.enforce("equity covers buffered margin", is_end, standing.is_short(), &zero);
    });
}
