//! Numbers and points as snarkjs writes them.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger, PrimeField};

use super::SnarkjsError;
use crate::bytes;
use crate::error::{Point, VerifyError};

pub(super) type G1Json = [String; 3];
pub(super) type G2Json = [[String; 2]; 3];

/// The integer of a canonical decimal string; `None` from 2^256 up.
pub(super) fn parse_integer(value: &str, what: &str) -> Result<Option<BigInt<4>>, SnarkjsError> {
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

pub(super) fn parse_g1(json: &G1Json, point: Point) -> Result<G1Affine, SnarkjsError> {
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

pub(super) fn parse_g2(json: &G2Json, point: Point) -> Result<G2Affine, SnarkjsError> {
    let fq2 = |[c0, c1]: &[String; 2]| -> Result<Fq2, SnarkjsError> {
        Ok(Fq2::new(parse_coordinate(c0, point)?, parse_coordinate(c1, point)?))
    };
    let affine = G2Affine::new_unchecked(fq2(&json[0])?, fq2(&json[1])?);
    match [json[2][0].as_str(), json[2][1].as_str()] {
        ["1", "0"] => {}
        ["0", "0"] => return Err(VerifyError::IdentityPoint(point).into()),
        _ => return Err(SnarkjsError::NotAffine(point)),
    }
    bytes::check_g2(&affine, point).map_err(|error| {
        let exchange = |value: Fq2| Fq2::new(value.c1, value.c0);
        let exchanged = G2Affine::new_unchecked(exchange(affine.x), exchange(affine.y));
        match bytes::check_g2(&exchanged, point) {
            Ok(()) => SnarkjsError::Exchanged(error),
            Err(_) => error.into(),
        }
    })?;
    Ok(affine)
}

pub(super) fn decimal<F: PrimeField>(element: F) -> String {
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

pub(super) fn g1_json(point: &G1Affine) -> G1Json {
    match point.xy() {
        Some((x, y)) => [decimal(x), decimal(y), "1".into()],
        None => ["0".into(), "1".into(), "0".into()],
    }
}

pub(super) fn g2_json(point: &G2Affine) -> G2Json {
    let pair = |value: Fq2| [decimal(value.c0), decimal(value.c1)];
    match point.xy() {
        Some((x, y)) => [pair(x), pair(y), ["1".into(), "0".into()]],
        None => [["0".into(), "0".into()], ["1".into(), "0".into()], ["0".into(), "0".into()]],
    }
}
