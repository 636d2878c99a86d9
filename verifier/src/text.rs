//! Text files from other programs: UTF-8 with or without a mark; any other encoding is named.

use thiserror::Error;

/// The mark which some programs put before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Why bytes are no text of this release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodingError {
    /// Two bytes per character, as some systems write by default.
    #[error("the text is UTF-16, expected UTF-8: save or convert it as UTF-8")]
    Utf16,
    /// Not UTF-8.
    #[error("the text is not UTF-8: byte {at} belongs to no character")]
    NotUtf8 {
        /// The first such byte.
        at: usize,
    },
}

/// The text of a file in UTF-8, without its mark.
///
/// # Errors
/// [`EncodingError`].
pub fn decode(file: &[u8]) -> Result<&str, EncodingError> {
    ensure_not_utf16(file)?;
    let text = file.strip_prefix(MARK).unwrap_or(file);
    std::str::from_utf8(text).map_err(|error| EncodingError::NotUtf8 {
        at: file.len() - text.len() + error.valid_up_to(),
    })
}

/// The first character of a JSON file is an ASCII one. Next to a zero byte it is one of UTF-16.
///
/// # Errors
/// [`EncodingError::Utf16`].
pub fn ensure_not_utf16(file: &[u8]) -> Result<(), EncodingError> {
    match file {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(EncodingError::Utf16),
        [0, other, ..] | [other, 0, ..] if *other != 0 => Err(EncodingError::Utf16),
        _ => Ok(()),
    }
}

/// The first character that is not white space, behind the mark, of a file that begins like this.
pub fn first_character(head: &[u8]) -> Option<u8> {
    let head = head.strip_prefix(MARK).unwrap_or(head);
    head.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}
