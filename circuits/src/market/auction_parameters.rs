//! Twin of `protocol::market::auction_parameters`.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::auction_parameters::{
    AuctionParameters, DUST_BITS, LENGTH_BITS, SHARE_BITS, WORD,
};
use zkmargin_protocol::value::units::{PPM, TIME_BITS};

use crate::Cs;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_less_than;
use crate::gadgets::division::{Widths, div_floor};
use crate::gadgets::integer::{Int, Uint, ranged};
use crate::value::packing::{Packed, pack_as};

/// The parameters of auctions: shares of 20 bits in parts per million, lengths of 24 bits in
/// seconds. That they make sense is for those who choose them; a length of zero lets no row with an
/// auction be satisfied.
#[derive(Getters)]
pub struct AuctionParametersVar {
    /// Share by which buffered margin exceeds maintenance margin.
    buffer: Uint,
    /// Price at the start.
    discount_start: Uint,
    /// Price after the first part.
    discount_fast: Uint,
    /// Fee.
    fee: Uint,
    /// Least fraction a bid may ask for.
    bid_minimum: Uint,
    /// Length of the first part.
    fast: Uint,
    /// Length of the second part.
    slow: Uint,
    /// Length without equity.
    insolvent: Uint,
    /// Equity below which all may be taken, micro-USDC, 40 bits.
    dust: Uint,
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

    /// [`WORD`].
    pub(crate) fn word(&self) -> Uint {
        let parts: [&dyn Packed; 9] = [
            &self.buffer,
            &self.discount_start,
            &self.discount_fast,
            &self.fee,
            &self.bid_minimum,
            &self.fast,
            &self.slow,
            &self.insolvent,
            &self.dust,
        ];
        pack_as(&WORD, parts)
    }
}

/// How far an auction has gone.
#[derive(Getters)]
pub struct ClockVar {
    /// Price of the whole account as a share of its equity, parts per million.
    discount: Uint,
    /// Share of maintenance margin paid besides mark value, parts per million.
    payout: Uint,
}

impl ClockVar {
    /// Of a row with a bid; the start of the schedule in others. One division serves the schedule
    /// that applies.
    pub fn new(
        cs: &mut Cs,
        is_bid: &Bool,
        age: &Int,
        is_insolvent: &Bool,
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
        // What has passed is a part of the whole: 0 at least, and at most the first discount.
        let passed = passed.to_uint_unchecked();
        let discount = Uint::new_unchecked(first.minus(passed.lc()), SHARE_BITS + 1);
        Self { discount, payout: passed.only_if(cs, "payout", is_insolvent) }
    }
}
