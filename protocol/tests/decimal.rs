//! One string for each field element, and no other.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use proptest::prelude::*;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::babyjubjub::Scalar;
use zkmargin_protocol::value::decimal::{self, Decimal};

const MODULUS: &str =
    "21888242871839275222246405745257275088548364400416034343698204186575808495617";
const MODULUS_LESS_ONE: &str =
    "21888242871839275222246405745257275088548364400416034343698204186575808495616";
const ORDER: &str = "2736030358979909402780800718157159386076813972158567259200215660948447373041";

fn parse(text: &str) -> Result<Fr, zkmargin_protocol::Reject> {
    decimal::parse(Rule::Range, "x", text)
}

#[test]
fn accepts_smallest_and_largest() {
    assert_eq!(parse("0"), Ok(Fr::ZERO));
    assert_eq!(parse("10"), Ok(Fr::from(10)));
    assert_eq!(parse(MODULUS_LESS_ONE), Ok(-Fr::ONE));
}

#[test]
fn rejects_range_of_other_spellings() {
    let long = "1".repeat(100_000);
    for text in [
        "", "-0", "-1", "+1", "00", "01", " 1", "1 ", "1\n", "0x1", "1e3", "1_0", "١", "é",
        MODULUS, &long,
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((error.rule, error.what), (Rule::Range, "x"), "{text}");
        assert!(error.value.unwrap().len() < 200, "a refusal does not echo an endless input");
    }
    assert!(decimal::parse::<Scalar>(Rule::Signature, "S", ORDER).is_err());
}

#[test]
fn json_is_a_string() {
    let element: Decimal<Fr> = serde_json::from_str("\"7\"").unwrap();
    assert_eq!(element.0, Fr::from(7));
    assert_eq!(serde_json::to_string(&element).unwrap(), "\"7\"");
    for text in ["7", "null", "\"07\"", "[\"7\"]"] {
        assert!(serde_json::from_str::<Decimal<Fr>>(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn round_trips(limbs in any::<[u64; 4]>()) {
        let shift = Fr::from(2).pow([64]);
        let element = limbs.iter().fold(Fr::ZERO, |sum, limb| sum * shift + Fr::from(*limb));
        prop_assert_eq!(parse(&element.to_string()), Ok(element));
    }
}
