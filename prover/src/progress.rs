//! Progress of long work: a bar on a terminal, log lines elsewhere, nothing in tests.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zkmargin_host::output::note;

/// Receives the progress of stages which run one after the other.
pub trait Progress: Sync {
    /// A stage of `total` units begins.
    fn begin(&self, stage: &str, total: u64);
    /// `done` units of the running stage are done.
    fn reach(&self, done: u64);
    /// The running stage ends.
    fn end(&self);
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}
    fn reach(&self, _: u64) {}
    fn end(&self) {}
}

/// A bar with the time left, on standard error.
pub struct Bar(ProgressBar);

impl Progress for Bar {
    fn begin(&self, stage: &str, total: u64) {
        self.0.reset();
        self.0.set_length(total);
        self.0.set_message(stage.to_owned());
    }

    fn reach(&self, done: u64) {
        self.0.set_position(done);
    }

    fn end(&self) {
        let took = indicatif::HumanDuration(self.0.elapsed());
        self.0.println(format!("{}: {took}", self.0.message()));
        self.0.set_position(0);
    }
}

/// A line on standard error when a stage begins and ends, and every ten seconds in between.
#[derive(Default)]
pub struct Log(Mutex<Option<Stage>>);

struct Stage {
    name: String,
    total: u64,
    started: Instant,
    spoken: Instant,
}

/// Between two lines of a stage.
const INTERVAL: Duration = Duration::from_secs(10);

impl Log {
    fn with(&self, act: impl FnOnce(&mut Option<Stage>)) {
        act(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Progress for Log {
    fn begin(&self, stage: &str, total: u64) {
        note(format_args!("{stage}: started"));
        let now = Instant::now();
        let stage = Stage { name: stage.to_owned(), total, started: now, spoken: now };
        self.with(|running| *running = Some(stage));
    }

    fn reach(&self, done: u64) {
        self.with(|running| {
            let Some(stage) = running else { return };
            if stage.spoken.elapsed() < INTERVAL || done == 0 {
                return;
            }
            stage.spoken = Instant::now();
            let spent = stage.started.elapsed().as_secs();
            let left = spent * stage.total.saturating_sub(done) / done;
            let percent = 100 * done / stage.total.max(1);
            note(format_args!("{}: {percent} %, about {left} s left", stage.name));
        });
    }

    fn end(&self) {
        self.with(|running| {
            if let Some(stage) = running.take() {
                let spent = stage.started.elapsed().as_secs_f64();
                note(format_args!("{}: {spent:.1} s", stage.name));
            }
        });
    }
}

/// A bar if standard error is a terminal, log lines otherwise.
pub fn for_standard_error() -> Box<dyn Progress> {
    if !std::io::stderr().is_terminal() {
        return Box::new(Log::default());
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} % {eta} left")
        .expect("the template is well formed");
    bar.set_style(style);
    Box::new(Bar(bar))
}
