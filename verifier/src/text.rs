//! Text files from other programs: UTF-8 with or without a mark. Any other encoding is named.

use thiserror::Error;

/// The mark which some programs put before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Why bytes are no text of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    /// Two bytes per character, as some systems write by default.
    #[error("the text is UTF-16, expected UTF-8: save or convert it as UTF-8")]
    Utf16,
    /// Not UTF-8.
    #[error("the text is not UTF-8: byte {at} belongs to no character")]
    NotUtf8 {
        /// The first such byte.
        at: usize,
    },
    /// The first character is not one that begins this kind of file.
    #[error("the file begins with the byte 0x{found:02x}, expected {expected}")]
    Begins {
        /// The first byte which is not white space.
        found: u8,
        /// The characters allowed.
        expected: &'static str,
    },
}

/// The text of a file in UTF-8, without its mark.
///
/// # Errors
/// [`TextError::Utf16`] or [`TextError::NotUtf8`].
pub fn decode(file: &[u8]) -> Result<&str, TextError> {
    ensure_not_utf16(file)?;
    let text = file.strip_prefix(MARK).unwrap_or(file);
    std::str::from_utf8(text)
        .map_err(|error| TextError::NotUtf8 { at: file.len() - text.len() + error.valid_up_to() })
}

/// Judges a file by its first bytes: behind a mark and white space is one of the characters
/// `expected`, if anything.
///
/// # Errors
/// [`TextError::Utf16`] or [`TextError::Begins`].
pub fn ensure_begins(head: &[u8], expected: &'static str) -> Result<(), TextError> {
    ensure_not_utf16(head)?;
    let head = head.strip_prefix(MARK).unwrap_or(head);
    match head.iter().copied().find(|byte| !byte.is_ascii_whitespace()) {
        Some(found) if !expected.as_bytes().contains(&found) => {
            Err(TextError::Begins { found, expected })
        }
        _ => Ok(()),
    }
}

/// The first character of a JSON file is an ASCII one. Next to a zero byte it is one of UTF-16.
fn ensure_not_utf16(file: &[u8]) -> Result<(), TextError> {
    match file {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(TextError::Utf16),
        [0, other, ..] | [other, 0, ..] if *other != 0 => Err(TextError::Utf16),
        _ => Ok(()),
    }
}
