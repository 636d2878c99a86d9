//! Twin of `protocol::parameters`.

use zkmargin_protocol::Rule;
use zkmargin_protocol::auction::{AuctionParameters, DUST_BITS, LENGTH_BITS, SHARE_BITS};
use zkmargin_protocol::domain::Tag;
use zkmargin_protocol::parameters::{AGE_BITS, BatchParameters, FACTOR_BITS};

use crate::gadgets::integer::Uint;
use crate::gadgets::poseidon;
use crate::packing::pack;
use crate::{Cs, Wire};

/// The parameters the circuit reads.
pub struct ParametersVar {
    /// Initial margin factor, parts per million, 24 bits.
    pub initial_factor_ppm: Wire,
    /// Maintenance margin factor, parts per million, 24 bits.
    pub maintenance_factor_ppm: Wire,
    /// Greatest age of the oracle's time, seconds, 32 bits.
    pub oracle_max_age: Wire,
    /// Greatest lead of the oracle's time, seconds, 32 bits.
    pub oracle_skew: Wire,
    /// How accounts below maintenance margin are sold.
    pub auction: AuctionParametersVar,
}

/// The parameters of auctions: shares of 20 bits in parts per million, lengths of 24 bits in seconds. That they make sense
/// is for those who choose them; a length of zero lets no row with an auction be satisfied.
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

fn ranged(cs: &mut Cs, name: &'static str, value: u64, bits: u32) -> Wire {
    Uint::external(cs, name, value.into(), bits).lc().clone()
}

impl ParametersVar {
    /// Opens the parameters whose hash is `committed`.
    pub fn open(cs: &mut Cs, parameters: &BatchParameters, committed: &Wire) -> Self {
        let BatchParameters { initial_factor_ppm, maintenance_factor_ppm, .. } = parameters;
        let initial = ranged(cs, "initial factor", (*initial_factor_ppm).into(), FACTOR_BITS);
        let maintenance =
            ranged(cs, "maintenance factor", (*maintenance_factor_ppm).into(), FACTOR_BITS);
        let max_age = ranged(cs, "oracle age limit", parameters.oracle_max_age_s.into(), AGE_BITS);
        let skew = ranged(cs, "oracle skew limit", parameters.oracle_skew_s.into(), AGE_BITS);
        let auction = AuctionParametersVar::external(cs, &parameters.auction);
        let rest = cs.external("other parameters", parameters.rest);
        let packed = pack(&[
            (&initial, FACTOR_BITS),
            (&maintenance, FACTOR_BITS),
            (&max_age, AGE_BITS),
            (&skew, AGE_BITS),
        ]);
        let tag = cs.constant(Tag::Parameters.field());
        let hash = poseidon::hash(cs, &[tag, packed, auction.word(), rest]);
        cs.under(Rule::Statement, |cs| {
            cs.enforce_equal("parameters are those of the header", &hash, committed);
        });
        Self {
            initial_factor_ppm: initial,
            maintenance_factor_ppm: maintenance,
            oracle_max_age: max_age,
            oracle_skew: skew,
            auction,
        }
    }
}

impl AuctionParametersVar {
    fn external(cs: &mut Cs, parameters: &AuctionParameters) -> Self {
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

    /// buffer (20) ‖ discounts (20, 20) ‖ fee (20) ‖ least bid (20) ‖ lengths (24, 24, 24) ‖ dust (40).
    fn word(&self) -> Wire {
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
