//! What a two-sided row shows of the auction of its account: twin of the auction's steps in
//! `protocol::ledger::transition`.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::auction_parameters::SHARE_BITS;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::value::units::PPM;

use crate::account::AccountVar;
use crate::account::auction::{self, AuctionVar};
use crate::account::auction_step::{AuctionStepVar, Step};
use crate::account::margin::MarginVar;
use crate::account::reduction::SideBeforeVar;
use crate::account::standing::StandingVar;
use crate::gadgets::element::Unranged;
use crate::gadgets::integer::{Int, Uint};
use crate::market::auction_parameters::ClockVar;
use crate::market::parameters::ParametersVar;
use crate::operation::bid::BidVar;
use crate::operation::bid::sale::{self, OfferVar, SaleVar};
use crate::value::header::HeaderVar;
use crate::value::packing::pack;
use crate::{Cs, Wire};

/// Both sides of a two-sided row.
pub struct SidesVar<'a> {
    /// The side before the batch.
    pub before: &'a SideBeforeVar,
    /// Claims of margin after the batch.
    pub after: &'a MarginVar,
}

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
}

impl LiquidationVar {
    /// Allocates the step of a row and enforces everything but its legs and its request, which are
    /// for `argument`.
    pub fn new(
        cs: &mut Cs,
        input: Option<&AuctionStep>,
        account: &AccountVar,
        sides: &SidesVar<'_>,
        parameters: &ParametersVar,
        header: &HeaderVar,
    ) -> Self {
        let SidesVar { before, after } = *sides;
        let [old, new] = account.auctions().as_ref().expect("a two-sided row holds its auction");
        let step = AuctionStepVar::new(cs, kind(input), account.is_active(), old.start());
        enforce_frozen(cs, &step, account);
        let (is_stepping, cash) = (step.is_moving(), account.opening_cash());
        let (is_standard, margin) = (account.book().is_standard(), before.margin());
        let standing = StandingVar::new(cs, &is_stepping, &cash, is_standard, margin, parameters);
        old.enforce_start(cs, &step, &standing, account.index(), parameters.is_changed());
        auction::enforce_end(cs, &step, &standing);
        old.enforce_count(cs, &step);
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
        let equity = account.new_cash().plus(after.mark_value());
        let equity = Unranged::new(equity, Rule::MarginMatrix);
        let counted = [old.counted(cs), new.enforce_deficit(cs, &equity)];
        step.enforce_phase(cs, [old, new], &standing, header.time());
        step.enforce_reserve(cs, [old, new], &counted, &reserve.plus(&to_account));
        let [was_counted, is_counted] = counted;
        Self {
            cash_of_account: to_account.sub(sale.cash()).sub(&fee),
            cash_of_fund: sale.price().sub(&to_account).add(&fee),
            deficit_change: is_counted.sub(&was_counted),
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
        Some(AuctionStep::Count) => Step::Count,
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

/// The insurance fund, account 0, signs nothing: what it signed is a multiple of its index. Any
/// number is a multiple of another index.
pub fn enforce_fund_signs_nothing(cs: &mut Cs, account: &AccountVar) {
    cs.under(Rule::Frozen, |cs| {
        let (index, signed) = (account.index(), account.nonces().used_count());
        let ratio = index.value().inverse().map_or(Fr::ZERO, |inverse| inverse * signed.value());
        let ratio = cs.free_hint("what is signed by index", ratio);
        cs.enforce("the insurance fund signs nothing", index, &ratio, &signed);
    });
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
    /// The auction after the batch: it is new, gone, or what it was.
    fn enforce_phase(
        &self,
        cs: &mut Cs,
        [old, new]: [&AuctionVar; 2],
        standing: &StandingVar,
        time: &Uint,
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
    }

    /// What the auction holds after the batch: the deficit `counted`, of one that started without
    /// equity; of another the `reserve` that a bid leaves, or where no step is taken, what it was.
    fn enforce_reserve(
        &self,
        cs: &mut Cs,
        [old, new]: [&AuctionVar; 2],
        [was_counted, is_counted]: &[Uint; 2],
        reserve: &Wire,
    ) {
        cs.under(Rule::BidPrice, |cs| {
            let is_kept = cs.one().minus(&self.is_any());
            let stays = old.reserve().minus(was_counted);
            let stays = cs.product("reserve that stays", &is_kept, &stays);
            let reserve = stays.plus(reserve).plus(is_counted);
            cs.enforce_equal("auction reserve", new.reserve(), &reserve);
        });
    }
}
