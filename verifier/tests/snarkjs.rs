//! Keys and proofs of snarkjs: published triples, and tampered ones which each implementation must
//! refuse.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use zkmargin_verifier::snarkjs::{
    key_json, parse_key, parse_proof, parse_public, proof_json, public_json,
};
use zkmargin_verifier::{KeyPolicy, PreparedKey, Provenance, verify};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/crypto");

fn load(file: &str) -> Option<Value> {
    let path = Path::new(DATA).join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: snarkjs triples of {file} ({DATA} absent)");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// The verdict on a triple, its reason by name.
fn judge(
    key: &Value,
    public: &Value,
    proof: &Value,
    policy: KeyPolicy,
) -> Result<(), &'static str> {
    let key = parse_key(&key.to_string()).map_err(|error| error.name())?.key;
    let key = PreparedKey::new(&key, policy).map_err(|error| error.name())?;
    let public = parse_public(&public.to_string()).map_err(|error| error.name())?;
    let proof = parse_proof(&proof.to_string()).map_err(|error| error.name())?.proof;
    verify(&key, &public, &proof).map_err(|error| error.name())
}

#[test]
fn accepts_every_published_triple() {
    let Some(file) = load("groth16_snarkjs_valid.json") else { return };
    let mut count = 0;
    for group in file["groups"].as_array().unwrap() {
        let unfinished = group["gamma_equals_delta"].as_bool().unwrap();
        for triple in group["triples"].as_array().unwrap() {
            let judge = |policy| judge(&group["vk"], &triple["public"], &triple["proof"], policy);
            assert_eq!(judge(KeyPolicy::AllowUnfinalised), Ok(()), "{}", group["name"]);
            let strict = if unfinished { Err("GammaEqualsDelta") } else { Ok(()) };
            assert_eq!(judge(KeyPolicy::Strict), strict, "{}", group["name"]);
            count += 1;
        }
    }
    assert_eq!(count, 12);
}

#[test]
fn rejects_every_tampered_triple_for_its_reason() {
    let Some(file) = load("groth16_invalid.json") else { return };
    let mut reasons = BTreeMap::new();
    for group in ["small", "big"] {
        for case in file[group].as_array().unwrap() {
            let why = case["why"].as_str().unwrap();
            let key = case.get("vk").unwrap_or(&file[format!("vk_{group}")]);
            let verdict = judge(key, &case["public"], &case["proof"], KeyPolicy::AllowUnfinalised);
            let must_verify = case["must_verify"].as_bool().unwrap();
            assert_eq!(verdict.is_ok(), must_verify, "{group}: {why}: {verdict:?}");
            reasons.insert(format!("{group}: {why}"), verdict.err().unwrap_or("valid"));
        }
    }
    let expected = |why: &str| match why {
        "A x+q (not canonical base field)" => "NonCanonicalCoordinate",
        "public[0]+r (alias, not canonical)" | "public[0] = r" => "NonCanonicalScalar",
        "A off curve" | "B coordinates swapped (c0,c1 order)" => "NotOnCurve",
        "A = infinity" | "all zero proof" => "IdentityPoint",
        "missing public input" | "extra public input 0" => "InputCount",
        "malleated: (-A, -B, C) is a valid proof of the same statement" => "valid",
        _ => "PairingFailed",
    };
    for (case, reason) in &reasons {
        let (_, why) = case.split_once(": ").unwrap();
        assert_eq!(*reason, expected(why), "{case}");
    }
    assert_eq!(reasons.len(), 30);
}

/// A public input has one name: values of r and more are refused as they are, below q too.
#[test]
fn rejects_the_recorded_aliases_of_public_inputs() {
    let path = Path::new(DATA).join("../margin/adversarial_cases.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: margin/adversarial_cases.json ({DATA} absent)");
        return;
    };
    let json: Value = serde_json::from_str(&text).unwrap();
    let cases = json["cases"].as_array().unwrap().iter();
    let case = cases.into_iter().find(|case| case["id"] == "proof_input_alias_scalar_field");
    let inputs = &case.unwrap()["inputs"];
    let verdict = |text: &Value| {
        let text = text.as_str().unwrap();
        parse_public(&serde_json::json!([text]).to_string()).map_err(|error| error.name())
    };
    let examples = inputs["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 2);
    for example in examples {
        assert!(verdict(&example["x"]).is_ok(), "{example}");
        assert_eq!(verdict(&example["alias"]), Err("NonCanonicalScalar"), "{example}");
    }
    for bound in ["r", "q"] {
        assert_eq!(verdict(&inputs[bound]), Err("NonCanonicalScalar"), "{bound}");
    }
}

#[test]
fn files_round_trip_through_our_writer() {
    let Some(file) = load("groth16_snarkjs_valid.json") else { return };
    for group in file["groups"].as_array().unwrap() {
        let key = parse_key(&group["vk"].to_string()).unwrap().key;
        let mut expected = group["vk"].clone();
        // The pairing of alpha and beta is redundant and not written.
        expected.as_object_mut().unwrap().remove("vk_alphabeta_12");
        assert_eq!(
            serde_json::from_str::<Value>(&key_json(&key, Provenance::Ceremony)).unwrap(),
            expected
        );
        for triple in group["triples"].as_array().unwrap() {
            let public = parse_public(&triple["public"].to_string()).unwrap();
            let written: Value = serde_json::from_str(&public_json(&public)).unwrap();
            assert_eq!(written, triple["public"]);
            let proof = parse_proof(&triple["proof"].to_string()).unwrap().proof;
            let mut expected = triple["proof"].clone();
            expected["curve"] = "bn128".into();
            let written: Value = serde_json::from_str(&proof_json(&proof)).unwrap();
            assert_eq!(written, expected);
        }
    }
}

#[test]
fn rejects_numbers_which_are_not_canonical_decimals() {
    let r = "21888242871839275222246405745257275088548364400416034343698204186575808495617";
    let two_256 = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    let cases = [
        ("", "Decimal"),
        ("01", "Decimal"),
        ("+1", "Decimal"),
        ("-1", "Decimal"),
        (" 1", "Decimal"),
        ("0x1", "Decimal"),
        ("1.0", "Decimal"),
        ("\u{0661}", "Decimal"),
        (r, "NonCanonicalScalar"),
        (two_256, "NonCanonicalScalar"),
    ];
    for (number, reason) in cases {
        let json = Value::from(vec![number]).to_string();
        assert_eq!(parse_public(&json).unwrap_err().name(), reason, "{number:?}");
    }
    assert_eq!(parse_public("[1]").unwrap_err().name(), "Json");
    assert_eq!(parse_public("[\"1\"").unwrap_err().name(), "Json");
    let below = "21888242871839275222246405745257275088548364400416034343698204186575808495616";
    let parsed = parse_public(&format!("[\"0\",\"{below}\"]")).unwrap();
    assert_eq!(parsed, [0i64, -1].map(ark_bn254::Fr::from));
}

#[test]
fn rejects_proof_files_of_other_kinds() {
    let one = "\"1\"";
    let proof = |z: &str, protocol: &str, extra: &str| {
        format!(
            "{{\"pi_a\":[{one},\"2\",{z}],\"pi_b\":[[{one},{one}],[{one},{one}],[{one},\"0\"]],\
             \"pi_c\":[{one},\"2\",{one}],\"protocol\":\"{protocol}\"{extra}}}"
        )
    };
    let reason = |json: String| parse_proof(&json).unwrap_err().name();
    assert_eq!(reason(proof(one, "plonk", "")), "Kind");
    assert_eq!(reason(proof(one, "groth16", ",\"curve\":\"bls12381\"")), "Kind");
    assert_eq!(reason(proof(one, "groth16", ",\"extra\":1")), "Json");
    assert_eq!(reason(proof(one, "groth16", ",\"protocol\":\"groth16\"")), "Json");
    assert_eq!(reason(proof("\"2\"", "groth16", "")), "NotAffine");
    assert_eq!(reason(proof("\"0\"", "groth16", "")), "IdentityPoint");
    assert_eq!(reason(proof(one, "groth16", "")), "NotOnCurve");
}
