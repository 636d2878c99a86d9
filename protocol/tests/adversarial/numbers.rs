//! Numbers with two names, beyond their width, or where a series or a quotient ends.

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use serde_json::Value;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::babyjubjub::SUBGROUP_ORDER;
use zkmargin_protocol::crypto::eddsa::{SecretKey, Signature, verify};
use zkmargin_protocol::pricing::black76::{self, OptionKind, Volatility};
use zkmargin_protocol::pricing::fixed::Fixed;
use zkmargin_protocol::value::decimal;
use zkmargin_protocol::value::units::{Cash, Nonce};

use super::{DAY_S, inputs, price};
use crate::common::fixed_of;

/// A field element has one text.
#[test]
fn rejects_field_elements_with_a_second_name() {
    let Some(inputs) = inputs("proof_input_alias_scalar_field") else { return };
    let parse = |text: &Value| {
        let text = text.as_str().unwrap();
        decimal::parse::<Fr>(Rule::Statement, "word", text)
    };
    let examples = inputs["examples"].as_array().unwrap();
    assert!(examples.len() >= 2);
    for example in examples {
        assert_eq!(parse(&example["x"]).unwrap().to_string(), example["x"].as_str().unwrap());
        assert!(parse(&example["alias"]).is_err(), "{example}");
    }
    // The bound is r, not q, the larger one of the two.
    assert!(parse(&inputs["r"]).is_err() && parse(&inputs["q"]).is_err());
    assert_eq!(inputs["r"].as_str().unwrap(), Fr::MODULUS.to_string());
}

#[test]
fn rejects_signature_with_s_beyond_the_group_order() {
    let Some(inputs) = inputs("eddsa_s_not_canonical") else { return };
    assert_eq!(inputs["l"].as_str().unwrap(), SUBGROUP_ORDER.to_string());
    let secret = SecretKey::from_seed(&[7; 32]);
    let message = Fr::from(2_026);
    let signature = secret.sign(message);
    assert!(verify(&secret.public(), message, &signature).is_ok());
    let (mut s, mut forged) = (signature.s, 0);
    // S + l, S + 2l, … up to 2^256, and l − S for the negative one with R8 kept.
    while !s.add_with_carry(&SUBGROUP_ORDER) {
        let verdict = verify(&secret.public(), message, &Signature { s, ..signature });
        assert_eq!(verdict.unwrap_err().rule, Rule::Signature);
        forged += 1;
    }
    assert!(forged > 40, "{forged}");
    let mut negative: BigInt<4> = SUBGROUP_ORDER;
    negative.sub_with_borrow(&signature.s);
    assert!(verify(&secret.public(), message, &Signature { s: negative, ..signature }).is_err());
}

/// Texts that a comparator without ranges takes for small or negative numbers are no amounts here.
#[test]
fn rejects_range_of_field_sized_amounts() {
    let Some(inputs) = inputs("comparator_overflow_spend") else { return };
    let mut refused = 0;
    for case in inputs["cases"].as_array().unwrap() {
        for name in ["withdraw", "topup", "nonce"] {
            let Some(text) = case[name].as_str() else { continue };
            assert_eq!(Cash::try_from(text.to_owned()).unwrap_err().rule, Rule::Range);
            let nonce = Nonce::try_from(text.to_owned());
            assert_eq!(nonce.unwrap_err().rule, Rule::Range);
            refused += 1;
        }
    }
    assert_eq!(refused, 4);
}

/// Balances have 64 bits, so that no debt comes near a cast's edge; conversions are checked.
#[test]
fn rejects_range_of_debts_that_wrap() {
    let Some(inputs) = inputs("i128_cast_wrap_fee_debt") else { return };
    for name in ["debt", "capital"] {
        let text = inputs[name].as_str().unwrap();
        assert_eq!(Cash::try_from(text.to_owned()).unwrap_err().rule, Rule::Range);
        // 2^127 itself does not fit the type that sums are kept in.
        let amount = text.parse::<i128>().unwrap_or(i128::MAX);
        assert_eq!(Cash::try_from(amount).unwrap_err().rule, Rule::Range);
    }
    // The smallest balance pays no unit more, and its debt is cleared by what is paid in.
    let smallest = i128::from(Cash::MIN);
    assert_eq!(Cash::try_from(smallest - 1).unwrap_err().rule, Rule::Range);
    assert_eq!(Cash::try_from(smallest + i128::from(Cash::MAX) + 1), Cash::new(0));
}

#[test]
fn accepts_normal_distribution_beyond_the_series_of_others() {
    let Some(inputs) = inputs("cdf_overflow_d1_above_2_83") else { return };
    let volatility = fixed_of(&inputs["vol"]);
    let days = inputs["days"].as_u64().unwrap();
    let deviation = black76::deviation(volatility, black76::root_years(days * DAY_S));
    let ratio = fixed_of(&inputs["spot_over_strike"]).units_nearest(1_000_000);
    let log = Fixed::ln_ratio(ratio.try_into().unwrap(), 1_000_000);
    let half = Fixed::ratio_nearest(1, 2);
    let d1 = log.div_nearest(deviation).add(deviation.mul_nearest(half));
    // The case gives an approximate d1.
    let stated = fixed_of(&inputs["d1"]);
    let gap = d1.sub(stated).units_nearest(1_000_000);
    assert!(gap.abs() < 20_000, "{gap}");
    assert_eq!(stated.normal_cdf().units_nearest(100_000), 99_967);
    assert!(d1.normal_cdf() > stated.normal_cdf());
    // Monotone, and within [0, 1], to 40 and beyond.
    let steps = (-400..=400).map(|k| Fixed::ratio_nearest(k, 10).normal_cdf());
    let steps: Vec<_> = steps.collect();
    assert!(steps.is_sorted() && steps[0] >= Fixed::ZERO && steps[800] <= Fixed::ONE);
    assert!(steps[400] == Fixed::ratio_nearest(1, 2));
}

#[test]
fn accepts_intrinsic_value_without_time_or_volatility() {
    let Some(inputs) = inputs("nan_at_zero_rate_or_vol") else { return };
    let cases = inputs["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let [forward, strike] = ["F", "K"].map(|name| case[name].as_u64().unwrap());
        let volatility = fixed_of(&case["vol"]).units_nearest(1_000_000);
        let years = fixed_of(&case["T"]).units_nearest(31_536_000);
        let value = |kind| {
            let volatility = Volatility(u32::try_from(volatility).unwrap());
            let seconds = u64::try_from(years).unwrap();
            black76::price(kind, price(forward), price(strike), volatility, seconds).unwrap()
        };
        let (call, put) = (forward.saturating_sub(strike), strike.saturating_sub(forward));
        assert_eq!(value(OptionKind::Call), price(call), "{case}");
        assert_eq!(value(OptionKind::Put), price(put), "{case}");
    }
}
