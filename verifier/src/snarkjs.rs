//! The JSON files of snarkjs, both ways, read strictly: numbers are decimal strings without sign,
//! space or leading zero and below their modulus; unknown fields are refused.
//!
//! Forms of other programs which mean the same are taken: the names `groth`, `vk_alfa_1` and
//! `vk_alfabeta_12` of older releases of snarkjs, other names of the curve, and the proof with its
//! inputs in one file (`{"proof": …, "pub_signals": […]}`) of go-rapidsnark.
//!
//! A key for development carries the field `"provenance": "development"`, which snarkjs ignores.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Point, VerifyError};
use crate::format::Provenance;
use crate::key::VerifyingKey;
use crate::proof::Proof;

mod error;
mod value;
pub use error::SnarkjsError;
use value::{G1Json, G2Json, decimal, g1_json, g2_json, parse_g1, parse_g2, parse_integer};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofJson {
    pi_a: G1Json,
    pi_b: G2Json,
    pi_c: G1Json,
    protocol: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    curve: Option<String>,
}

/// A proof with its public inputs, in one file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CombinedJson {
    proof: ProofJson,
    pub_signals: Vec<String>,
}

/// Tells the forms of a proof file apart.
#[derive(Deserialize)]
struct ProofForm {
    proof: Option<serde::de::IgnoredAny>,
}

/// A field that may be left out, but says something where it stands.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(non_snake_case)]
struct KeyJson {
    protocol: String,
    curve: String,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    provenance: Option<String>,
    nPublic: usize,
    #[serde(alias = "vk_alfa_1")]
    vk_alpha_1: G1Json,
    vk_beta_2: G2Json,
    vk_gamma_2: G2Json,
    vk_delta_2: G2Json,
    /// Redundant, and never read: whoever trusts it trusts the file twice.
    #[serde(default, skip_serializing)]
    #[serde(rename = "vk_alphabeta_12", alias = "vk_alfabeta_12")]
    _alphabeta: Option<serde_json::Value>,
    IC: Vec<G1Json>,
}

/// What `verification_key.json` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedKey {
    /// The key. Its points are checked, the rest of its hygiene is not.
    pub key: VerifyingKey,
    /// Its origin as the file states it: only this project's files do.
    pub provenance: Option<Provenance>,
}

/// What `proof.json` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedProof {
    /// The proof.
    pub proof: Proof,
    /// Its public inputs, if they are in the same file.
    pub inputs: Option<Vec<Fr>>,
}

/// Reads `verification_key.json`.
///
/// # Errors
/// When the JSON is not that of a Groth16 key over this curve, or a point is bad.
pub fn parse_key(json: &str) -> Result<MarkedKey, SnarkjsError> {
    let json: KeyJson = serde_json::from_str(json)?;
    check_protocol(&json.protocol)?;
    check_curve(&json.curve)?;
    let provenance = json.provenance.as_deref().map(parse_provenance).transpose()?;
    let expected = json.nPublic.saturating_add(1);
    if json.IC.len() != expected {
        return Err(VerifyError::KeyLength { expected, got: json.IC.len() }.into());
    }
    let ic = json.IC.iter().enumerate().map(|(index, point)| parse_g1(point, Point::Ic(index)));
    let key = VerifyingKey {
        alpha_g1: parse_g1(&json.vk_alpha_1, Point::Alpha)?,
        beta_g2: parse_g2(&json.vk_beta_2, Point::Beta)?,
        gamma_g2: parse_g2(&json.vk_gamma_2, Point::Gamma)?,
        delta_g2: parse_g2(&json.vk_delta_2, Point::Delta)?,
        ic: ic.collect::<Result<_, _>>()?,
    };
    Ok(MarkedKey { key, provenance })
}

/// Reads `proof.json`.
///
/// # Errors
/// When the JSON is not that of a Groth16 proof over this curve, or a point or an input is bad.
pub fn parse_proof(json: &str) -> Result<StatedProof, SnarkjsError> {
    let form: ProofForm = serde_json::from_str(json)?;
    let (proof, inputs) = match form.proof {
        None => (serde_json::from_str(json)?, None),
        Some(_) => {
            let CombinedJson { proof, pub_signals } = serde_json::from_str(json)?;
            (proof, Some(parse_inputs(&pub_signals)?))
        }
    };
    let ProofJson { pi_a, pi_b, pi_c, protocol, curve } = proof;
    check_protocol(&protocol)?;
    curve.as_deref().map(check_curve).transpose()?;
    let proof = Proof {
        a: parse_g1(&pi_a, Point::ProofA)?,
        b: parse_g2(&pi_b, Point::ProofB)?,
        c: parse_g1(&pi_c, Point::ProofC)?,
    };
    Ok(StatedProof { proof, inputs })
}

impl StatedProof {
    /// The inputs in the proof's file, if there are any, are `given`.
    ///
    /// # Errors
    /// [`SnarkjsError::Signals`] with the first difference.
    pub fn check_inputs(&self, given: &[Fr]) -> Result<(), SnarkjsError> {
        let Some(own) = &self.inputs else { return Ok(()) };
        let differs = |index: &usize| own.get(*index) != given.get(*index);
        let Some(index) = (0..own.len().max(given.len())).find(differs) else { return Ok(()) };
        let show = |inputs: &[Fr]| {
            inputs.get(index).map_or_else(|| "none".to_owned(), |input| decimal(*input))
        };
        Err(SnarkjsError::Signals { index, own: show(own), given: show(given) })
    }
}

/// Reads `public.json`: the public inputs in the circuit's order.
///
/// # Errors
/// When the JSON is not a list of strings, or one is not a canonical scalar.
pub fn parse_public(json: &str) -> Result<Vec<Fr>, SnarkjsError> {
    parse_inputs(&serde_json::from_str::<Vec<String>>(json)?)
}

fn parse_inputs(inputs: &[String]) -> Result<Vec<Fr>, SnarkjsError> {
    let parse = |(index, value): (usize, &String)| {
        let what = format!("public input {index}");
        parse_integer(value, &what)?
            .and_then(Fr::from_bigint)
            .ok_or_else(|| VerifyError::NonCanonicalScalar { what, value: value.clone() }.into())
    };
    inputs.iter().enumerate().map(parse).collect()
}

/// Writes `verification_key.json`, without the redundant pairing of `α` and `β`. A key for
/// development is marked as one.
pub fn key_json(key: &VerifyingKey, provenance: Provenance) -> String {
    let is_marked = provenance == Provenance::Development;
    pretty(&KeyJson {
        protocol: "groth16".into(),
        curve: "bn128".into(),
        provenance: is_marked.then(|| provenance.name().into()),
        nPublic: key.input_count(),
        vk_alpha_1: g1_json(&key.alpha_g1),
        vk_beta_2: g2_json(&key.beta_g2),
        vk_gamma_2: g2_json(&key.gamma_g2),
        vk_delta_2: g2_json(&key.delta_g2),
        _alphabeta: None,
        IC: key.ic.iter().map(g1_json).collect(),
    })
}

/// Writes `proof.json`.
pub fn proof_json(proof: &Proof) -> String {
    pretty(&ProofJson {
        pi_a: g1_json(&proof.a),
        pi_b: g2_json(&proof.b),
        pi_c: g1_json(&proof.c),
        protocol: "groth16".into(),
        curve: Some("bn128".into()),
    })
}

/// Writes `public.json`.
pub fn public_json(inputs: &[Fr]) -> String {
    pretty(&inputs.iter().map(|input| decimal(*input)).collect::<Vec<_>>())
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("strings and lists always serialise")
}

/// `groth` is the name of Groth16 in the first releases of snarkjs.
fn check_protocol(got: &str) -> Result<(), SnarkjsError> {
    match got {
        "groth16" | "groth" => Ok(()),
        _ => Err(kind("protocol", got, "groth16 or its older name groth")),
    }
}

/// The curve has three names in use.
fn check_curve(got: &str) -> Result<(), SnarkjsError> {
    match got {
        "bn128" | "bn254" | "alt_bn128" => Ok(()),
        _ => Err(kind("curve", got, "bn128, also called bn254 and alt_bn128")),
    }
}

fn parse_provenance(got: &str) -> Result<Provenance, SnarkjsError> {
    [Provenance::Development, Provenance::Ceremony]
        .into_iter()
        .find(|provenance| provenance.name() == got)
        .ok_or_else(|| kind("provenance", got, "development or ceremony"))
}

fn kind(field: &'static str, got: &str, expected: &'static str) -> SnarkjsError {
    SnarkjsError::Kind { field, got: got.into(), expected }
}
