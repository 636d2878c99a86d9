//! Addresses on the EVM chain, where withdrawals go.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use serde::{Deserialize, Serialize};

use crate::{Reject, Rule};

/// An address on the EVM chain, 20 bytes, written as 40 lower-case hexadecimal digits after `0x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipient(pub [u8; 20]);

/// Width in bits of a [`Recipient`].
pub const RECIPIENT_BITS: u32 = 160;

impl Recipient {
    /// The address as a number.
    pub fn field(self) -> Fr {
        Fr::from_be_bytes_mod_order(&self.0)
    }
}

impl TryFrom<String> for Recipient {
    type Error = Reject;

    fn try_from(text: String) -> Result<Self, Reject> {
        let refuse = || {
            let reject = Reject::new(Rule::Range, "recipient", &text);
            reject.only("0x and 40 lower-case hexadecimal digits")
        };
        let digits = text.strip_prefix("0x").filter(|d| d.len() == 40).ok_or_else(refuse)?;
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let nibble = |c: u8| match c {
                b'0'..=b'9' => Some(c - b'0'),
                b'a'..=b'f' => Some(c - b'a' + 10),
                _ => None,
            };
            let (high, low) = nibble(pair[0]).zip(nibble(pair[1])).ok_or_else(refuse)?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        let digits: Self = recipient.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("0x{digits}")
    }
}
