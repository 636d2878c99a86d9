//! Input as groups of bounded lines. A group is committed, and answered, together.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use crate::answer::{Reason, Refusal};

/// Greatest length of a line, bytes, without its end.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Lines read ahead.
const READ_AHEAD: usize = 64;

/// One line that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Number in the input, from 1.
    pub number: u64,
    /// The text, or why there is none.
    pub text: Result<String, Refusal>,
}

/// Reads `input` in the background. A group is what has arrived while the one before was written, at most
/// `group_max` lines: one line when the sender waits for each answer, many when it does not.
///
/// An error of `input` ends the groups with that error.
pub fn read_groups(
    input: impl Read + Send + 'static,
    group_max: usize,
) -> impl Iterator<Item = io::Result<Vec<Line>>> {
    let (sender, receiver) = mpsc::sync_channel(READ_AHEAD);
    thread::spawn(move || {
        let mut reader = BufReader::new(input);
        let mut number = 0;
        while let Some(line) = next_line(&mut reader, &mut number).transpose() {
            let is_last = line.is_err();
            // The receiver is gone when the sequencer stops.
            if sender.send(line).is_err() || is_last {
                return;
            }
        }
    });
    std::iter::from_fn(move || next_group(&receiver, group_max))
}

fn next_group(
    receiver: &Receiver<io::Result<Line>>,
    group_max: usize,
) -> Option<io::Result<Vec<Line>>> {
    let first = receiver.recv().ok()?;
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
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let text = String::from_utf8(bytes)
            .map_err(|error| Refusal::new(Reason::Malformed, "UTF-8", error.utf8_error()));
        return Ok(Some(Line { number: *number, text }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], group_max: usize) -> Vec<Vec<Line>> {
        let input = io::Cursor::new(input.to_vec());
        read_groups(input, group_max).map(|group| group.expect("a cursor does not fail")).collect()
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

    #[test]
    fn rejects_bytes_that_are_no_text() {
        let lines = read(b"\xff\xfe\nok\n", 9).concat();
        assert_eq!(lines[0].text.as_ref().unwrap_err().rule, "Malformed");
        assert_eq!(lines[1].text, Ok("ok\n".to_owned()));
    }
}
