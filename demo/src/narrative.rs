//! What the run tells: chapters and sentences on standard output, and the same figures in `report.json`.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::{Outcome, keep};

/// The running story.
pub struct Narrative {
    started: Instant,
    chapters: usize,
    figures: Map<String, Value>,
}

impl Narrative {
    /// Begins.
    pub fn new() -> Self {
        Self { started: Instant::now(), chapters: 0, figures: Map::new() }
    }

    /// A new chapter.
    pub fn chapter(&mut self, title: &str) {
        self.chapters += 1;
        println!("\n{}. {title}", self.chapters);
    }

    /// A sentence.
    pub fn say(&self, sentence: impl std::fmt::Display) {
        println!("   {sentence}");
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
        Ok(())
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
