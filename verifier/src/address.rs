//! Addresses on the EVM chain as people write them. Every program reads them with [`parse`]; signed
//! data and files of programs hold the canonical form alone, `0x` and 40 lower-case digits.

use sha3::{Digest, Keccak256};
use thiserror::Error;

/// Bytes of an address.
pub const ADDRESS_BYTES: usize = 20;

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// The text has another form.
    #[error("\"{found}\" is no address: 0x and 40 hexadecimal digits are wanted")]
    Form {
        /// The text.
        found: String,
    },
    /// Letters of both cases are a checksum (EIP-55), and it is wrong: some digit is not the one
    /// meant.
    #[error("the checksum of address {found} is wrong: it would be {right}. Compare every digit")]
    Checksum {
        /// The text.
        found: String,
        /// The address with the checksum of EIP-55.
        right: String,
    },
}

/// Reads 40 hexadecimal digits, with or without `0x`. Letters of one case say nothing; letters of
/// both are the checksum of EIP-55, which must be right.
///
/// # Errors
/// [`AddressError`].
pub fn parse(text: &str) -> Result<[u8; ADDRESS_BYTES], AddressError> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X")).unwrap_or(text);
    let mut address = [0; ADDRESS_BYTES];
    hex::decode_to_slice(digits, &mut address)
        .map_err(|_| AddressError::Form { found: text.chars().take(80).collect() })?;
    let has = |is_case: fn(&u8) -> bool| digits.bytes().any(|digit| is_case(&digit));
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let right = checksummed(address);
    if is_mixed && right[2..] != *digits {
        return Err(AddressError::Checksum { found: text.to_owned(), right });
    }
    Ok(address)
}

/// `0x` and 40 lower-case digits: the form that is signed, hashed and compared.
pub fn canonical(address: [u8; ADDRESS_BYTES]) -> String {
    format!("0x{}", hex::encode(address))
}

/// The address with the checksum of EIP-55: a letter is upper-case where the digit of the same
/// place in the hash of the lower-case digits is 8 or more.
pub fn checksummed(address: [u8; ADDRESS_BYTES]) -> String {
    let digits = hex::encode(address);
    let hash = hex::encode(Keccak256::digest(&digits));
    let cased = digits
        .chars()
        .zip(hash.chars())
        .map(|(digit, of_hash)| if of_hash >= '8' { digit.to_ascii_uppercase() } else { digit });
    format!("0x{}", cased.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of EIP-55.
    const EXAMPLES: [&str; 8] = [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn accepts_every_spelling_of_one_address() {
        for example in EXAMPLES {
            let digits = &example[2..];
            let address = parse(example).expect("an example of EIP-55");
            assert_eq!(checksummed(address), example);
            assert_eq!(canonical(address), example.to_lowercase());
            for spelling in [
                digits.to_owned(),
                digits.to_lowercase(),
                digits.to_uppercase(),
                example.to_lowercase(),
                example.to_uppercase(),
                format!("0x{}", digits.to_uppercase()),
            ] {
                assert_eq!(parse(&spelling), Ok(address), "{spelling}");
            }
        }
    }

    #[test]
    fn rejects_checksum_with_the_case_of_any_letter_changed_and_names_the_right_one() {
        let mut count = 0;
        for example in EXAMPLES {
            for (place, digit) in example.char_indices().skip(2) {
                let mut changed = example.to_owned();
                let other = if digit.is_lowercase() {
                    digit.to_ascii_uppercase()
                } else {
                    digit.to_ascii_lowercase()
                };
                changed.replace_range(place..=place, &other.to_string());
                let has_both = changed[2..].contains(|c: char| c.is_lowercase())
                    && changed[2..].contains(|c: char| c.is_uppercase());
                if changed == example || !has_both {
                    continue;
                }
                count += 1;
                let refused =
                    AddressError::Checksum { found: changed.clone(), right: example.to_owned() };
                assert_eq!(parse(&changed), Err(refused));
            }
        }
        assert!(count > 80, "{count} letters changed");
    }

    #[test]
    fn rejects_other_forms() {
        let right = EXAMPLES[2];
        for text in [
            "",
            "0x",
            &right[..41],
            &format!("{right}0"),
            &format!("0x{right}"),
            &format!(" {right}"),
            &right.replace('e', "g"),
            &right.replace('e', "é"),
        ] {
            assert!(matches!(parse(text), Err(AddressError::Form { .. })), "{text}");
        }
    }
}
