//! Twin of `protocol::market::parameters`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::market::parameters::{AGE_BITS, BatchParameters, FACTOR_BITS};
use zkmargin_protocol::value::units::{PENALTY_BITS, TIME_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::integer::{Uint, ranged};
use crate::gadgets::poseidon;
use crate::market::auction_parameters::AuctionParametersVar;
use crate::market::fee_schedule::FeeScheduleVar;
use crate::value::header::HeaderVar;
use crate::value::packing::pack;
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
    /// First second at which a batch may be proven under them, 40 bits.
    effective: Wire,
    /// Penalty of a forced reduction, parts per million of the forward, 20 bits.
    pub forced_penalty_ppm: Wire,
    /// Whether the batch before was proven under others.
    pub is_changed: Bool<Fr>,
    /// How accounts below maintenance margin are sold.
    pub auction: AuctionParametersVar,
    /// What a trade may cost.
    pub fees: FeeScheduleVar,
}

impl ParametersVar {
    /// Opens the parameters whose hash is the header's.
    pub fn open(cs: &mut Cs, parameters: &BatchParameters, header: &HeaderVar) -> Self {
        let BatchParameters { initial_factor_ppm, maintenance_factor_ppm, .. } = parameters;
        let initial = ranged(cs, "initial factor", (*initial_factor_ppm).into(), FACTOR_BITS);
        let maintenance =
            ranged(cs, "maintenance factor", (*maintenance_factor_ppm).into(), FACTOR_BITS);
        let max_age = ranged(cs, "oracle age limit", parameters.oracle_max_age_s.into(), AGE_BITS);
        let skew = ranged(cs, "oracle skew limit", parameters.oracle_skew_s.into(), AGE_BITS);
        let effective = ranged(cs, "effective", parameters.effective.get(), TIME_BITS);
        let penalty =
            ranged(cs, "forced penalty", parameters.forced_penalty_ppm.into(), PENALTY_BITS);
        let auction = AuctionParametersVar::external(cs, &parameters.auction);
        let fees = FeeScheduleVar::external(cs, &parameters.fees);
        let rest = cs.external("other parameters", parameters.rest);
        let packed = pack(&[
            (&initial, FACTOR_BITS),
            (&maintenance, FACTOR_BITS),
            (&max_age, AGE_BITS),
            (&skew, AGE_BITS),
            (&effective, TIME_BITS),
            (&penalty, PENALTY_BITS),
        ]);
        let tag = cs.constant(Tag::Parameters.field());
        let hash = poseidon::hash(cs, &[tag, packed, auction.word(), fees.word(), rest]);
        cs.under(Rule::Statement, |cs| {
            cs.enforce_equal("parameters are those of the header", &hash, &header.parameters);
        });
        let change = header.parameters.minus(&header.parameters_before);
        let is_changed = cs.under(Rule::ParameterChange, |cs| is_zero(cs, &change).not(cs));
        Self {
            initial_factor_ppm: initial,
            maintenance_factor_ppm: maintenance,
            oracle_max_age: max_age,
            oracle_skew: skew,
            effective,
            forced_penalty_ppm: penalty,
            is_changed,
            auction,
            fees,
        }
    }

    /// The parameters are in force at the batch's time.
    pub fn enforce_effective(&self, cs: &mut Cs, header: &HeaderVar) {
        cs.under(Rule::ParameterChange, |cs| {
            let age = header.time.minus(&self.effective);
            Uint::range_check(cs, "parameters are in force", &age, TIME_BITS);
        });
    }
}
