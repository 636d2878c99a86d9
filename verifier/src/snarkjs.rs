//! The JSON files of snarkjs, both ways, read strictly: numbers are decimal strings without sign, space or
//! leading zero and below their modulus; unknown fields are refused.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bytes;
use crate::error::{Point, VerifyError};
use crate::key::VerifyingKey;
use crate::proof::Proof;

/// Why a JSON file is refused.
#[derive(Debug, Error)]
pub enum SnarkjsError {
    /// Not JSON, or not the expected fields.
    #[error("not the expected JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A number is not a canonical decimal string.
    #[error("{what} is {value:?}, which is not a canonical decimal number")]
    Decimal {
        /// Which number.
        what: String,
        /// The string found.
        value: String,
    },
    /// The file is for another protocol or curve.
    #[error("{field} is {got:?}, expected {expected:?}")]
    Kind {
        /// `protocol` or `curve`.
        field: &'static str,
        /// The value found.
        got: String,
        /// The value asked for.
        expected: &'static str,
    },
    /// A point's last coordinate is neither one (affine) nor zero (the identity).
    #[error("{0} is not in affine coordinates")]
    NotAffine(Point),
    /// The content is refused.
    #[error(transparent)]
    Content(#[from] VerifyError),
}

impl SnarkjsError {
    /// The reason's name.
    pub fn name(&self) -> &'static str {
        match self {
            SnarkjsError::Json(_) => "Json",
            SnarkjsError::Decimal { .. } => "Decimal",
            SnarkjsError::Kind { .. } => "Kind",
            SnarkjsError::NotAffine(_) => "NotAffine",
            SnarkjsError::Content(error) => error.name(),
        }
    }

    /// The reason's number, 50 to 59 or that of the [`VerifyError`] inside; also the exit status.
    pub fn code(&self) -> u8 {
        match self {
            SnarkjsError::Json(_) => 50,
            SnarkjsError::Decimal { .. } => 51,
            SnarkjsError::Kind { .. } => 52,
            SnarkjsError::NotAffine(_) => 53,
            SnarkjsError::Content(error) => error.code(),
        }
    }
}

type G1Json = [String; 3];
type G2Json = [[String; 2]; 3];

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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(non_snake_case)]
struct KeyJson {
    protocol: String,
    curve: String,
    nPublic: usize,
    vk_alpha_1: G1Json,
    vk_beta_2: G2Json,
    vk_gamma_2: G2Json,
    vk_delta_2: G2Json,
    /// Redundant, and never read: whoever trusts it trusts the file twice.
    #[serde(default, skip_serializing)]
    #[serde(rename = "vk_alphabeta_12")]
    _alphabeta: Option<serde_json::Value>,
    IC: Vec<G1Json>,
}

/// Reads `verification_key.json`. The points are checked, the rest of a key's hygiene is not.
///
/// # Errors
/// When the JSON is not that of a Groth16 key over this curve, or a point is bad.
pub fn parse_key(json: &str) -> Result<VerifyingKey, SnarkjsError> {
    let key: KeyJson = serde_json::from_str(json)?;
    check_kind("protocol", &key.protocol, "groth16")?;
    check_kind("curve", &key.curve, "bn128")?;
    let expected = key.nPublic.saturating_add(1);
    if key.IC.len() != expected {
        return Err(VerifyError::KeyLength { expected, got: key.IC.len() }.into());
    }
    let ic = key.IC.iter().enumerate().map(|(index, point)| parse_g1(point, Point::Ic(index)));
    Ok(VerifyingKey {
        alpha_g1: parse_g1(&key.vk_alpha_1, Point::Alpha)?,
        beta_g2: parse_g2(&key.vk_beta_2, Point::Beta)?,
        gamma_g2: parse_g2(&key.vk_gamma_2, Point::Gamma)?,
        delta_g2: parse_g2(&key.vk_delta_2, Point::Delta)?,
        ic: ic.collect::<Result<_, _>>()?,
    })
}

/// Reads `proof.json`.
///
/// # Errors
/// When the JSON is not that of a Groth16 proof over this curve, or a point is bad.
pub fn parse_proof(json: &str) -> Result<Proof, SnarkjsError> {
    let proof: ProofJson = serde_json::from_str(json)?;
    check_kind("protocol", &proof.protocol, "groth16")?;
    if let Some(curve) = &proof.curve {
        check_kind("curve", curve, "bn128")?;
    }
    Ok(Proof {
        a: parse_g1(&proof.pi_a, Point::ProofA)?,
        b: parse_g2(&proof.pi_b, Point::ProofB)?,
        c: parse_g1(&proof.pi_c, Point::ProofC)?,
    })
}

/// Reads `public.json`: the public inputs in the circuit's order.
///
/// # Errors
/// When the JSON is not a list of strings, or one is not a canonical scalar.
pub fn parse_public(json: &str) -> Result<Vec<Fr>, SnarkjsError> {
    let inputs: Vec<String> = serde_json::from_str(json)?;
    let parse = |(index, value): (usize, &String)| {
        let what = format!("public input {index}");
        parse_integer(value, &what)?
            .and_then(Fr::from_bigint)
            .ok_or_else(|| VerifyError::NonCanonicalScalar { what, value: value.clone() }.into())
    };
    inputs.iter().enumerate().map(parse).collect()
}

/// Writes `verification_key.json`, without the redundant pairing of `α` and `β`.
pub fn key_json(key: &VerifyingKey) -> String {
    pretty(&KeyJson {
        protocol: "groth16".into(),
        curve: "bn128".into(),
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

fn check_kind(field: &'static str, got: &str, expected: &'static str) -> Result<(), SnarkjsError> {
    if got == expected {
        return Ok(());
    }
    Err(SnarkjsError::Kind { field, got: got.into(), expected })
}

/// The integer of a canonical decimal string; `None` from 2^256 up.
fn parse_integer(value: &str, what: &str) -> Result<Option<BigInt<4>>, SnarkjsError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (value.len() > 1 && value.starts_with('0')) {
        return Err(SnarkjsError::Decimal { what: what.into(), value: value.into() });
    }
    let mut limbs = [0u64; 4];
    for digit in value.bytes() {
        let mut carry = u128::from(digit - b'0');
        for limb in &mut limbs {
            let product = u128::from(*limb) * 10 + carry;
            *limb = product as u64;
            carry = product >> 64;
        }
        if carry != 0 {
            return Ok(None);
        }
    }
    Ok(Some(BigInt::new(limbs)))
}

fn parse_coordinate(value: &str, point: Point) -> Result<Fq, SnarkjsError> {
    parse_integer(value, &point.to_string())?
        .and_then(Fq::from_bigint)
        .ok_or_else(|| VerifyError::NonCanonicalCoordinate { point, value: value.into() }.into())
}

fn parse_g1(json: &G1Json, point: Point) -> Result<G1Affine, SnarkjsError> {
    let [x, y, z] = json;
    let affine = G1Affine::new_unchecked(parse_coordinate(x, point)?, parse_coordinate(y, point)?);
    match z.as_str() {
        "1" => {}
        "0" => return Err(VerifyError::IdentityPoint(point).into()),
        _ => return Err(SnarkjsError::NotAffine(point)),
    }
    bytes::check_g1(&affine, point)?;
    Ok(affine)
}

fn parse_g2(json: &G2Json, point: Point) -> Result<G2Affine, SnarkjsError> {
    let fq2 = |[c0, c1]: &[String; 2]| -> Result<Fq2, SnarkjsError> {
        Ok(Fq2::new(parse_coordinate(c0, point)?, parse_coordinate(c1, point)?))
    };
    let affine = G2Affine::new_unchecked(fq2(&json[0])?, fq2(&json[1])?);
    match [json[2][0].as_str(), json[2][1].as_str()] {
        ["1", "0"] => {}
        ["0", "0"] => return Err(VerifyError::IdentityPoint(point).into()),
        _ => return Err(SnarkjsError::NotAffine(point)),
    }
    bytes::check_g2(&affine, point)?;
    Ok(affine)
}

fn decimal<F: PrimeField>(element: F) -> String {
    // Repeated division by 10^18 keeps this free of a big-number dependency.
    const CHUNK: u128 = 1_000_000_000_000_000_000;
    let bytes = element.into_bigint().to_bytes_be();
    let mut limbs: Vec<u128> = (bytes.chunks(8))
        .map(|chunk| chunk.iter().fold(0u128, |value, byte| value << 8 | u128::from(*byte)))
        .collect();
    let mut chunks = Vec::new();
    while limbs.iter().any(|limb| *limb != 0) {
        let mut remainder = 0u128;
        for limb in &mut limbs {
            let value = remainder << 64 | *limb;
            *limb = value / CHUNK;
            remainder = value % CHUNK;
        }
        chunks.push(remainder);
    }
    let Some(first) = chunks.pop() else {
        return "0".to_string();
    };
    let rest: String = chunks.iter().rev().map(|chunk| format!("{chunk:018}")).collect();
    format!("{first}{rest}")
}

fn g1_json(point: &G1Affine) -> G1Json {
    match point.xy() {
        Some((x, y)) => [decimal(x), decimal(y), "1".into()],
        None => ["0".into(), "1".into(), "0".into()],
    }
}

fn g2_json(point: &G2Affine) -> G2Json {
    let pair = |value: Fq2| [decimal(value.c0), decimal(value.c1)];
    match point.xy() {
        Some((x, y)) => [pair(x), pair(y), ["1".into(), "0".into()]],
        None => [["0".into(), "0".into()], ["1".into(), "0".into()], ["0".into(), "0".into()]],
    }
}
