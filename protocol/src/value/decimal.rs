//! Field elements in JSON: decimal strings, exactly one string for each element.
//!
//! The residue `x` written as `x + p` is how a signature or a message gets a second name which
//! careless libraries accept. Parsing takes the shortest decimal of a number below the modulus and
//! nothing else. Use `#[serde(with = "decimal")]` for a field of a struct and [`Decimal`] inside
//! arrays.

use std::{fmt, marker::PhantomData};

use ark_ff::PrimeField;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Reject, Rule};

/// Decimal digits of 2^256, more than any element has.
const DIGITS_MAX: usize = 78;

/// The element of which `text` is the canonical decimal.
///
/// # Errors
/// `rule`, naming `what`, if the text is empty, has anything but digits, has a leading zero, or is
/// not below the modulus.
pub fn parse<F: PrimeField>(rule: Rule, what: &'static str, text: &str) -> Result<F, Reject> {
    let refuse = |text: &str| {
        Err(Reject::new(rule, what, text)
            .only("the shortest decimal of a number below the modulus"))
    };
    let digits = !text.is_empty() && text.len() <= DIGITS_MAX;
    if !digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let start: String = text.chars().take(DIGITS_MAX).collect();
        return refuse(&start);
    }
    let ten = F::from(10u64);
    let element = text.bytes().fold(F::ZERO, |sum, byte| sum * ten + F::from(byte - b'0'));
    // The sum is reduced; printing it gives the same text only if there was nothing to reduce.
    if element.into_bigint().to_string() != text {
        return refuse(text);
    }
    Ok(element)
}

/// Writes the canonical decimal, for `#[serde(with = "decimal")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<F: PrimeField, S: Serializer>(
    element: &F,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&element.into_bigint())
}

/// Reads a canonical decimal, for `#[serde(with = "decimal")]`.
///
/// # Errors
/// [`Rule::Range`] as the deserializer's error, see [`parse`].
pub fn deserialize<'de, F: PrimeField, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<F, D::Error> {
    struct Text<F>(PhantomData<F>);

    impl<F: PrimeField> de::Visitor<'_> for Text<F> {
        type Value = F;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a field element as a decimal string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<F, E> {
            parse(Rule::Range, "field element", text).map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}

/// A field element that is a decimal string in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal<F>(pub F);

impl<F: PrimeField> Serialize for Decimal<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de, F: PrimeField> Deserialize<'de> for Decimal<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}
