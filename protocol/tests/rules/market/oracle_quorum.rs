use super::super::world::{price, rule_of};
use ark_bn254::Fr;
use ark_ff::Field;
use zkmargin_fixtures::build::{domain, now, parameters, risk_rows};
use zkmargin_fixtures::keys::{oracle_keys, oracle_set, signed_table};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::oracle::{Attestation, OracleMessage, OracleSet};
use zkmargin_protocol::market::{Market, SignedRiskTable};

pub const RULE: Rule = Rule::OracleQuorum;

fn table() -> SignedRiskTable {
    signed_table(&risk_rows(2, 1), parameters(), 77, now(), domain()).expect("16-bit indices")
}

/// The table signed by the members of this bit set.
fn signed_by(members: u8) -> SignedRiskTable {
    let mut table = table();
    let keys = oracle_keys();
    let keys = std::array::from_fn(|k| (members >> k & 1 == 1).then(|| keys[k].clone()));
    table.attestation = Attestation::sign(table.attestation.message, domain(), &keys);
    table
}

#[test]
fn accepts_exactly_the_sets_of_at_least_three_members() {
    for members in 0..32u8 {
        let expected = (members.count_ones() < 3).then_some(RULE);
        assert_eq!(rule_of(Market::new(signed_by(members), domain())), expected, "{members:05b}");
    }
}

#[test]
fn accepts_as_many_signatures_as_the_threshold_and_rejects_oracle_quorum_one_fewer() {
    let keys = *oracle_set().keys();
    let message = table().attestation.message;
    for threshold in 1..=5u8 {
        let set = OracleSet::new(keys, threshold).expect("a threshold");
        let signed = |count: u8| signed_by((1 << count) - 1).attestation;
        assert_eq!(signed(threshold).message, message);
        assert_eq!(signed(threshold).check_quorum(domain(), &set), Ok(()));
        let fewer = signed(threshold - 1).check_quorum(domain(), &set);
        assert_eq!(rule_of(fewer), Some(RULE), "{threshold}");
    }
}

#[test]
fn rejects_oracle_quorum_after_any_part_of_the_message_changed() {
    let changes: [fn(&mut OracleMessage); 4] = [
        |m| m.registry_root += Fr::ONE,
        |m| m.risk_root += Fr::ONE,
        |m| m.epoch += 1,
        |m| m.time = zkmargin_protocol::value::units::Time::new(m.time.get() + 1).expect("a time"),
    ];
    for (which, change) in changes.into_iter().enumerate() {
        let mut changed = table();
        change(&mut changed.attestation.message);
        assert_eq!(rule_of(Market::new(changed, domain())), Some(RULE), "part {which}");
    }
    let elsewhere = Market::new(table(), domain() + Fr::ONE);
    assert_eq!(rule_of(elsewhere), Some(RULE), "another domain");
}

#[test]
fn rejects_oracle_quorum_of_rows_that_are_not_those_signed() {
    let mut changed = table();
    changed.rows[0].mark = price(changed.rows[0].mark.get() + 1);
    assert_eq!(rule_of(Market::new(changed, domain())), Some(RULE), "a mark");
    let mut shorter = table();
    shorter.rows.pop();
    assert_eq!(rule_of(Market::new(shorter, domain())), Some(RULE), "a row missing");
}

#[test]
fn rejects_oracle_quorum_of_one_bad_signature_beside_enough_good_ones() {
    let mut table = signed_by(0b1111);
    table.attestation.signatures[3] = table.attestation.signatures[0];
    assert_eq!(rule_of(Market::new(table, domain())), Some(RULE));
}
