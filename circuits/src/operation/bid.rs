//! Twin of `protocol::operation::bid`: what a bid takes of the account of a two-sided row, and
//! pays.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::standing::SHORTFALL_BITS;
use zkmargin_protocol::market::auction_parameters::SHARE_BITS;
use zkmargin_protocol::operation::bid::Fill;
use zkmargin_protocol::value::units::{ACCOUNT_BITS, CASH_BITS, PPM};

use crate::account::auction::AuctionVar;
use crate::account::auction_step::AuctionStepVar;
use crate::account::standing::StandingVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_less_than;
use crate::gadgets::division::{Widths, div_floor, enforce_remainder};
use crate::gadgets::integer::{Uint, power_of_two};
use crate::market::auction_parameters::{AuctionParametersVar, ClockVar};
use crate::value::packing::pack;

use crate::account::positions::SlotVar;
use crate::{Cs, Wire, shifted, sum};

/// Width in bits of a price, sign included.
const BID_PRICE_BITS: u32 = 66;
/// Width in bits of cash taken, sign included: cash before the batch may hold what 32 positions
/// settle to.
const TAKEN_BITS: u32 = 80;

/// What the bidder signed.
pub struct BidVar {
    /// Who bids, 24 bits.
    pub bidder: Wire,
    fraction_min: Wire,
    fraction_max: Wire,
    /// limit + 2^63.
    shifted_limit: Wire,
}

impl BidVar {
    /// Allocates the terms of a bid, nobody's in a row without one; `argument` holds them against
    /// the bidder's request.
    pub fn external(cs: &mut Cs, fill: Option<&Fill>, is_bid: &Bool<Fr>) -> Self {
        let half = 1 << (CASH_BITS - 1);
        let (bidder, min, max, limit) = fill.map_or((0, 0, 0, half), |fill| {
            let bid = &fill.bid;
            let limit = (i128::from(bid.limit) + half as i128) as u128;
            (fill.bidder.get(), bid.fraction_min_ppm, bid.fraction_max_ppm, limit)
        });
        let mut ranged =
            |name, value: u128, bits| Uint::external(cs, name, value, bits).lc().clone();
        let bid = Self {
            bidder: ranged("bidder", bidder.into(), ACCOUNT_BITS),
            fraction_min: ranged("least fraction", min.into(), SHARE_BITS),
            fraction_max: ranged("greatest fraction", max.into(), SHARE_BITS),
            shifted_limit: ranged("bid limit", limit, CASH_BITS),
        };
        bid.enforce_of_bid(cs, is_bid);
        bid
    }

    /// Without a bid there is no bidder and no fraction: who takes the contracts of a forced
    /// reduction is then its counterparty, and nobody else.
    fn enforce_of_bid(&self, cs: &mut Cs, is_bid: &Bool<Fr>) {
        cs.under(Rule::AuctionPhase, |cs| {
            // A sum of ranged numbers is zero only if each is.
            let terms = sum([&self.bidder, &self.fraction_min, &self.fraction_max]);
            let (is_other, zero) = (is_bid.not(cs), cs.zero());
            cs.enforce("a row without a bid names nobody", is_other.lc(), &terms, &zero);
        });
    }

    /// account (24) ‖ least fraction (20) ‖ greatest fraction (20) ‖ limit + 2^63 (64).
    pub fn word(&self, account: &Wire) -> Wire {
        self.packed((account, ACCOUNT_BITS))
    }

    /// What the transcript absorbs: bidder (24) and the terms (104) ‖ `beside`.
    pub fn absorbed(&self, beside: &Wire) -> Wire {
        let width = ACCOUNT_BITS + 2 * SHARE_BITS + CASH_BITS;
        self.packed((&self.bidder, ACCOUNT_BITS)).plus_scaled(beside, power_of_two(width))
    }

    fn packed(&self, first: (&Wire, u32)) -> Wire {
        pack(&[
            first,
            (&self.fraction_min, SHARE_BITS),
            (&self.fraction_max, SHARE_BITS),
            (&self.shifted_limit, CASH_BITS),
        ])
    }
}

/// What is sold of an account; zeros in rows without a bid.
pub struct FillVar {
    /// Fraction taken, parts per million.
    pub fraction: Wire,
    /// Price paid by the bidder, signed.
    pub price: Wire,
    /// Cash taken with the positions, signed.
    pub cash: Wire,
    /// By slot the contracts taken.
    pub shares: Vec<Wire>,
}

/// What may be had of an account in auction; zeros in rows without a bid.
pub struct OfferVar {
    /// Greatest fraction, parts per million.
    pub fraction_max: Wire,
    /// Cash that is not for sale.
    pub reserve: Wire,
    /// Price of the whole in 10^-18 USDC, signed.
    pub whole: Wire,
}

/// What the reserve of the auction leaves for a bid.
pub fn reserve_left(
    cs: &mut Cs,
    is_bid: &Bool<Fr>,
    old: &AuctionVar,
    standing: &StandingVar,
) -> Wire {
    let is_left = is_less_than(cs, "reserve is left", &old.reserve, &standing.equity, CASH_BITS);
    let is_left = is_left.and(cs, is_bid);
    cs.product("reserve left", is_left.lc(), &old.reserve)
}

impl OfferVar {
    /// `covering` is the fraction that covers buffered margin of a solvent account.
    pub fn new(
        cs: &mut Cs,
        is_bid: &Bool<Fr>,
        standing: &StandingVar,
        (clock, covering): (&ClockVar, &Wire),
        (reserve, dust): (&Wire, &Wire),
    ) -> Self {
        let ppm = Fr::from(PPM);
        let is_dust = is_less_than(cs, "less than the dust", &standing.equity, dust, CASH_BITS);
        // No equity is less than the dust, but the dust may be nothing.
        let is_whole = is_dust.or(cs, &standing.is_insolvent);
        let full = cs.constant(ppm);
        let fraction_max = is_whole.select(cs, &full, covering);
        let sold = standing.equity.minus(reserve);
        let sale = cs.product("price of a solvent account", &sold, &clock.discount).scaled(ppm);
        let paid = cs.product("margin paid out", &standing.maintenance, &clock.payout);
        let payout = standing.equity.scaled(ppm * ppm).minus(&paid);
        let whole = standing.is_insolvent.select(cs, &payout, &sale);
        let whole = cs.product("price of the whole", is_bid.lc(), &whole);
        Self { fraction_max, reserve: reserve.clone(), whole }
    }
}

impl FillVar {
    /// The fraction is the one asked for, at most what may be had; price and cash follow from it.
    pub fn new(
        cs: &mut Cs,
        step: &AuctionStepVar,
        (bid, offer): (&BidVar, &OfferVar),
        opening_cash: &Wire,
        parameters: &AuctionParametersVar,
    ) -> Self {
        let is_bid = &step.is_bid;
        let fraction = bid.fraction(cs, is_bid, offer, parameters);
        let price = cs.under(Rule::BidPrice, |cs| {
            let million = Fr::from(PPM);
            let limit = shifted(cs, &bid.shifted_limit, -power_of_two::<Fr>(CASH_BITS - 1));
            let room = limit.scaled(million * million).minus(&offer.whole);
            let room = cs.product("room below the limit", is_bid.lc(), &room);
            Uint::range_check(cs, "price is within the limit", &room, SHORTFALL_BITS + 4);
            let due = cs.product("price due", &fraction, &offer.whole).negated();
            let divisor = cs.constant(million * million * million);
            let widths = Widths { quotient: BID_PRICE_BITS, remainder: 3 * SHARE_BITS };
            div_floor(cs, "price is rounded up", &due, &divisor, widths).lc().negated()
        });
        let cash = cs.under(Rule::BidShare, |cs| {
            let taken = opening_cash.minus(&offer.reserve);
            let taken = cs.product("cash in parts", &taken, &fraction);
            let divisor = cs.constant(Fr::from(PPM));
            let widths = Widths { quotient: TAKEN_BITS, remainder: SHARE_BITS };
            div_floor(cs, "cash is rounded down", &taken, &divisor, widths).lc().clone()
        });
        Self { fraction, price, cash, shares: Vec::new() }
    }

    /// Of every slot the same fraction is taken, rounded down; `kept` is what is left of each.
    pub fn take_shares(
        &mut self,
        cs: &mut Cs,
        is_bid: &Bool<Fr>,
        slots: &[SlotVar],
        kept: &[Wire],
    ) {
        cs.under(Rule::BidShare, |cs| {
            let ppm = Fr::from(PPM);
            let divisor = cs.constant(ppm);
            for (slot, kept) in slots.iter().zip(kept) {
                let share = cs.product("share taken", is_bid.lc(), &slot.quantity.minus(kept));
                let parts = cs.product("position in parts", &slot.quantity, &self.fraction);
                let rest = parts.minus(&share.scaled(ppm));
                enforce_remainder(cs, "share is rounded down", &rest, &divisor, SHARE_BITS);
                self.shares.push(share);
            }
        });
    }
}

impl BidVar {
    /// The fraction taken: the greatest asked for, or what may be had if that is less; 0 without a
    /// bid.
    fn fraction(
        &self,
        cs: &mut Cs,
        is_bid: &Bool<Fr>,
        offer: &OfferVar,
        parameters: &AuctionParametersVar,
    ) -> Wire {
        cs.under(Rule::BidFraction, |cs| {
            let (had, asked) = (&offer.fraction_max, &self.fraction_max);
            let is_limited = is_less_than(cs, "less is to be had", had, asked, SHARE_BITS + 1);
            let fraction = is_limited.select(cs, had, asked);
            let full = cs.constant(Fr::from(PPM));
            for (what, room) in [
                ("no more than all", full.minus(asked)),
                ("not below the least bid", asked.minus(&parameters.bid_minimum)),
                ("not below what is accepted", fraction.minus(&self.fraction_min)),
            ] {
                let room = cs.product("room of a fraction", is_bid.lc(), &room);
                Uint::range_check(cs, what, &room, SHARE_BITS + 1);
            }
            cs.product("fraction of a bid", is_bid.lc(), &fraction)
        })
    }
}
