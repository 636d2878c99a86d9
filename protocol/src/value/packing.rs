//! Packing of ranged values into one field element: little-endian, first value in the lowest bits.

use ark_bn254::Fr;
use ark_ff::Field;
use serde::{Deserialize, Deserializer, de};

use crate::{Reject, Rule};

/// Bits a packed element may hold; one less than the capacity so that the packing is injective with
/// room to spare.
pub const PACKED_BITS: u32 = 252;

/// A value and the width it is packed with.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Non-negative value, below `2^bits`.
    pub value: u128,
    /// Width in bits.
    pub bits: u32,
}

/// `value` in `bits` bits.
pub fn part(value: impl Into<u128>, bits: u32) -> Part {
    let value = value.into();
    assert!(bits >= 128 || value >> bits == 0, "packed value fits its width");
    Part { value, bits }
}

/// The fields of a packed word, name and width in bits, the first in the lowest bits. A rule packs
/// by it, and its twin checks its widths against it.
#[derive(Clone, Copy, Debug)]
pub struct Layout<const N: usize>(pub [(&'static str, u32); N]);

/// A value of a field.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Packed as it is.
    Number(u128),
    /// Packed with half of the width's range added.
    Signed(i64),
}

impl<T: Into<u128>> From<T> for Value {
    fn from(number: T) -> Self {
        Self::Number(number.into())
    }
}

impl<const N: usize> Layout<N> {
    /// `Σ value_k · 2^(bits before k)`. A value wider than its field is a broken invariant.
    pub fn pack(&self, values: [Value; N]) -> Fr {
        pack(&self.parts(values))
    }

    /// The same of at most 128 bits, as a number.
    pub fn number(&self, values: [Value; N]) -> u128 {
        let parts = self.parts(values);
        parts.iter().rev().fold(0, |number, part| number << part.bits | part.value)
    }

    /// `2^(bits of the first k fields)`, by which what follows them is multiplied.
    pub fn place(&self, k: usize) -> Fr {
        let before: u32 = self.0[..k].iter().map(|(_, bits)| bits).sum();
        Fr::from(2u64).pow([u64::from(before)])
    }

    fn parts(&self, values: [Value; N]) -> [Part; N] {
        std::array::from_fn(|k| {
            let (_, bits) = self.0[k];
            match values[k] {
                Value::Number(number) => part(number, bits),
                Value::Signed(number) => signed_part(number, bits),
            }
        })
    }
}

/// Reads a number that [`part`] can pack into `BITS` bits, for `#[serde(deserialize_with)]`.
///
/// # Errors
/// [`Rule::Range`] as the deserializer's error.
pub fn read_part<'de, const BITS: u32, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Copy + Into<u128>,
    D: Deserializer<'de>,
{
    let number = T::deserialize(deserializer)?;
    if number.into() >> BITS != 0 {
        let reject = Reject::new(Rule::Range, "number to pack", number.into());
        let reject = reject.at_most((1u128 << BITS) - 1);
        return Err(de::Error::custom(reject));
    }
    Ok(number)
}

/// `value` shifted by `2^(bits − 1)`, so that a signed value packs as a non-negative one.
pub fn signed_part(value: i64, bits: u32) -> Part {
    let shifted = i128::from(value) + (1 << (bits - 1));
    part(u128::try_from(shifted).expect("value fits its width"), bits)
}

/// `Σ part_k · 2^(bits before k)`.
pub fn pack(parts: &[Part]) -> Fr {
    let mut shift = 0;
    let mut packed = Fr::from(0u64);
    for part in parts {
        packed += Fr::from(part.value) * Fr::from(2u64).pow([u64::from(shift)]);
        shift += part.bits;
    }
    assert!(shift <= PACKED_BITS, "packed parts fit one field element");
    packed
}

/// A signed number as a field element; negative numbers count down from the modulus.
pub fn signed_field(value: i128) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout<3> = Layout([("flag", 1), ("signed", 4), ("number", 8)]);

    #[test]
    fn a_layout_packs_fields_in_order_and_signed_ones_above_zero() {
        let values = [true.into(), Value::Signed(-3), 200u8.into()];
        assert_eq!(LAYOUT.number(values), 1 | 5 << 1 | 200 << 5);
        assert_eq!(LAYOUT.pack(values), Fr::from(LAYOUT.number(values)));
    }

    #[test]
    #[should_panic(expected = "packed value fits its width")]
    fn a_value_wider_than_its_field_is_a_broken_invariant() {
        LAYOUT.pack([false.into(), Value::Signed(0), 256u16.into()]);
    }
}
