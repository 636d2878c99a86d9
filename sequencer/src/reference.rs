//! What tells an event on L1 from all others, in the one spelling that is its identity.
//!
//! An event is named by its transaction and the place of its log: `0x…:3`. Tools spell both in
//! several ways: upper-case digits, no `0x`, zeros in front, a hexadecimal place. All of these are
//! one event. Any other name is the watcher's own and is taken as it is, if it cannot be mistaken
//! for an event or for another spelling of itself.

/// Greatest length of a reference, bytes.
const BYTES_MAX: usize = 128;
/// Hexadecimal digits of a transaction's hash.
const HASH_DIGITS: usize = 64;
/// So many hexadecimal digits in a row are a hash, whatever stands around them. A tool that prints
/// a number leaves out the zeros in front: one hash in 2^96 is shorter than this.
const HASH_DIGITS_MIN: usize = 40;

/// The one spelling of a reference, or why there is none.
pub(crate) fn canonical(reference: &str) -> Result<String, &'static str> {
    let is_visible = reference.bytes().all(|byte| byte.is_ascii_graphic());
    if !(1..=BYTES_MAX).contains(&reference.len()) || !is_visible {
        return Err("reference of what L1 says, 1 to 128 visible characters");
    }
    let lower = reference.to_ascii_lowercase();
    let (head, place) = lower.split_once(':').map_or((&*lower, None), |(h, p)| (h, Some(p)));
    let digits = head.strip_prefix("0x");
    let is_hash = digits.is_some() || is_bare_hash(&lower);
    if !is_hash {
        return own_name(reference, &lower);
    }
    let hash = hexadecimal(digits.unwrap_or(head), HASH_DIGITS);
    let hash = hash.ok_or("reference, whose transaction is not 0x and up to 64 hex digits")?;
    let place = place.and_then(number);
    let place = place.ok_or("reference, whose place after : is no number of a log")?;
    Ok(format!("0x{hash:0>HASH_DIGITS$}:{place}"))
}

/// A hash without its `0x`, alone or with something around it.
fn is_bare_hash(text: &str) -> bool {
    let digits = text.split(|c: char| !c.is_ascii_hexdigit());
    digits.map(str::len).any(|length| length >= HASH_DIGITS_MIN)
}

/// A name that the watcher gives.
fn own_name(reference: &str, lower: &str) -> Result<String, &'static str> {
    if reference != lower {
        return Err("reference that is no 0x…:place, to be of lower-case letters");
    }
    let mut parts = reference.split(|c: char| !c.is_ascii_alphanumeric());
    if parts.any(|part| part.len() > 1 && part.starts_with('0') && is_decimal(part)) {
        return Err("reference that is no 0x…:place, to have no zeros in front of a number");
    }
    Ok(reference.to_owned())
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// At most `digits_max` lower-case hexadecimal digits, without zeros in front.
fn hexadecimal(text: &str, digits_max: usize) -> Option<&str> {
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = text.trim_start_matches('0');
    (is_hex && digits.len() <= digits_max).then_some(digits)
}

/// A number that is written in decimal or, after `0x`, in hexadecimal digits.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => match hexadecimal(digits, 16)? {
            "" => Some(0),
            digits => u64::from_str_radix(digits, 16).ok(),
        },
        // `parse` would take a sign.
        None => is_decimal(text).then(|| text.parse().ok())?,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_event_is_one() {
        let hash = "00cdabababababababababababababababababababababababababababababab";
        let expect = format!("0x{hash}:19");
        let short = hash.trim_start_matches('0');
        let spelled = [
            format!("0x{hash}:19"),
            format!("0X{hash}:19"),
            format!("0x{}:19", hash.to_uppercase()),
            format!("{hash}:19"),
            format!("{}:0x13", hash.to_uppercase()),
            format!("0x{short}:019"),
            format!("0x000{hash}:0X0013"),
            format!("{short}:19"),
            format!("{}:0x13", short.to_uppercase()),
        ];
        for spelling in spelled {
            assert_eq!(canonical(&spelling).as_deref(), Ok(&*expect), "{spelling}");
        }
        assert_eq!(canonical("0xAA0:00"), canonical("0xaa0:0x0"));
        assert_ne!(canonical("0xaa0:1"), canonical("0xaa0:0"));
        assert_ne!(canonical("0xaa0:1"), canonical("0xaa:1"));
    }

    #[test]
    fn rejects_what_is_almost_an_event() {
        let hash = "ab".repeat(32);
        let almost = [
            hash.clone(),
            format!("0x{hash}"),
            format!("0x{hash}:"),
            format!("0x{hash}:-1"),
            format!("0x{hash}:+1"),
            format!("0x{hash}:1:1"),
            format!("0x{hash}-1"),
            format!("{hash}-1"),
            format!("{}-1", &hash[1..]),
            format!("tx:{hash}:1"),
            format!("eth:0x{hash}:1"),
            hash[..40].to_owned(),
            format!("0x{hash}0:1"),
            format!("0x{hash}:18446744073709551616"),
            "0x:1".to_owned(),
            "0xgg:1".to_owned(),
        ];
        for reference in almost {
            assert!(canonical(&reference).is_err(), "{reference}");
        }
    }

    #[test]
    fn names_of_the_watcher_have_one_spelling() {
        for name in [
            "demo-3",
            "9",
            "9:2",
            "f:1",
            "strange:10",
            "0",
            "a0:0",
            "first-2",
            "550e8400e29b41d4a716446655440000",
        ] {
            assert_eq!(canonical(name).as_deref(), Ok(name));
        }
        let long = "r".repeat(129);
        for name in ["", "a b", "Demo-3", "demo-03", "9:02", "00", "\u{e9}", &long] {
            assert!(canonical(name).is_err(), "{name}");
        }
    }
}
