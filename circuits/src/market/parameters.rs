//! Twin of `protocol::market::parameters`.

use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::market::parameters::{AGE_BITS, BatchParameters, FACTOR_BITS, NUMBERS};
use zkmargin_protocol::value::units::{PENALTY_BITS, TIME_BITS};

use crate::Cs;
use crate::crypto::poseidon;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::integer::{Uint, ranged};
use crate::market::auction_parameters::AuctionParametersVar;
use crate::market::fee_schedule::FeeScheduleVar;
use crate::value::header::HeaderVar;
use crate::value::packing::pack_as;

/// The parameters the circuit reads.
#[derive(Getters)]
pub struct ParametersVar {
    /// Initial margin factor, parts per million.
    initial_factor_ppm: Uint,
    /// Maintenance margin factor, parts per million.
    maintenance_factor_ppm: Uint,
    /// Greatest age of the oracle's time, seconds.
    oracle_max_age: Uint,
    /// Greatest lead of the oracle's time, seconds.
    oracle_skew: Uint,
    /// First second at which a batch may be proven under them.
    effective: Uint,
    /// Penalty of a forced reduction, parts per million of the forward.
    forced_penalty_ppm: Uint,
    /// Whether the batch before was proven under others.
    is_changed: Bool,
    /// How accounts below maintenance margin are sold.
    auction: AuctionParametersVar,
    /// What a trade may cost.
    fees: FeeScheduleVar,
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
        let packed =
            pack_as(&NUMBERS, [&initial, &maintenance, &max_age, &skew, &effective, &penalty]);
        let tag = cs.constant(Tag::Parameters.field());
        let words = [packed, auction.word(), fees.word()];
        let [packed, auctions, schedule] = words.each_ref().map(|word| word.lc().clone());
        let hash = poseidon::hash(cs, &[tag, packed, auctions, schedule, rest]);
        cs.under(Rule::Statement, |cs| {
            cs.enforce_equal("parameters are those of the header", &hash, header.parameters());
        });
        let change = header.parameters().minus(header.parameters_before());
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
            let age = header.time().minus(&self.effective);
            Uint::range_check(cs, "parameters are in force", &age, TIME_BITS);
        });
    }
}
