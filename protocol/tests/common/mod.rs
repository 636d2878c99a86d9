//! Reading the reference vectors: files, decimals, and what to say when a file is absent.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::io::Read;
use std::path::PathBuf;

use num_bigint::BigInt;
use serde_json::Value;
use zkmargin_protocol::pricing::fixed::{FRACTION_BITS, Fixed};

/// The text of a reference file (gunzipped where named `.gz`), or `None` with one line printed.
pub fn reference_text(path: &str) -> Option<String> {
    let full = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(path);
    let Ok(bytes) = std::fs::read(full) else {
        println!("skipped: {path} (../shared/data absent)");
        return None;
    };
    let mut text = String::new();
    if path.ends_with(".gz") {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    Some(text)
}

/// A reference file as JSON.
pub fn reference_json(path: &str) -> Option<Value> {
    reference_text(path).map(|text| serde_json::from_str(&text).unwrap())
}

/// A decimal such as `-12.5e-3` as mantissa and power of ten.
fn decimal(text: &str) -> (BigInt, i32) {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i32);
    let mantissa: BigInt = digits.replace('.', "").parse().unwrap();
    // Anything below 10^-4000 is zero in every use here.
    let exponent = exponent.parse::<i64>().unwrap().max(-4000) as i32;
    (mantissa, exponent - fraction)
}

/// `⌊decimal · 2^bits + 1/2⌋`.
pub fn scaled(text: &str, bits: u32) -> BigInt {
    let (mantissa, exponent) = decimal(text);
    round(mantissa, exponent, bits)
}

/// `⌊decimal · 10^digits + 1/2⌋`.
pub fn shifted(text: &str, digits: i32) -> BigInt {
    let (mantissa, exponent) = decimal(text);
    round(mantissa, exponent + digits, 0)
}

fn round(mantissa: BigInt, exponent: i32, bits: u32) -> BigInt {
    let ten = |power: i32| BigInt::from(10).pow(power.unsigned_abs());
    let (numerator, denominator) = match exponent {
        0.. => (mantissa * ten(exponent), BigInt::from(1)),
        _ => (mantissa, ten(exponent)),
    };
    let doubled: BigInt = (numerator << (bits + 1)) + &denominator;
    let divisor: BigInt = denominator * 2;
    let quotient = &doubled / &divisor;
    if doubled < BigInt::from(0) && &quotient * &divisor != doubled {
        quotient - 1
    } else {
        quotient
    }
}

/// The nearest [`Fixed`].
///
/// # Panics
/// If it is out of range.
pub fn fixed(text: &str) -> Fixed {
    Fixed::from_bits(scaled(text, FRACTION_BITS).try_into().expect("in range"))
}

/// A JSON string or number as decimal text.
pub fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A JSON string or number as [`Fixed`].
pub fn fixed_of(value: &Value) -> Fixed {
    fixed(&text_of(value))
}

/// The exact value of the binary64 nearest to a decimal, as mantissa and power of two. The
/// elementary vectors are evaluated there.
pub fn binary64(text: &str) -> (BigInt, i32) {
    let bits = text.parse::<f64>().unwrap().to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    let mantissa = BigInt::from(mantissa);
    (if bits >> 63 == 1 { -mantissa } else { mantissa }, exponent.max(1) - 1075)
}

/// The [`Fixed`] nearest to the binary64 nearest to a decimal.
///
/// # Panics
/// If it is out of range.
pub fn fixed_binary64(text: &str) -> Fixed {
    let (mantissa, exponent) = binary64(text);
    let shift = exponent + FRACTION_BITS as i32;
    let bits: BigInt = if shift >= 0 {
        mantissa << shift
    } else {
        (mantissa + (BigInt::from(1) << (-shift - 1))) >> -shift
    };
    Fixed::from_bits(bits.try_into().expect("in range"))
}

/// A file the project ships in `fixtures/`, as JSON.
pub fn shipped_json(path: &str) -> Value {
    let full = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures")).join(path);
    serde_json::from_str(&std::fs::read_to_string(full).unwrap()).unwrap()
}
