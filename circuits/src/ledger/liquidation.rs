//! What a two-sided row shows of the auction of its account: twin of the auction's steps in
//! `protocol::ledger::transition`.

use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::auction_parameters::SHARE_BITS;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::value::units::{CASH_BITS, PPM};

use crate::account::AccountVar;
use crate::account::auction::{self, AuctionVar};
use crate::account::auction_step::{AuctionStepVar, Step};
use crate::account::reduction::SideBeforeVar;
use crate::account::standing::StandingVar;
use crate::gadgets::integer::{Int, Uint};
use crate::market::auction_parameters::ClockVar;
use crate::market::parameters::ParametersVar;
use crate::operation::bid::BidVar;
use crate::operation::bid::sale::{self, OfferVar, SaleVar};
use crate::value::header::HeaderVar;
use crate::value::packing::pack;
use crate::{Cs, Wire};

/// The auction of one two-sided row.
#[derive(Getters)]
pub struct LiquidationVar {
    /// Flags.
    step: AuctionStepVar,
    /// What the bidder signed.
    bid: BidVar,
    /// What is sold.
    sale: SaleVar,
    /// Cash of the account: price less what is taken and the fee.
    cash_of_account: Int,
    /// Cash of the insurance fund: the fee, and of an account without equity the price, negative.
    cash_of_fund: Int,
    /// Cash of the bidder.
    cash_of_bidder: Int,
    /// By how much the deficit counted of the account changes.
    deficit_change: Int,
    /// The deficit counted in this batch.
    deficit_counted: Uint,
}

impl LiquidationVar {
    /// Allocates the step of a row and enforces everything but its legs and its request, which are
    /// for `argument`.
    pub fn new(
        cs: &mut Cs,
        input: Option<&AuctionStep>,
        account: &AccountVar,
        before: &SideBeforeVar,
        parameters: &ParametersVar,
        header: &HeaderVar,
    ) -> Self {
        let [old, new] = account.auctions().as_ref().expect("a two-sided row holds its auction");
        let step = AuctionStepVar::new(cs, kind(input), account.is_active(), old.start());
        enforce_frozen(cs, &step, account);
        let (is_stepping, cash) = (step.is_any(), account.opening_cash());
        let (is_standard, margin) = (account.book().is_standard(), before.margin());
        let standing = StandingVar::new(cs, &is_stepping, &cash, is_standard, margin, parameters);
        old.enforce_start(cs, &step, &standing, account.index(), parameters.is_changed());
        auction::enforce_end(cs, &step, &standing);
        enforce_bid_phase(cs, &step, &standing, old);
        let parameters = parameters.auction();
        let age = header.time().sub(old.start());
        let (is_bid, is_insolvent) = (step.is_bid(), standing.is_insolvent());
        let clock = ClockVar::new(cs, is_bid, &age, is_insolvent, parameters);
        let reserve = sale::reserve_left(cs, is_bid, old, &standing);
        let is_solvent = is_insolvent.not(cs);
        let is_priced = step.is_priced(cs, &is_solvent);
        let full = Uint::constant(cs, PPM.into(), SHARE_BITS);
        let discount = Uint::select(cs, step.is_start(), &full, clock.discount());
        let fraction = standing.fraction_ceil(cs, &is_priced, &discount, &reserve);
        let fee = standing.fee_floor(cs, step.is_start(), &fraction, parameters);
        let dust = parameters.dust();
        let offer = OfferVar::new(cs, is_bid, &standing, &clock, &fraction, &reserve, dust);
        let fill = match input {
            Some(AuctionStep::Bid(fill)) => Some(fill),
            _ => None,
        };
        let bid = BidVar::external(cs, fill, is_bid);
        let sale = SaleVar::new(cs, is_bid, &bid, &offer, account, before, parameters);
        let to_account = sale.price().only_if(cs, "price to the account", &is_solvent);
        let cover = witness_cover(cs, input, &step);
        let counted = old.enforce_count(cs, &step, &standing, &cover);
        let reserve = reserve.plus(&to_account).plus(&counted);
        step.enforce_result(cs, [old, new], &standing, header.time(), &reserve);
        let deficit_change = new.counted(cs).sub(&old.counted(cs));
        let cover = cover.to_int();
        Self {
            cash_of_account: to_account.sub(sale.cash()).sub(&fee).add(&cover),
            cash_of_fund: sale.price().sub(&to_account).add(&fee).sub(&cover),
            deficit_change,
            deficit_counted: counted,
            cash_of_bidder: sale.cash().sub(sale.price()),
            step,
            bid,
            sale,
        }
    }

    /// The element the transcript absorbs: bidder and terms of the bid ‖ the four flags ‖ `paid`.
    pub fn absorbed(&self, cs: &Cs, paid: &Uint) -> Uint {
        let [start, end, bid, count] = self.step.flags();
        let rest = pack(&[start, end, bid, count, paid]);
        self.bid.absorbed(cs, &rest)
    }
}

fn kind(step: Option<&AuctionStep>) -> Step {
    match step {
        None => Step::None,
        Some(AuctionStep::Start { .. }) => Step::Start,
        Some(AuctionStep::End) => Step::End,
        Some(AuctionStep::Bid(_)) => Step::Bid,
        Some(AuctionStep::Count { .. }) => Step::Count,
    }
}

/// Nothing is applied that an account in auction has signed.
fn enforce_frozen(cs: &mut Cs, step: &AuctionStepVar, account: &AccountVar) {
    cs.under(Rule::Frozen, |cs| {
        let (is_frozen, zero) = (step.is_frozen().lc(), cs.zero());
        let signed = account.nonces().used_count();
        cs.enforce("an account in auction signs nothing", is_frozen, &signed, &zero);
    });
}

/// What the insurance fund gives for a deficit that is counted, 63 bits; how much that must be is
/// for the batch to show.
fn witness_cover(cs: &mut Cs, step: Option<&AuctionStep>, flags: &AuctionStepVar) -> Uint {
    cs.under(Rule::Deficit, |cs| {
        let cover = match step {
            Some(AuctionStep::Count { cover }) => (*cover).max(0) as u128,
            _ => 0,
        };
        let cover = Uint::witness(cs, "cover of a deficit", cover, CASH_BITS - 1);
        let (zero, is_other) = (cs.zero(), flags.is_count().not(cs));
        cs.enforce("cover of a deficit counted", cover.lc(), is_other.lc(), &zero);
        cover
    })
}

/// A bid is for an auction that fits the account's equity, and for an account short of buffered
/// margin.
fn enforce_bid_phase(cs: &mut Cs, step: &AuctionStepVar, standing: &StandingVar, old: &AuctionVar) {
    let zero = cs.zero();
    let is_bid = step.is_bid();
    cs.under(Rule::AuctionPhase, |cs| {
        let has_turned = old.has_kept_sign(cs, standing).not(cs);
        cs.enforce("equity has kept its sign", is_bid.lc(), has_turned.lc(), &zero);
    });
    cs.under(Rule::BidFraction, |cs| {
        let covers = standing.is_short().not(cs);
        cs.enforce("a bid is for a shortfall", is_bid.lc(), covers.lc(), &zero);
    });
}

impl AuctionStepVar {
    /// The auction after the batch: it is new, gone, or what it was but for what a bid leaves of
    /// the reserve.
    fn enforce_result(
        &self,
        cs: &mut Cs,
        [old, new]: [&AuctionVar; 2],
        standing: &StandingVar,
        time: &Uint,
        reserve: &Wire,
    ) {
        cs.under(Rule::AuctionPhase, |cs| {
            let is_kept = cs.one().minus(self.is_start().lc()).minus(self.is_end().lc());
            let stays = cs.product("start that stays", &is_kept, old.start());
            let start = cs.product("start of an auction", self.is_start().lc(), time).plus(&stays);
            cs.enforce_equal("auction start", new.start(), &start);
            let stays = cs.product("insolvency that stays", &is_kept, old.is_insolvent().lc());
            let is_insolvent = standing.is_insolvent().and(cs, self.is_start());
            let is_insolvent = is_insolvent.lc().plus(&stays);
            cs.enforce_equal("auction is insolvent", new.is_insolvent().lc(), &is_insolvent);
        });
        cs.under(Rule::BidPrice, |cs| {
            // What is counted of a deficit outlasts a bid.
            let is_outlasting = standing.is_insolvent().and(cs, self.is_bid());
            let is_kept = cs.one().minus(&self.is_any()).plus(is_outlasting.lc());
            let stays = cs.product("reserve that stays", &is_kept, old.reserve());
            cs.enforce_equal("auction reserve", new.reserve(), &stays.plus(reserve));
        });
    }
}
