//! Curve and signatures against circomlib's outputs, and every known way to forge or rename a
//! signature.

mod vectors;

use std::str::FromStr;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField};
use num_bigint::BigUint;
use proptest::prelude::*;
use serde_json::{Value, json};
use vectors::{field, fixture, list, shared};
use zkmargin_protocol::crypto::babyjubjub::{BASE8, Point, SUBGROUP_ORDER, Scalar};
use zkmargin_protocol::crypto::eddsa::{PublicKey, SecretKey, Signature, challenge, verify};
use zkmargin_protocol::value::decimal;
use zkmargin_protocol::{Reject, Rule};

fn point(value: &Value) -> Point {
    Point { x: field(&value[0]), y: field(&value[1]) }
}

fn integer(value: &Value) -> BigInt<4> {
    BigInt::try_from(BigUint::from_str(value.as_str().unwrap()).unwrap()).unwrap()
}

/// The generator of the whole group, of order 8·l.
fn generator() -> Point {
    point(&fixture("babyjubjub.json")["membership"][3]["point"])
}

/// The eight points whose order divides eight.
fn small_order_points() -> Vec<Point> {
    let torsion = generator().mul(SUBGROUP_ORDER);
    (0..8u64).map(|k| torsion.mul(BigInt::from(k))).collect()
}

/// Parses and verifies a vector `{key, message, r8, s}`, part by part, so that the rule can be
/// asked.
fn verdict(vector: &Value) -> Result<(), Reject> {
    let parse = |value: &Value| decimal::parse(Rule::Range, "vector", value.as_str().unwrap());
    let key = PublicKey::new(parse(&vector["key"][0])?, parse(&vector["key"][1])?)?;
    let r8 = Point { x: parse(&vector["r8"][0])?, y: parse(&vector["r8"][1])? };
    let s = match BigUint::from_str(vector["s"].as_str().unwrap()) {
        Ok(s) => BigInt::try_from(s).unwrap(),
        Err(error) => return Err(Reject::new(Rule::Signature, "S", error)),
    };
    verify(&key, parse(&vector["message"])?, &Signature { r8, s })
}

/// The same through JSON, as it comes from outside.
fn json_verdict(vector: &Value) -> Result<(), String> {
    let key: PublicKey =
        serde_json::from_value(vector["key"].clone()).map_err(|error| error.to_string())?;
    let signature = json!({"r8": vector["r8"], "s": vector["s"]});
    let signature: Signature =
        serde_json::from_value(signature).map_err(|error| error.to_string())?;
    let message = vector["message"].as_str().unwrap();
    let message =
        decimal::parse(Rule::Range, "message", message).map_err(|error| error.to_string())?;
    verify(&key, message, &signature).map_err(|error| error.to_string())
}

fn renamed(vector: &Value) -> Value {
    json!({
        "key": vector["public_key"], "message": vector["message"],
        "r8": vector["R8"], "s": vector["S"],
    })
}

/// The rule that has to refuse a vector of the published invalid set.
fn expected_rule(why: &str) -> Rule {
    match why {
        "pk negated" => Rule::Signature,
        _ if why.starts_with("pk") => Rule::KeyValid,
        _ if why.starts_with("message+r") || why.starts_with("R8x+r") => Rule::Range,
        _ => Rule::Signature,
    }
}

fn check_membership(cases: &[Value]) {
    for case in cases {
        let point = point(&case["point"]);
        assert_eq!(point.is_on_curve(), case["in_curve"].as_bool().unwrap(), "{case}");
        let in_subgroup = case["in_subgroup"].as_bool().unwrap_or(false);
        assert_eq!(point.is_in_prime_subgroup(), in_subgroup, "{case}");
    }
}

#[test]
fn curve_agrees_with_checked_in_vectors() {
    let file = fixture("babyjubjub.json");
    check_membership(list(&file["membership"]));
    for case in list(&file["multiples"]) {
        let (a, b) = (BASE8.mul(integer(&case["a"])), BASE8.mul(integer(&case["b"])));
        assert_eq!(a, point(&case["a_base8"]));
        assert_eq!(b, point(&case["b_base8"]));
        assert_eq!(a.add(&b), point(&case["sum"]));
    }
}

#[test]
fn curve_agrees_with_published_vectors() {
    let Some(file) = shared("babyjubjub_points.json") else { return };
    let constants = &file["constants"];
    assert_eq!(integer(&constants["subgroup_order_l"]), SUBGROUP_ORDER);
    assert_eq!(point(&constants["base8"]), BASE8);
    assert_eq!(point(&constants["generator"]), generator());
    check_membership(list(&file["membership"]));
    for case in list(&file["ops"]) {
        let a = point(&case["a"]);
        let result = match case["op"].as_str().unwrap() {
            "add" => a.add(&point(&case["b"])),
            "mul" => a.mul(integer(&case["e"])),
            op => panic!("unknown operation {op}"),
        };
        assert_eq!(result, point(&case["c"]), "{case}");
    }
    for case in list(&file["base8_multiples"]) {
        let (a, b) = (BASE8.mul(integer(&case["a_scalar"])), BASE8.mul(integer(&case["b_scalar"])));
        assert_eq!((a, b), (point(&case["aB8"]), point(&case["bB8"])));
        assert_eq!(a.add(&b), point(&case["sum"]));
    }
}

#[test]
fn base_point_and_torsion() {
    assert_eq!(generator().mul(BigInt::from(8u64)), BASE8);
    assert_eq!(BASE8.mul(SUBGROUP_ORDER), Point::IDENTITY);
    assert_eq!(BASE8.add(&BASE8.neg()), Point::IDENTITY);
    let small = small_order_points();
    for (i, point) in small.iter().enumerate() {
        assert!(point.is_on_curve() && !small[..i].contains(point));
        assert_eq!(point.is_in_prime_subgroup(), *point == Point::IDENTITY);
        assert!(!BASE8.add(point).is_in_prime_subgroup() || i == 0);
    }
}

#[test]
fn addition_law_is_complete() {
    // Bernstein and Lange: a a square, d none.
    assert!(Fr::from(168_700).legendre().is_qr());
    assert!(Fr::from(168_696).legendre().is_qnr());
}

#[test]
fn arithmetic_off_the_curve_does_not_panic() {
    let elements = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(2), Fr::from(168_700)];
    for x in elements {
        for y in elements {
            let point = Point { x, y };
            let _ = (point.add(&point), point.mul(SUBGROUP_ORDER), point.is_in_prime_subgroup());
        }
    }
}

#[test]
fn accepts_checked_in_signatures() {
    let file = fixture("eddsa.json");
    assert_eq!(list(&file["accepted"]).len(), 4);
    for vector in list(&file["accepted"]) {
        assert_eq!(verdict(vector), Ok(()));
        assert_eq!(json_verdict(vector), Ok(()));
    }
}

#[test]
fn rejects_checked_in_forgeries_by_their_rule() {
    let file = fixture("eddsa.json");
    assert_eq!(list(&file["refused"]).len(), 12);
    for vector in list(&file["refused"]) {
        let rule: Rule = serde_json::from_value(vector["rule"].clone()).unwrap();
        assert_eq!(verdict(vector).unwrap_err().rule, rule, "{}", vector["why"]);
        assert!(json_verdict(vector).is_err(), "{}", vector["why"]);
    }
}

#[test]
fn accepts_published_signatures() {
    let Some(file) = shared("eddsa_poseidon.json") else { return };
    let vectors = list(&file["vectors"]);
    assert_eq!(vectors.len(), 21);
    for vector in vectors {
        assert_eq!(verdict(&renamed(vector)), Ok(()), "{vector}");
        assert_eq!(json_verdict(&renamed(vector)), Ok(()), "{vector}");
        let key = PublicKey::try_from(point(&vector["public_key"])).unwrap();
        let challenge = challenge(&key, field(&vector["message"]), &point(&vector["R8"]));
        assert_eq!(challenge, field(&vector["challenge"]));
    }
}

#[test]
fn rejects_published_forgeries_by_their_rule() {
    let Some(file) = shared("eddsa_poseidon_invalid.json") else { return };
    let vectors = list(&file["vectors"]);
    assert_eq!(vectors.len(), 20);
    for vector in vectors {
        let why = vector["why"].as_str().unwrap();
        assert_eq!(verdict(&renamed(vector)).unwrap_err().rule, expected_rule(why), "{why}");
        assert!(json_verdict(&renamed(vector)).is_err(), "{why}");
    }
}

#[test]
fn rejects_key_valid_of_small_order_and_torsion() {
    let key = SecretKey::from_seed(&[7; 32]).public().point();
    for torsion in small_order_points() {
        let rule = PublicKey::try_from(torsion).unwrap_err().rule;
        assert_eq!(rule, Rule::KeyValid);
        let shifted = PublicKey::try_from(key.add(&torsion));
        assert_eq!(shifted.is_ok(), torsion == Point::IDENTITY);
    }
}

#[test]
fn rejects_signature_renamed() {
    let secret = SecretKey::from_seed(&[1; 32]);
    let message = Fr::from(42);
    let signature = secret.sign(message);
    let key = secret.public();
    assert_eq!(verify(&key, message, &signature), Ok(()));
    let rejects = |forged: Signature| {
        assert_eq!(verify(&key, message, &forged).unwrap_err().rule, Rule::Signature, "{forged:?}");
    };
    let mut s = signature.s;
    for _ in 0..3 {
        s.add_with_carry(&SUBGROUP_ORDER);
        rejects(Signature { s, ..signature });
    }
    rejects(Signature { s: SUBGROUP_ORDER, ..signature });
    rejects(Signature { s: BigInt::new([u64::MAX; 4]), ..signature });
    rejects(Signature { r8: signature.r8.neg(), ..signature });
    rejects(Signature { r8: Point { x: Fr::ONE, y: Fr::ONE }, ..signature });
    for torsion in &small_order_points()[1..] {
        rejects(Signature { r8: signature.r8.add(torsion), ..signature });
    }
    let negated = -Scalar::from_bigint(signature.s).unwrap();
    rejects(Signature { s: negated.into_bigint(), r8: signature.r8.neg() });
}

#[test]
fn rejects_signature_with_r8_off_the_curve_before_any_arithmetic() {
    let secret = SecretKey::from_seed(&[6; 32]);
    let mut signature = secret.sign(Fr::ONE);
    signature.r8.x += Fr::ONE;
    let refused = verify(&secret.public(), Fr::ONE, &signature).unwrap_err();
    assert_eq!((refused.rule, refused.what), (Rule::Signature, "R8 of the signature"));
    let encoded = serde_json::to_value(signature).unwrap();
    let error = serde_json::from_value::<Signature>(encoded).unwrap_err();
    assert!(error.to_string().contains("R8 of the signature"), "{error}");
}

#[test]
fn rejects_signature_of_another_message_or_key() {
    let secret = SecretKey::from_seed(&[2; 32]);
    let signature = secret.sign(Fr::ZERO);
    let other = SecretKey::from_seed(&[3; 32]).public();
    assert_eq!(verify(&secret.public(), Fr::ZERO, &signature), Ok(()));
    let refused = verify(&secret.public(), Fr::ONE, &signature).unwrap_err();
    assert_eq!(refused.rule, Rule::Signature);
    assert_eq!(verify(&other, Fr::ZERO, &signature).unwrap_err().rule, Rule::Signature);
}

#[test]
fn rejects_json_with_more_or_fewer_parts() {
    let signature = SecretKey::from_seed(&[4; 32]).sign(Fr::ONE);
    let good = serde_json::to_value(signature).unwrap();
    assert_eq!(serde_json::from_value::<Signature>(good.clone()).unwrap(), signature);
    let mut more = good.clone();
    more["t"] = json!("0");
    let mut fewer = good.clone();
    fewer["r8"].as_array_mut().unwrap().pop();
    let mut longer = good;
    longer["r8"].as_array_mut().unwrap().push(json!("0"));
    for bad in [more, fewer, longer, json!({}), json!(null)] {
        assert!(serde_json::from_value::<Signature>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn secret_key_is_not_printed() {
    let secret = SecretKey::from_seed(&[5; 32]);
    let public = secret.public();
    let expected = format!("SecretKey {{ public: {public:?}, .. }}");
    assert_eq!(format!("{secret:?}"), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn accepts_own_signatures(seed in any::<[u8; 32]>(), message in any::<[u64; 4]>()) {
        let message = message.iter().fold(Fr::ZERO, |sum, limb| {
            sum * Fr::from(u64::MAX) + Fr::from(*limb)
        });
        let secret = SecretKey::from_seed(&seed);
        let signature = secret.sign(message);
        prop_assert_eq!(verify(&secret.public(), message, &signature), Ok(()));
        prop_assert_eq!(signature, SecretKey::from_seed(&seed).sign(message));
        prop_assert_ne!(signature.r8, secret.sign(message + Fr::ONE).r8);
        let key = secret.public().point();
        prop_assert_eq!(PublicKey::new(key.x, key.y), Ok(secret.public()));
    }
}
