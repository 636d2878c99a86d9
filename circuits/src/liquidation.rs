//! What a two-sided row shows of the auction of its account: twin of the auction's steps in `protocol::transition`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::auction::AuctionStep;
use zkmargin_protocol::parameters::PPM;

use crate::account::AccountVar;
use crate::auction::{AuctionStepVar, StandingVar, Step};
use crate::auction_parameters::ClockVar;
use crate::bid::{self, BidVar, FillVar, OfferVar};
use crate::gadgets::boolean::Bool;
use crate::packing::pack;
use crate::parameters::ParametersVar;
use crate::reduction::ReductionVar;
use crate::statement::HeaderVar;
use crate::{Cs, Wire};

/// The auction of one two-sided row.
pub struct LiquidationVar {
    /// Flags.
    pub step: AuctionStepVar,
    /// What the bidder signed.
    pub bid: BidVar,
    /// What is sold.
    pub fill: FillVar,
    /// Cash of the account: price less what is taken and the fee.
    pub cash_of_account: Wire,
    /// Cash of the insurance fund: the fee, and of an account without equity the price, negative.
    pub cash_of_fund: Wire,
    /// Cash of the bidder.
    pub cash_of_bidder: Wire,
}

impl LiquidationVar {
    /// Allocates the step of a row and enforces everything but its legs and its request, which are for `argument`.
    pub fn new(
        cs: &mut Cs,
        input: Option<&AuctionStep>,
        account: &AccountVar,
        reduction: &ReductionVar,
        (parameters, header): (&ParametersVar, &HeaderVar),
    ) -> Self {
        let [old, new] = account.auctions.as_ref().expect("a two-sided row holds its auction");
        let step = AuctionStepVar::new(cs, kind(input), account, old);
        let standing = StandingVar::new(cs, &step, account, &reduction.old_margin, parameters);
        standing.enforce_start(cs, &step, old);
        standing.enforce_end(cs, &step);
        enforce_bid_phase(cs, &step, &standing, old);
        let parameters = &parameters.auction;
        let age = header.time.minus(&old.start);
        let clock = ClockVar::new(cs, &step.is_bid, &age, &standing.is_insolvent, parameters);
        let reserve = bid::reserve_left(cs, &step.is_bid, old, &standing);
        let is_solvent = standing.is_insolvent.not(cs);
        let is_priced = step.is_priced(cs, &is_solvent);
        let full = cs.constant(Fr::from(PPM));
        let discount = step.is_start.select(cs, &full, &clock.discount);
        let fraction = standing.fraction_ceil(cs, &is_priced, &discount, &reserve);
        let fee = standing.fee_floor(cs, &step.is_start, &fraction, parameters);
        let offered = (&clock, &fraction);
        let offer =
            OfferVar::new(cs, &step.is_bid, &standing, offered, (&reserve, &parameters.dust));
        let fill_input = match input {
            Some(AuctionStep::Bid(fill)) => Some(fill),
            _ => None,
        };
        let bid = BidVar::external(cs, fill_input);
        let opening_cash = account.opening_cash();
        let mut fill = FillVar::new(cs, &step, (&bid, &offer), &opening_cash, parameters);
        fill.take_shares(cs, &step.is_bid, &reduction.old_slots, &reduction.kept);
        let to_account = cs.product("price to the account", is_solvent.lc(), &fill.price);
        let bid_reserve = reserve.plus(&to_account);
        step.enforce_result(cs, [old, new], &standing, (&header.time, &bid_reserve));
        Self {
            cash_of_account: to_account.minus(&fill.cash).minus(&fee),
            cash_of_fund: fill.price.minus(&to_account).plus(&fee),
            cash_of_bidder: fill.cash.minus(&fill.price),
            step,
            bid,
            fill,
        }
    }

    /// The element the transcript absorbs: bidder and terms of the bid ‖ the three flags.
    pub fn absorbed(&self) -> Wire {
        let AuctionStepVar { is_start, is_end, is_bid, .. } = &self.step;
        let flags = pack(&[(is_start.lc(), 1), (is_end.lc(), 1), (is_bid.lc(), 1)]);
        self.bid.absorbed(&flags)
    }
}

fn kind(step: Option<&AuctionStep>) -> Step {
    match step {
        None => Step::None,
        Some(AuctionStep::Start { .. }) => Step::Start,
        Some(AuctionStep::End) => Step::End,
        Some(AuctionStep::Bid(_)) => Step::Bid,
    }
}

/// A bid is for an auction that fits the account's equity, and for an account short of buffered margin.
fn enforce_bid_phase(
    cs: &mut Cs,
    step: &AuctionStepVar,
    standing: &StandingVar,
    old: &crate::auction::AuctionVar,
) {
    let zero = cs.zero();
    let is_bid: &Bool<Fr> = &step.is_bid;
    cs.under(Rule::AuctionPhase, |cs| {
        let has_turned = standing.has_kept_sign(cs, old).not(cs);
        cs.enforce("equity has kept its sign", is_bid.lc(), has_turned.lc(), &zero);
    });
    cs.under(Rule::BidFraction, |cs| {
        let covers = standing.is_short.not(cs);
        cs.enforce("a bid is for a shortfall", is_bid.lc(), covers.lc(), &zero);
    });
}
