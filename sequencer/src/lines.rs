//! Input as groups of bounded lines. A group is committed, and answered, together.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use zkmargin_verifier::text::{self, TextError};

use crate::answer::{Reason, Refusal};

/// Greatest length of a line, bytes, without its end.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Lines read ahead.
const READ_AHEAD: usize = 64;
/// How long an input is silent before its group is empty.
pub const QUIET: Duration = Duration::from_millis(500);

/// One line that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Number in the input, from 1.
    pub number: u64,
    /// The text, or why there is none.
    pub text: Result<String, Refusal>,
}

/// Reads `input` in the background. A group is what has arrived while the one before was written,
/// at most `group_max` lines: one line when the sender waits for each answer, many when it does
/// not. When nothing arrives for half a second, the group is empty.
///
/// An error of `input` ends the groups with that error.
///
/// # Errors
/// Those of starting a thread.
pub fn read_groups(
    input: impl Read + Send + 'static,
    group_max: usize,
) -> io::Result<impl Iterator<Item = io::Result<Vec<Line>>>> {
    let (sender, receiver) = mpsc::sync_channel(READ_AHEAD);
    thread::Builder::new().spawn(move || {
        let mut reader = BufReader::new(input);
        let mut number = 0;
        while let Some(line) = next_line(&mut reader, &mut number).transpose() {
            let is_last = line.is_err();
            // The receiver is gone when the sequencer stops.
            if sender.send(line).is_err() || is_last {
                return;
            }
        }
    })?;
    Ok(std::iter::from_fn(move || next_group(&receiver, group_max)))
}

fn next_group(
    receiver: &Receiver<io::Result<Line>>,
    group_max: usize,
) -> Option<io::Result<Vec<Line>>> {
    let first = match receiver.recv_timeout(QUIET) {
        Ok(first) => first,
        Err(RecvTimeoutError::Timeout) => return Some(Ok(Vec::new())),
        Err(RecvTimeoutError::Disconnected) => return None,
    };
    std::iter::once(first)
        .chain(receiver.try_iter())
        .take(group_max.max(1))
        .collect::<io::Result<_>>()
        .into()
}

/// The next line with anything but white space in it.
fn next_line(reader: &mut impl BufRead, number: &mut u64) -> io::Result<Option<Line>> {
    loop {
        let mut bytes = Vec::new();
        let limit = LINE_BYTES_MAX as u64 + 1;
        if reader.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        *number += 1;
        if bytes.len() > LINE_BYTES_MAX && !bytes.ends_with(b"\n") {
            reader.skip_until(b'\n')?;
            let what = "bytes of a line are more than";
            let refusal = Refusal::new(Reason::LineLength, what, LINE_BYTES_MAX);
            return Ok(Some(Line { number: *number, text: Err(refusal) }));
        }
        let text = text_of(&bytes);
        if *number == 1 && matches!(text, Err(Unreadable::Utf16)) {
            // In such an input a line does not end where its bytes say so: nothing else can be
            // read.
            io::copy(reader, &mut io::sink())?;
        }
        if text.as_ref().is_ok_and(|text| text.trim_ascii().is_empty()) {
            continue;
        }
        let text = text.map(str::to_owned).map_err(Refusal::from);
        return Ok(Some(Line { number: *number, text }));
    }
}

/// Why the bytes of a line are no text.
enum Unreadable {
    Utf16,
    Zero(usize),
    Other(TextError),
}

/// The text of a line. Programs that join files leave the mark of UTF-8 in the middle.
fn text_of(bytes: &[u8]) -> Result<&str, Unreadable> {
    let text = text::decode(bytes).map_err(|error| match error {
        TextError::Utf16 => Unreadable::Utf16,
        error => Unreadable::Other(error),
    })?;
    match text.find('\0') {
        Some(at) => Err(Unreadable::Zero(at)),
        None => Ok(text),
    }
}

impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Utf16 => Self::new(Reason::Malformed, "UTF-8 is wanted, found", "UTF-16"),
            Unreadable::Zero(at) => Self::new(Reason::Malformed, "a zero byte, at place", at),
            Unreadable::Other(error) => Self::new(Reason::Malformed, "UTF-8 is wanted", error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], group_max: usize) -> Vec<Vec<Line>> {
        let input = io::Cursor::new(input.to_vec());
        let groups = read_groups(input, group_max)
            .expect("a thread")
            .map(|group| group.expect("a cursor does not fail"));
        groups.filter(|group| !group.is_empty()).collect()
    }

    #[test]
    fn accepts_lines_with_and_without_end() {
        let lines = read(b"a\n\n  \r\nb\n{c}", 2).concat();
        let seen: Vec<_> = lines.iter().map(|l| (l.number, l.text.clone())).collect();
        let expect = [(1, "a\n"), (4, "b\n"), (5, "{c}")];
        assert_eq!(seen, expect.map(|(n, text)| (n, Ok(text.to_owned()))));
    }

    #[test]
    fn groups_are_bounded() {
        let groups = read(b"1\n2\n3\n4\n5\n", 2);
        assert!(groups.iter().all(|group| (1..=2).contains(&group.len())));
        assert_eq!(groups.concat().len(), 5);
    }

    #[test]
    fn rejects_overlong_line_and_goes_on() {
        for excess in [0, 1, 2, 70_000] {
            let mut input = vec![b'x'; LINE_BYTES_MAX + excess];
            input.extend(b"\nnext\n");
            let lines = read(&input, 9).concat();
            assert_eq!(lines.len(), 2, "excess {excess}");
            assert_eq!(lines[0].text.is_ok(), excess == 0, "excess {excess}");
            assert_eq!(lines[1], Line { number: 2, text: Ok("next\n".into()) });
        }
    }

    /// What the lines say, or why they say nothing.
    fn texts(input: &[u8]) -> Vec<(u64, Result<String, String>)> {
        let text = |line: Line| {
            let text = line.text.map(|text| text.trim().to_owned());
            (line.number, text.map_err(|refusal| format!("{} {}", refusal.what, refusal.value)))
        };
        read(input, 9).concat().into_iter().map(text).collect()
    }

    #[test]
    fn rejects_bytes_that_are_no_text_and_goes_on() {
        let found = texts(b"\xffx\nok\nab\0c\n\0\0\nlast");
        let refused = |text: &str| Err(text.to_owned());
        let no_character = "UTF-8 is wanted the text is not UTF-8: byte 0 belongs to no character";
        let expected = [
            (1, refused(no_character)),
            (2, Ok("ok".to_owned())),
            (3, refused("a zero byte, at place 2")),
            (4, refused("a zero byte, at place 0")),
            (5, Ok("last".to_owned())),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn accepts_the_mark_of_utf_8_and_every_end_of_line() {
        for ends in ["\n", "\r\n"] {
            for last in ["", ends] {
                for mark in ["", "\u{feff}", "\u{feff}\n"] {
                    let input = format!("{mark}one{ends}{ends}\u{feff}two{ends}three{last}");
                    let found = texts(input.as_bytes()).into_iter().map(|(_, text)| text);
                    let expected = ["one", "two", "three"].map(|text| Ok(text.to_owned()));
                    assert_eq!(found.collect::<Vec<_>>(), expected, "{input:?}");
                }
            }
        }
    }

    #[test]
    fn rejects_utf_16_once_and_names_it() {
        for (mark, is_little) in [("", true), ("", false), ("\u{feff}", true), ("\u{feff}", false)]
        {
            let text = format!("{mark}{{\"a\": 1}}\r\n{{\"a\": 2}}\n");
            let bytes: Vec<u8> = text
                .encode_utf16()
                .flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() })
                .collect();
            let expected = [(1, Err("UTF-8 is wanted, found UTF-16".to_owned()))];
            assert_eq!(texts(&bytes), expected, "{mark:?} {is_little}");
        }
    }
}
