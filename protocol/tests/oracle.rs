//! The oracle quorum: who may sign, what is signed, and how old it may be.

use ark_bn254::Fr;
use serde_json::json;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::eddsa::SecretKey;
use zkmargin_protocol::market::oracle::{Attestation, ORACLE_SIGNERS, OracleMessage, OracleSet};
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::value::units::Time;

const THRESHOLD: u8 = 3;
const NOW: u64 = 1_770_000_000;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn set() -> OracleSet {
    OracleSet::new(std::array::from_fn(|k| key(k as u8).public()), THRESHOLD).unwrap()
}

fn message() -> OracleMessage {
    OracleMessage {
        registry_root: Fr::from(11),
        risk_root: Fr::from(22),
        epoch: 33,
        time: Time::new(NOW).unwrap(),
        is_outside_band: false,
    }
}

/// Signed by the members whose bit is set.
fn signed(members: u8) -> Attestation {
    let keys = std::array::from_fn(|k| (members >> k & 1 == 1).then(|| key(k as u8)));
    Attestation::sign(message(), Fr::from(1), &keys)
}

#[test]
fn accepts_exactly_the_quorums() {
    for members in 0u8..1 << ORACLE_SIGNERS {
        let verdict = signed(members).check_quorum(Fr::from(1), &set());
        if members.count_ones() >= u32::from(THRESHOLD) {
            verdict.unwrap();
        } else {
            assert_eq!(verdict.unwrap_err().rule, Rule::OracleQuorum, "{members:05b}");
        }
    }
}

#[test]
fn rejects_oracle_quorum_of_another_message_domain_or_signer() {
    let good = signed(0b10110);
    good.check_quorum(Fr::from(1), &set()).unwrap();
    let refused = |attestation: Attestation, domain: u64| {
        let verdict = attestation.check_quorum(Fr::from(domain), &set());
        assert_eq!(verdict.unwrap_err().rule, Rule::OracleQuorum);
    };
    refused(good.clone(), 2);
    let changes: [fn(&mut OracleMessage); 4] = [
        |message| message.registry_root += Fr::from(1),
        |message| message.risk_root += Fr::from(1),
        |message| message.epoch += 1,
        |message| message.time = Time::new(NOW + 1).unwrap(),
    ];
    for change in changes {
        let mut changed = good.clone();
        change(&mut changed.message);
        refused(changed, 1);
    }
    // A signature in another member's place, and one more that is wrong beside a full quorum.
    let mut moved = good.clone();
    moved.signatures.swap(0, 1);
    refused(moved, 1);
    let mut extra = good.clone();
    extra.signatures[0] = good.signatures[1];
    refused(extra, 1);
}

#[test]
fn rejects_oracle_quorum_of_malformed_sets() {
    let keys = |seeds: [u8; ORACLE_SIGNERS]| seeds.map(|seed| key(seed).public());
    let refused = |set: Result<OracleSet, zkmargin_protocol::Reject>| {
        assert_eq!(set.unwrap_err().rule, Rule::OracleQuorum);
    };
    refused(OracleSet::new(keys([0, 1, 2, 3, 0]), THRESHOLD));
    refused(OracleSet::new(keys([0, 1, 2, 3, 4]), 0));
    refused(OracleSet::new(keys([0, 1, 2, 3, 4]), 6));
    // The same from a file: a repeated key would let one member be a quorum.
    let good = serde_json::to_value(set()).unwrap();
    assert_eq!(serde_json::from_value::<OracleSet>(good.clone()).unwrap(), set());
    for threshold in [0, 6] {
        let mut bad = good.clone();
        bad["threshold"] = json!(threshold);
        assert!(serde_json::from_value::<OracleSet>(bad).is_err());
    }
    let mut bad = good.clone();
    bad["keys"][4] = bad["keys"][0].clone();
    assert!(serde_json::from_value::<OracleSet>(bad).is_err());
}

#[test]
fn set_hash_depends_on_keys_order_and_threshold() {
    let keys: [_; ORACLE_SIGNERS] = std::array::from_fn(|k| key(k as u8).public());
    let mut other = keys;
    other[4] = key(9).public();
    let mut swapped = keys;
    swapped.swap(0, 1);
    let hashes = [(keys, 3), (keys, 2), (other, 3), (swapped, 3)]
        .map(|(keys, threshold)| OracleSet::new(keys, threshold).unwrap().hash());
    for (k, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..k].contains(hash));
    }
}

#[test]
fn rejects_oracle_age_on_both_sides() {
    let parameters: BatchParameters = RiskParameters::reference().batch_parameters(60, 5);
    for (now, is_fresh) in
        [(NOW, true), (NOW + 60, true), (NOW + 61, false), (NOW - 5, true), (NOW - 6, false)]
    {
        let verdict = message().check_age(Time::new(now).unwrap(), &parameters);
        assert_eq!(verdict.is_ok(), is_fresh, "{now}");
        if let Err(reject) = verdict {
            assert_eq!(reject.rule, Rule::OracleAge);
        }
    }
    // Near time zero nothing wraps.
    let early = OracleMessage { time: Time::new(0).unwrap(), ..message() };
    early.check_age(Time::new(3).unwrap(), &parameters).unwrap();
}
