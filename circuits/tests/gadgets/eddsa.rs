//! Signatures: native and circuit agree, on our own and on published ones.

use std::fs;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField, UniformRand};
use serde_json::Value;
use zkmargin_circuits::crypto::eddsa::{SignatureVar, enforce_signature};
use zkmargin_circuits::gadgets::boolean::Bool;
use zkmargin_circuits::gadgets::curve::PointVar;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::babyjubjub::{BASE8, Point};
use zkmargin_protocol::crypto::eddsa::{PublicKey, SecretKey, Signature, verify};

use crate::{Written, rng, write};

fn check(key: &Point, message: Fr, signature: &Signature, is_active: bool) -> Written<Fr, ()> {
    write(|cs| {
        let key = PointVar::external(cs, "key", key);
        let message = cs.external("message", message);
        let signature = SignatureVar::external(cs, signature);
        let is_active = Bool::external(cs, "is active", is_active);
        enforce_signature(cs, &key, &message, &signature, &is_active);
    })
}

fn vectors(file: &str) -> Option<Vec<Value>> {
    let path = format!("{}/../../shared/data/crypto/{file}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = fs::read_to_string(path) else {
        println!("skipped: signature vectors (…/shared/data/crypto/{file} absent)");
        return None;
    };
    let value: Value = serde_json::from_str(&text).expect("JSON");
    Some(value["vectors"].as_array().expect("vectors").clone())
}

/// A decimal as a field element, if it is one: not negative and below p.
fn element(text: &Value) -> Option<Fr> {
    let text = text.as_str().expect("a decimal");
    let element: Fr = text.parse().ok()?;
    (element.to_string() == text).then_some(element)
}

fn point(value: &Value) -> Option<Point> {
    Some(Point { x: element(&value[0])?, y: element(&value[1])? })
}

struct Vector {
    key: Point,
    message: Fr,
    signature: Signature,
}

fn vector(value: &Value) -> Option<Vector> {
    let s = value["S"].as_str().expect("a decimal");
    // −S, as a field element.
    let s = match s.strip_prefix('-') {
        Some(digits) => -digits.parse::<Fr>().expect("a decimal"),
        None => element(&value["S"])?,
    };
    Some(Vector {
        key: point(&value["public_key"])?,
        message: element(&value["message"])?,
        signature: Signature { r8: point(&value["R8"])?, s: s.into_bigint() },
    })
}

#[test]
fn accepts_published_signatures() {
    let Some(vectors) = vectors("eddsa_poseidon.json") else { return };
    assert!(vectors.len() >= 20);
    for value in &vectors {
        let Vector { key, message, signature } = vector(value).expect("field elements");
        let native = PublicKey::try_from(key).expect("a key");
        assert_eq!(verify(&native, message, &signature), Ok(()));
        let written = check(&key, message, &signature, true);
        assert_eq!(written.failure(), None, "{value}");
    }
}

#[test]
fn rejects_published_forgeries() {
    let Some(vectors) = vectors("eddsa_poseidon_invalid.json") else { return };
    let mut aliases = 0;
    for value in &vectors {
        let Some(Vector { key, message, signature }) = vector(value) else {
            // Coordinates and messages of p or more have no twin in the circuit.
            assert!(value["why"].as_str().unwrap().contains("alias"), "{value}");
            aliases += 1;
            continue;
        };
        let native = PublicKey::try_from(key);
        let accepted = native.and_then(|key| verify(&key, message, &signature));
        let rejected = accepted.expect_err("a forgery");
        let label = check(&key, message, &signature, true).unsatisfied.expect("a forgery");
        let expected = if value["why"].as_str().unwrap().starts_with("pk") {
            [Rule::Signature, Rule::KeyValid].contains(&rejected.rule)
        } else {
            rejected.rule == Rule::Signature
        };
        assert!(expected && label.rule == Some(Rule::Signature), "{value}: {rejected}");
    }
    assert_eq!((vectors.len(), aliases), (20, 2));
}

#[test]
fn own_signatures_and_their_forgeries() {
    let mut rng = rng(7);
    for seed in 0..8u8 {
        let secret = SecretKey::from_seed(&[seed; 32]);
        let key = secret.public().point();
        let message = Fr::rand(&mut rng);
        let signature = secret.sign(message);
        let written = check(&key, message, &signature, true);
        assert_eq!(written.failure(), None);
        // The flag is the test's own constraint.
        assert_eq!(written.constraints, 2_632 + 1);

        let mut forged = signature;
        forged.r8 = signature.r8.neg();
        for (message, signature) in [
            (message + Fr::ONE, signature),
            (message, forged),
            (message, Signature { r8: signature.r8, s: BigInt::one() }),
        ] {
            let label = check(&key, message, &signature, true).unsatisfied.expect("a forgery");
            assert_eq!(label.what, "signature equation");
            assert_eq!(check(&key, message, &signature, false).failure(), None);
        }
    }
}

#[test]
fn inactive_rows_constrain_nothing() {
    let mut rng = rng(8);
    let mut keys = vec![BASE8, Point::IDENTITY, Point { x: Fr::ZERO, y: Fr::ZERO }];
    keys.push(Point { x: Fr::ZERO, y: -Fr::ONE });
    keys.extend((0..3).map(|_| Point { x: Fr::rand(&mut rng), y: Fr::rand(&mut rng) }));
    for key in keys {
        for message in [Fr::ZERO, Fr::rand(&mut rng)] {
            let written = check(&key, message, &SignatureVar::padding(), false);
            assert_eq!(written.failure(), None, "{key:?}");
        }
    }
}

#[test]
fn every_variable_is_determined() {
    let secret = SecretKey::from_seed(&[9; 32]);
    let key = secret.public().point();
    for message in [Fr::ZERO, Fr::from(12u64)] {
        let written = check(&key, message, &secret.sign(message), true);
        let report = written.audit("eddsa");
        // S, h, both coordinates of the equation, and the test's own flag.
        assert_eq!((report.core, report.assertions), (0, vec![5]));
        println!("eddsa: {} nonzeros", written.r1cs.nonzeros());
    }
    check(&key, Fr::ONE, &SignatureVar::padding(), false).audit("eddsa, inactive");
}
