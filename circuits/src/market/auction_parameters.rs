//! Twin of `protocol::market::auction_parameters`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::auction_parameters::{
    AuctionParameters, DUST_BITS, LENGTH_BITS, SHARE_BITS,
};
use zkmargin_protocol::value::units::{PPM, TIME_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_less_than;
use crate::gadgets::division::{Widths, div_floor};
use crate::gadgets::integer::{Uint, ranged};
use crate::value::packing::pack;
use crate::{Cs, Wire};

/// The parameters of auctions: shares of 20 bits in parts per million, lengths of 24 bits in
/// seconds. That they make sense is for those who choose them; a length of zero lets no row with an
/// auction be satisfied.
pub struct AuctionParametersVar {
    /// Share by which buffered margin exceeds maintenance margin.
    pub buffer: Wire,
    /// Price at the start.
    pub discount_start: Wire,
    /// Price after the first part.
    pub discount_fast: Wire,
    /// Fee.
    pub fee: Wire,
    /// Least fraction a bid may ask for.
    pub bid_minimum: Wire,
    /// Length of the first part.
    pub fast: Wire,
    /// Length of the second part.
    pub slow: Wire,
    /// Length without equity.
    pub insolvent: Wire,
    /// Equity below which all may be taken, micro-USDC, 40 bits.
    pub dust: Wire,
}

impl AuctionParametersVar {
    pub(crate) fn external(cs: &mut Cs, parameters: &AuctionParameters) -> Self {
        let mut share = |name, value: u32| ranged(cs, name, value.into(), SHARE_BITS);
        let buffer = share("buffer", parameters.buffer_ppm);
        let discount_start = share("first discount", parameters.discount_start_ppm);
        let discount_fast = share("second discount", parameters.discount_fast_ppm);
        let fee = share("auction fee", parameters.fee_ppm);
        let bid_minimum = share("least bid", parameters.bid_minimum_ppm);
        let mut length = |name, value: u32| ranged(cs, name, value.into(), LENGTH_BITS);
        let fast = length("first part", parameters.fast_s);
        let slow = length("second part", parameters.slow_s);
        let insolvent = length("insolvent part", parameters.insolvent_s);
        let dust = ranged(cs, "dust", parameters.dust_e6, DUST_BITS);
        Self {
            buffer,
            discount_start,
            discount_fast,
            fee,
            bid_minimum,
            fast,
            slow,
            insolvent,
            dust,
        }
    }

    /// buffer (20) ‖ discounts (20, 20) ‖ fee (20) ‖ least bid (20) ‖ lengths (24, 24, 24) ‖ dust
    /// (40).
    pub(crate) fn word(&self) -> Wire {
        pack(&[
            (&self.buffer, SHARE_BITS),
            (&self.discount_start, SHARE_BITS),
            (&self.discount_fast, SHARE_BITS),
            (&self.fee, SHARE_BITS),
            (&self.bid_minimum, SHARE_BITS),
            (&self.fast, LENGTH_BITS),
            (&self.slow, LENGTH_BITS),
            (&self.insolvent, LENGTH_BITS),
            (&self.dust, DUST_BITS),
        ])
    }
}

/// How far an auction has gone.
pub struct ClockVar {
    /// Price of the whole account as a share of its equity, parts per million.
    pub discount: Wire,
    /// Share of maintenance margin paid beside mark value, parts per million.
    pub payout: Wire,
}

impl ClockVar {
    /// Of a row with a bid; the start of the schedule in others. One division serves the schedule
    /// that applies.
    pub fn new(
        cs: &mut Cs,
        is_bid: &Bool<Fr>,
        age: &Wire,
        is_insolvent: &Bool<Fr>,
        parameters: &AuctionParametersVar,
    ) -> Self {
        let age = cs.under(Rule::AuctionPhase, |cs| {
            let age = cs.product("age of an auction", is_bid.lc(), age);
            Uint::range_check(cs, "an auction does not start ahead", &age, TIME_BITS);
            age
        });
        let AuctionParametersVar { discount_start, discount_fast, fast, slow, insolvent, .. } =
            parameters;
        let is_fast = is_less_than(cs, "first part of an auction", &age, fast, TIME_BITS);
        let is_slow = is_fast.or(cs, is_insolvent).not(cs);
        let first = is_fast.select(cs, discount_start, discount_fast);
        let drop = is_fast.select(cs, &discount_start.minus(discount_fast), discount_fast);
        let length = is_fast.select(cs, fast, slow);
        let full = cs.constant(Fr::from(PPM));
        let whole = is_insolvent.select(cs, &full, &drop);
        let length = is_insolvent.select(cs, insolvent, &length);
        let since = age.minus(&cs.product("first part that is over", is_slow.lc(), fast));
        let is_over = is_less_than(cs, "end of an auction", &since, &length, TIME_BITS).not(cs);
        let since = is_over.select(cs, &length, &since);
        let passed = cs.product("share of the time", &whole, &since);
        let widths = Widths { quotient: SHARE_BITS + 1, remainder: LENGTH_BITS };
        let passed = div_floor(cs, "share passed", &passed, &length, widths);
        let payout = cs.product("payout", is_insolvent.lc(), passed.lc());
        Self { discount: first.minus(passed.lc()), payout }
    }
}
