//! What the run tells: chapters and sentences on standard output, and the same figures in
//! `report.json`.

use std::cell::RefCell;
use std::fmt::Display;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use zkmargin_host::{OutputError, output};

use crate::{Outcome, keep};

/// The running story.
pub struct Narrative {
    started: Instant,
    chapters: usize,
    figures: Map<String, Value>,
    /// The first sentence that could not be written; nothing is written after it.
    failure: RefCell<Option<OutputError>>,
}

impl Narrative {
    /// Begins.
    pub fn new() -> Self {
        let (started, failure) = (Instant::now(), RefCell::new(None));
        Self { started, chapters: 0, figures: Map::new(), failure }
    }

    fn line(&self, text: impl Display) {
        let mut failure = self.failure.borrow_mut();
        if failure.is_none() {
            *failure = output::line(text).err();
        }
    }

    /// Ends the run if something that it told could not be written. A closed pipe does not end it.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn check(&self) -> Outcome<()> {
        self.failure.take().map_or(Ok(()), |failure| Err(failure.into()))
    }

    /// A new chapter.
    pub fn chapter(&mut self, title: &str) {
        self.chapters += 1;
        self.line(format_args!("\n{}. {title}", self.chapters));
    }

    /// A sentence.
    pub fn say(&self, sentence: impl Display) {
        self.line(format_args!("   {sentence}"));
    }

    /// A figure for the report.
    pub fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Does `work` and notes the seconds it took under `name`.
    pub fn timed<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> (T, Duration) {
        let start = Instant::now();
        let result = work();
        let took = start.elapsed();
        self.figure(name, took.as_secs_f64());
        (result, took)
    }

    /// Ends: total time, report.
    pub fn close(mut self, out: &Path) -> Outcome<()> {
        let total = self.started.elapsed();
        self.figure("total_s", total.as_secs_f64());
        keep(out, "report.json", serde_json::to_string_pretty(&self.figures)? + "\n")?;
        self.chapter("Done");
        self.say(format_args!("{} in all; every artefact is in {}", took(total), out.display()));
        self.check()
    }
}

/// A duration for people: milliseconds below ten seconds.
pub fn took(duration: Duration) -> String {
    if duration < Duration::from_secs(10) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// A count with commas.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (count, text) in cases {
            assert_eq!(grouped(count), text);
        }
    }
}
