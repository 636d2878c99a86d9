use super::super::world::{price, rule_of, time};
use zkmargin_fixtures::build::domain;
use zkmargin_fixtures::keys::{oracle_keys, oracle_set};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::oracle::ORACLE_SIGNERS;
use zkmargin_protocol::market::settlement_price::{
    IndexSample, SettlementParameters, SettlementWindow, SignedSample,
};
use zkmargin_protocol::pricing::black76::PRICE_UNITS;
use zkmargin_protocol::value::units::{Time, Underlying};

pub const RULE: Rule = Rule::SettlementSample;

/// A round expiry.
pub const EXPIRY_S: u64 = 1_770_019_200;

pub fn underlying(index: u8) -> Underlying {
    Underlying::new(index).expect("4 bits")
}

/// A window of half an hour with a place a minute.
pub fn window() -> SettlementWindow {
    let parameters = SettlementParameters::reference();
    SettlementWindow::new(underlying(1), time(EXPIRY_S), parameters).expect("parameters that fit")
}

pub fn sample(seconds: u64, index_e3: u32) -> IndexSample {
    IndexSample {
        underlying: underlying(1),
        time: time(seconds),
        price: price(index_e3),
        units_per_usdc: PRICE_UNITS,
    }
}

/// Signed by members 0, 2 and 3.
pub fn signed(sample: IndexSample) -> SignedSample {
    let keys = oracle_keys();
    let hash = sample.hash(domain());
    let signatures = std::array::from_fn(|k| [0, 2, 3].contains(&k).then(|| keys[k].sign(hash)));
    SignedSample { sample, signatures }
}

fn take(window: &mut SettlementWindow, signed: &SignedSample) -> Option<Rule> {
    rule_of(window.take(signed, domain(), &oracle_set()))
}

fn taken(sample: IndexSample) -> Option<Rule> {
    take(&mut window(), &signed(sample))
}

#[test]
fn accepts_places_of_the_window_and_rejects_settlement_sample_outside() {
    for (seconds, is_place) in [
        (EXPIRY_S - 1_860, false),
        (EXPIRY_S - 1_800, false),
        (EXPIRY_S - 1_740, true),
        (EXPIRY_S - 1_739, false),
        (EXPIRY_S - 901, false),
        (EXPIRY_S - 900, true),
        (EXPIRY_S - 60, true),
        (EXPIRY_S - 1, false),
        (EXPIRY_S, true),
        (EXPIRY_S + 1, false),
        (EXPIRY_S + 60, false),
        (0, false),
        (Time::MAX.get(), false),
    ] {
        assert_eq!(taken(sample(seconds, 90_000_000)), (!is_place).then_some(RULE), "{seconds}");
    }
}

#[test]
fn rejects_settlement_sample_of_a_place_taken_before() {
    let mut window = window();
    let first = signed(sample(EXPIRY_S, 90_000_000));
    assert_eq!(take(&mut window, &first), None);
    assert_eq!(take(&mut window, &first), Some(RULE), "the same");
    let other = signed(sample(EXPIRY_S, 90_000_001));
    assert_eq!(take(&mut window, &other), Some(RULE), "another index");
    assert_eq!(take(&mut window, &signed(sample(EXPIRY_S - 60, 90_000_000))), None);
}

#[test]
fn rejects_settlement_sample_of_another_underlying_unit_or_of_zero() {
    let fair = sample(EXPIRY_S, 90_000_000);
    assert_eq!(taken(fair), None);
    assert_eq!(taken(IndexSample { underlying: underlying(2), ..fair }), Some(RULE));
    // Decimals are part of what is signed: the same number in cents or micro-USDC is another
    // message.
    for units_per_usdc in [0, 1, 100, 999, 1_001, 1_000_000, u32::MAX] {
        assert_eq!(taken(IndexSample { units_per_usdc, ..fair }), Some(RULE), "{units_per_usdc}");
    }
    assert_eq!(taken(sample(EXPIRY_S, 0)), Some(RULE));
    assert_eq!(taken(sample(EXPIRY_S, 1)), None);
    let mut relabelled = signed(IndexSample { units_per_usdc: 1_000_000, ..fair });
    relabelled.sample.units_per_usdc = PRICE_UNITS;
    assert_eq!(take(&mut window(), &relabelled), Some(Rule::OracleQuorum));
}

#[test]
fn rejects_oracle_quorum_of_samples_too_few_signed_or_for_another_domain() {
    let fair = signed(sample(EXPIRY_S, 90_000_000));
    for missing in [0, 2, 3] {
        let mut few = fair.clone();
        few.signatures[missing] = None;
        assert_eq!(take(&mut window(), &few), Some(Rule::OracleQuorum), "member {missing}");
    }
    let mut copied = fair.clone();
    [copied.signatures[0], copied.signatures[1]] = [None, fair.signatures[0]];
    assert_eq!(take(&mut window(), &copied), Some(Rule::OracleQuorum));
    assert!(fair.signatures.len() == ORACLE_SIGNERS);
    let elsewhere = window().take(&fair, domain() + domain(), &oracle_set());
    assert_eq!(rule_of(elsewhere), Some(Rule::OracleQuorum));
}
