//! Age of the oracle's data, and the quorum.

use rand::Rng;
use zkmargin_circuits::market::oracle::{enforce_age, enforce_order, enforce_quorum};
use zkmargin_circuits::market::parameters::ParametersVar;
use zkmargin_circuits::value::header::HeaderVar;
use zkmargin_fixtures::build::{domain, now, parameters};
use zkmargin_fixtures::keys::{oracle_keys, oracle_set};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::oracle::{Attestation, OracleClock, OracleMessage, OracleSet};
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::value::units::Time;

use super::super::draw::{agree, circuit, header, mostly, native, near, witness};

fn message(time: Time) -> OracleMessage {
    let header = header(domain(), time);
    OracleMessage {
        registry_root: header.registry_root,
        risk_root: header.risk_root,
        epoch: header.epoch,
        time,
        is_outside_band: header.is_outside_band,
    }
}

#[test]
fn agree_on_the_order_of_the_oracle() {
    agree(2_000, &[Rule::OracleOrder], |rng| {
        let last = (1 << 40) - 1;
        let narrow = |number: i128| u64::try_from(number).expect("clamped");
        let (epoch, data) = (near(rng, 77, 0, last), near(rng, 1_770_000_000, 0, last));
        let before = OracleClock {
            epoch: narrow(mostly(rng, epoch, -1, 0, last)),
            time: Time::try_from(mostly(rng, data, -1, 0, last)).expect("clamped"),
        };
        let mut stated = header(domain(), now());
        stated.epoch = narrow(epoch);
        stated.oracle_time = Time::try_from(data).expect("clamped");
        stated.before = before;
        let message = OracleMessage { epoch: stated.epoch, ..message(stated.oracle_time) };
        let mut cs = witness();
        let header = HeaderVar::new(&mut cs, &stated);
        enforce_order(&mut cs, &header);
        [native(message.check_order(before)), circuit(&cs)]
    });
}

#[test]
fn agree_on_the_age_of_the_oracle() {
    agree(2_000, &[Rule::OracleAge], |rng| {
        let most = i128::from(u32::MAX);
        let narrow = |number: i128| u32::try_from(number).expect("clamped");
        let parameters = BatchParameters {
            oracle_max_age_s: narrow(near(rng, 600, 0, most)),
            oracle_skew_s: narrow(near(rng, 5, 0, most)),
            ..parameters()
        };
        let last = i128::from(Time::MAX);
        let now = near(rng, 1_770_000_000, 0, last);
        // Data near the oldest or the newest that the parameters allow.
        let data = if rng.r#gen() {
            mostly(rng, now - i128::from(parameters.oracle_max_age_s), 1, 0, last)
        } else {
            mostly(rng, now + i128::from(parameters.oracle_skew_s), -1, 0, last)
        };
        let [now, data] = [now, data].map(|s| Time::try_from(s).expect("clamped"));
        let mut stated = header(domain(), now);
        stated.oracle_time = data;
        stated.parameters = parameters.hash();
        let mut cs = witness();
        let header = HeaderVar::new(&mut cs, &stated);
        let opened = ParametersVar::open(&mut cs, &parameters, &header);
        enforce_age(&mut cs, &header, &opened);
        [native(message(data).check_age(now, &parameters)), circuit(&cs)]
    });
}

#[test]
fn agree_on_every_set_of_signers_at_every_threshold() {
    let keys = *oracle_set().keys();
    for case in 0..64u8 {
        let (members, is_last_bad) = (case % 32, case >= 32);
        let threshold = case % 5 + 1;
        let set = OracleSet::new(keys, threshold).expect("a threshold");
        let signers = oracle_keys();
        let signing = std::array::from_fn(|k| (members >> k & 1 == 1).then(|| signers[k].clone()));
        let mut attestation = Attestation::sign(message(now()), domain(), &signing);
        if is_last_bad && attestation.signatures[4].is_some() {
            attestation.signatures[4] = Some(signers[0].sign(attestation.message.hash(domain())));
        }
        let mut stated = header(domain(), now());
        stated.signer_set = set.hash();
        let mut cs = witness();
        let header = HeaderVar::new(&mut cs, &stated);
        enforce_quorum(&mut cs, &set, &attestation, &header);
        let expected = native(attestation.check_quorum(domain(), &set));
        assert_eq!(circuit(&cs), expected, "{members:05b} of {threshold}, bad: {is_last_bad}");
        let is_bad = is_last_bad && members >> 4 == 1;
        let is_quorum = members.count_ones() >= u32::from(threshold) && !is_bad;
        assert_eq!(expected, (!is_quorum).then_some(Rule::OracleQuorum));
    }
}
