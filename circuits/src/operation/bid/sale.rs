//! What a bid takes of the account of a two-sided row, and pays.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::standing::SHORTFALL_BITS;
use zkmargin_protocol::market::auction_parameters::SHARE_BITS;
use zkmargin_protocol::value::units::{CASH_BITS, PPM, QUANTITY_BITS};

use crate::Cs;
use crate::account::AccountVar;
use crate::account::auction::AuctionVar;
use crate::account::reduction::SideBeforeVar;
use crate::account::standing::StandingVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_less_than;
use crate::gadgets::division::{Widths, div_floor, enforce_remainder};
use crate::gadgets::element::Unranged;
use crate::gadgets::integer::{Int, Uint};
use crate::market::auction_parameters::{AuctionParametersVar, ClockVar};
use crate::operation::bid::BidVar;

/// Width in bits of a price, sign included.
const BID_PRICE_BITS: u32 = 66;
/// Width in bits of cash taken, sign included: cash before the batch may hold what 32 positions
/// settle to.
const TAKEN_BITS: u32 = 80;

/// What may be had of an account in auction; zeros in rows without a bid.
#[derive(Getters)]
pub struct OfferVar {
    /// Greatest fraction, parts per million.
    fraction_max: Int,
    /// Cash that is not for sale.
    reserve: Uint,
    /// Price of the whole in 10^-18 USDC, signed.
    whole: Unranged,
}

/// What the reserve of the auction leaves for a bid.
pub fn reserve_left(cs: &mut Cs, is_bid: &Bool, old: &AuctionVar, standing: &StandingVar) -> Uint {
    let (reserve, equity) = (old.reserve(), standing.equity());
    let is_left = is_less_than(cs, "reserve is left", reserve, equity, CASH_BITS);
    let is_left = is_left.and(cs, is_bid);
    reserve.only_if(cs, "reserve left", &is_left)
}

impl OfferVar {
    /// `covering` is the fraction that covers buffered margin of a solvent account.
    pub fn new(
        cs: &mut Cs,
        is_bid: &Bool,
        standing: &StandingVar,
        clock: &ClockVar,
        covering: &Int,
        reserve: &Uint,
        dust: &Uint,
    ) -> Self {
        let ppm = Fr::from(PPM);
        let (equity, is_insolvent) = (standing.equity(), standing.is_insolvent());
        let is_dust = is_less_than(cs, "less than the dust", equity, dust, CASH_BITS);
        // No equity is less than the dust, but the dust may be nothing.
        let is_whole = is_dust.or(cs, is_insolvent);
        let full = cs.constant(ppm);
        let fraction_max = is_whole.select(cs, &full, covering);
        let sold = equity.minus(reserve);
        let sale = cs.product("price of a solvent account", &sold, clock.discount()).scaled(ppm);
        let paid = cs.product("margin paid out", standing.maintenance(), clock.payout());
        let payout = equity.scaled(ppm * ppm).minus(&paid);
        let whole = is_insolvent.select(cs, &payout, &sale);
        let whole = cs.product("price of the whole", is_bid.lc(), &whole);
        Self {
            // All, which has as many bits, or what covers the margin.
            fraction_max: Int::new_unchecked(fraction_max, covering.bits()),
            reserve: reserve.clone(),
            whole: Unranged::new(whole, Rule::BidPrice),
        }
    }
}

/// What is sold of an account; zeros in rows without a bid.
#[derive(Getters)]
pub struct SaleVar {
    /// Fraction taken, parts per million.
    fraction: Uint,
    /// Price paid by the bidder.
    price: Int,
    /// Cash taken with the positions.
    cash: Int,
    /// By slot the contracts taken.
    shares: Vec<Int>,
}

impl SaleVar {
    /// The fraction is the one asked for, at most what may be had; price, cash and contracts follow
    /// from it. `before` has the slots before the batch and what is kept of each.
    pub fn new(
        cs: &mut Cs,
        is_bid: &Bool,
        bid: &BidVar,
        offer: &OfferVar,
        account: &AccountVar,
        before: &SideBeforeVar,
        parameters: &AuctionParametersVar,
    ) -> Self {
        let fraction = fraction_taken(cs, is_bid, bid, offer, parameters);
        let price = price_ceil(cs, is_bid, bid, offer, &fraction);
        let cash = cash_floor(cs, &account.opening_cash(), offer, &fraction);
        let shares = shares_floor(cs, is_bid, before, &fraction);
        Self { fraction, price, cash, shares }
    }
}

/// The fraction taken: the greatest asked for, or what may be had if that is less; 0 without a
/// bid.
fn fraction_taken(
    cs: &mut Cs,
    is_bid: &Bool,
    bid: &BidVar,
    offer: &OfferVar,
    parameters: &AuctionParametersVar,
) -> Uint {
    cs.under(Rule::BidFraction, |cs| {
        let (had, asked) = (offer.fraction_max(), bid.fraction_max());
        let is_limited = is_less_than(cs, "less is to be had", had, asked, SHARE_BITS + 1);
        let fraction = is_limited.select(cs, had, asked);
        // At most what is asked for, and what may be had is not below zero.
        let fraction = Uint::new_unchecked(fraction, SHARE_BITS);
        let full = cs.constant(Fr::from(PPM));
        for (what, room) in [
            ("no more than all", full.minus(asked)),
            ("not below the least bid", asked.minus(parameters.bid_minimum())),
            ("not below what is accepted", fraction.minus(bid.fraction_min())),
        ] {
            let room = cs.product("room of a fraction", is_bid.lc(), &room);
            Uint::range_check(cs, what, &room, SHARE_BITS + 1);
        }
        fraction.only_if(cs, "fraction of a bid", is_bid)
    })
}

/// The price of the fraction, rounded up; that of the whole is within the bidder's limit.
fn price_ceil(cs: &mut Cs, is_bid: &Bool, bid: &BidVar, offer: &OfferVar, fraction: &Uint) -> Int {
    cs.under(Rule::BidPrice, |cs| {
        let million = Fr::from(PPM);
        let room = bid.limit().scaled(million * million).minus(&offer.whole);
        let room = cs.product("room below the limit", is_bid.lc(), &room);
        Uint::range_check(cs, "price is within the limit", &room, SHORTFALL_BITS + 4);
        let due = cs.product("price due", fraction, &offer.whole).negated();
        let divisor = cs.constant(million * million * million);
        let widths = Widths { quotient: BID_PRICE_BITS, remainder: 3 * SHARE_BITS };
        div_floor(cs, "price is rounded up", &due, &divisor, widths).neg()
    })
}

/// The fraction of the cash that is for sale, rounded down.
fn cash_floor(cs: &mut Cs, opening_cash: &Unranged, offer: &OfferVar, fraction: &Uint) -> Int {
    cs.under(Rule::BidShare, |cs| {
        let taken = opening_cash.minus(&offer.reserve);
        let taken = cs.product("cash in parts", &taken, fraction);
        let divisor = cs.constant(Fr::from(PPM));
        let widths = Widths { quotient: TAKEN_BITS, remainder: SHARE_BITS };
        div_floor(cs, "cash is rounded down", &taken, &divisor, widths).int().clone()
    })
}

/// Of every slot the same fraction, rounded down.
fn shares_floor(cs: &mut Cs, is_bid: &Bool, before: &SideBeforeVar, fraction: &Uint) -> Vec<Int> {
    cs.under(Rule::BidShare, |cs| {
        let ppm = Fr::from(PPM);
        let divisor = cs.constant(ppm);
        let slots = before.slots().iter().zip(before.kept());
        slots
            .map(|(slot, kept)| {
                let share = slot.quantity().minus(kept);
                // What is kept is of the position's sign and no larger.
                let share = Int::new_unchecked(share, QUANTITY_BITS);
                let share = share.only_if(cs, "share taken", is_bid);
                let parts = cs.product("position in parts", slot.quantity(), fraction);
                let rest = parts.minus(&share.scaled(ppm));
                enforce_remainder(cs, "share is rounded down", &rest, &divisor, SHARE_BITS);
                share
            })
            .collect()
    })
}
