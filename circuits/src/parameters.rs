//! Twin of `protocol::parameters`.

use zkmargin_protocol::Rule;
use zkmargin_protocol::domain::Tag;
use zkmargin_protocol::parameters::{AGE_BITS, BatchParameters, FACTOR_BITS};

use crate::auction_parameters::AuctionParametersVar;
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

/// An external number of `bits` bits.
pub(crate) fn ranged(cs: &mut Cs, name: &'static str, value: u64, bits: u32) -> Wire {
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
