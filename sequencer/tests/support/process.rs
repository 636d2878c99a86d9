//! Runs of the binary, as a person or another program runs it.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for a line that must come; a test that fails does not hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// The binary with a store and arguments, its standard streams captured.
pub fn sequencer<S: AsRef<OsStr>>(store: &Path, arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequencer"));
    command.arg("--store").arg(store).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn run<S: AsRef<OsStr>>(store: &Path, arguments: &[S]) -> Output {
    sequencer(store, arguments).output().expect("the sequencer's binary")
}

/// A file of this content below `folder`.
pub fn written(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).expect("room for a file");
    path
}

pub fn standard_error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// The lines of standard output.
pub fn answers(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A process that is given lines and answers them.
pub struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    answers: Receiver<Value>,
}

impl Talk {
    pub fn start<S: AsRef<OsStr>>(store: &Path, arguments: &[S]) -> Self {
        let mut command = sequencer(store, arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("the sequencer's binary");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let answer = serde_json::from_str(&line).expect("JSON");
                if sender.send(answer).is_err() {
                    return;
                }
            }
        });
        Self { input: child.stdin.take(), child, answers }
    }

    pub fn send(&mut self, line: &str) {
        let input = self.input.as_mut().expect("an open input");
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("a process that reads");
    }

    /// The next answer.
    pub fn answer(&self) -> Value {
        self.answers.recv_timeout(PATIENCE).expect("an answer")
    }

    pub fn ask(&mut self, line: &str) -> Value {
        self.send(line);
        self.answer()
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("our child");
    }

    /// Ends the input; how the process ends and what it said.
    pub fn end(mut self) -> (ExitStatus, Vec<Value>) {
        drop(self.input.take());
        let status = self.child.wait().expect("our child");
        (status, self.answers.iter().collect())
    }
}
