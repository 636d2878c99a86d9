//! Twin of `protocol::market::oracle`.

use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::market::oracle::{Attestation, EPOCH_BITS, ORACLE_SIGNERS, OracleSet};
use zkmargin_protocol::market::parameters::AGE_BITS;
use zkmargin_protocol::value::units::TIME_BITS;

use crate::Cs;
use crate::crypto::eddsa::{self, SignatureVar};
use crate::crypto::poseidon;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::curve::PointVar;
use crate::gadgets::element::Element;
use crate::gadgets::integer::Uint;
use crate::market::parameters::ParametersVar;
use crate::value::header::HeaderVar;

/// Width in bits of a number of signatures.
const COUNT_BITS: u32 = 3;

/// A quorum of the members named in the header signed the header's table.
pub fn enforce_quorum(cs: &mut Cs, set: &OracleSet, attestation: &Attestation, header: &HeaderVar) {
    cs.under(Rule::OracleQuorum, |cs| {
        let threshold = Uint::external(cs, "threshold", set.threshold().into(), COUNT_BITS);
        let keys: Vec<_> = set
            .keys()
            .iter()
            .map(|key| PointVar::external(cs, "oracle key", &key.point()))
            .collect();
        let hash = signer_set(cs, &threshold, &keys);
        cs.enforce_equal("members are those of the header", &hash, header.signer_set());
        let message = message(cs, header);
        let mut count = cs.zero();
        for (key, signature) in keys.iter().zip(&attestation.signatures) {
            let is_signed = Bool::witness(cs, "member signed", signature.is_some());
            let signature = signature.unwrap_or_else(SignatureVar::padding);
            let signature = SignatureVar::external(cs, &signature);
            eddsa::enforce_signature(cs, key, &message, &signature, &is_signed);
            count = count.plus(is_signed.lc());
        }
        let spare = count.minus(threshold.lc());
        Uint::range_check(cs, "enough members signed", &spare, COUNT_BITS);
    });
}

/// Poseidon of tag, threshold and keys.
fn signer_set(cs: &mut Cs, threshold: &Uint, keys: &[PointVar]) -> Element {
    debug_assert_eq!(keys.len(), ORACLE_SIGNERS);
    let mut inputs = vec![cs.constant(Tag::SignerSet.field()), threshold.lc().clone()];
    inputs.extend(keys.iter().flat_map(|key| [key.x.clone(), key.y.clone()]));
    Element::new(poseidon::hash(cs, &inputs))
}

/// Poseidon of tag, domain, registry root, risk root and the header's oracle terms.
fn message(cs: &mut Cs, header: &HeaderVar) -> Element {
    let tag = cs.constant(Tag::Oracle.field());
    let terms = header.oracle_terms(cs);
    let named = [header.domain(), header.registry_root(), header.risk_root()];
    let [domain, registry, risk] = named.map(|element| element.lc().clone());
    Element::new(poseidon::hash(cs, &[tag, domain, registry, risk, terms.lc().clone()]))
}

/// Neither epoch nor time goes back behind the batch before, and an epoch has one time.
pub fn enforce_order(cs: &mut Cs, header: &HeaderVar) {
    cs.under(Rule::OracleOrder, |cs| {
        let epochs = header.epoch().minus(header.epoch_before());
        Uint::range_check(cs, "epoch does not go back", &epochs, EPOCH_BITS);
        let seconds = header.oracle_time().minus(header.oracle_time_before());
        Uint::range_check(cs, "oracle time does not go back", &seconds, TIME_BITS);
        let is_same = is_zero(cs, &epochs);
        let zero = cs.zero();
        cs.enforce("an epoch has one time", is_same.lc(), &seconds, &zero);
    });
}

/// The table's time is neither stale nor ahead at the batch's time.
pub fn enforce_age(cs: &mut Cs, header: &HeaderVar, parameters: &ParametersVar) {
    // A sum of a time and an age; one bit more than either.
    const { assert!(AGE_BITS <= TIME_BITS) };
    cs.under(Rule::OracleAge, |cs| {
        let (time, oracle_time) = (header.time(), header.oracle_time());
        let fresh = oracle_time.plus(parameters.oracle_max_age()).minus(time);
        Uint::range_check(cs, "oracle time is not stale", &fresh, TIME_BITS + 1);
        let behind = time.plus(parameters.oracle_skew()).minus(oracle_time);
        Uint::range_check(cs, "oracle time is not ahead", &behind, TIME_BITS + 1);
    });
}
