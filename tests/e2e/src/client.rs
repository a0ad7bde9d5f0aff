//! `xfer` with a state directory of its own.

use crate::daemon::Daemon;
use crate::program::{Program, command};
use rustix::process::Signal;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

/// A device that runs `xfer`.
#[derive(Clone)]
pub struct Client {
    /// Its state directory.
    pub state: PathBuf,
    /// Where its commands run.
    pub folder: PathBuf,
    environment: Vec<(String, String)>,
}

/// What one command did.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Client {
    /// A client with this state directory, running in `folder`.
    pub fn new(state: &Path, folder: &Path) -> Self {
        Self { state: state.to_owned(), folder: folder.to_owned(), environment: Vec::new() }
    }

    /// The same client with a variable in its environment.
    pub fn environment(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.environment.push((name.into(), value.into()));
        other
    }

    /// A client that joined this daemon as `account` under the name `name`.
    pub fn joined(state: &Path, folder: &Path, daemon: &Daemon, account: &str, name: &str) -> Self {
        let client = Self::new(state, folder);
        client.run(["join", &daemon.invite(account, &[]), "--name", name]).ok();
        client
    }

    /// Starts a command and leaves it running.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Running {
        let mut command = command("xfer");
        command.arg("--state").arg(&self.state).args(arguments).current_dir(&self.folder);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        Running { program: Program::start(&mut command), stdout: Vec::new() }
    }

    /// Runs a command to its end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        self.start(arguments).end()
    }

    /// Runs a command with this standard input.
    pub fn run_with_input<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: &[u8],
    ) -> Run {
        let mut command = command("xfer");
        command
            .arg("--state")
            .arg(&self.state)
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::piped());
        let mut program = Program::start(&mut command);
        let mut stdin = program.take_stdin().expect("stdin is piped");
        let _ = stdin.write_all(input);
        drop(stdin);
        Running { program, stdout: Vec::new() }.end()
    }

    /// Runs a command with `--json`.
    pub fn json<A: Into<OsString>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        self.run(arguments.into_iter().map(Into::into).chain([OsString::from("--json")]))
    }
}

/// A command that runs.
pub struct Running {
    program: Program,
    stdout: Vec<u8>,
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// The program itself.
    pub(crate) fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// Reads events until one satisfies `wanted`; `None` when the command ended first.
    pub fn event(&mut self, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        while let Some(line) = self.program.line() {
            self.stdout.extend_from_slice(&line);
            if let Some(event) = serde_json::from_slice(&line).ok().filter(&wanted) {
                return Some(event);
            }
        }
        None
    }

    /// Sends a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.program.signal(signal);
    }

    /// SIGKILL, and its end.
    pub fn kill(mut self) -> Run {
        self.program.signal(Signal::KILL);
        self.end()
    }

    /// Waits for its end.
    pub fn end(mut self) -> Run {
        while let Some(line) = self.program.line() {
            self.stdout.extend_from_slice(&line);
        }
        let status = self.program.wait();
        Run { status, stdout: self.stdout, stderr: self.program.errors() }
    }
}

impl Run {
    /// Its exit code; panics when a signal ended it.
    pub fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| panic!("ended by signal {:?}: {}", self.status.signal(), self.stderr))
    }

    /// Asserts exit 0.
    pub fn ok(self) -> Self {
        assert_eq!(
            self.code(),
            0,
            "stderr: {}\nstdout: {}",
            self.stderr,
            String::from_utf8_lossy(&self.stdout)
        );
        self
    }

    /// Asserts this exit code, and that standard error says something beside it.
    pub fn fails(self, code: i32) -> Self {
        let text = self.text();
        assert_eq!(self.code(), code, "stderr: {}\nstdout: {text}", self.stderr);
        let said = !self.stderr.trim().is_empty() || text.contains("\"result\"");
        assert!(said, "exit {code} without a message");
        self
    }

    /// Its standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Every event of a `--json` run: numbered from 0 without a gap, of schema 1.
    pub fn events(&self) -> Vec<Value> {
        let lines = self.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let events: Vec<Value> = lines
            .map(|line| {
                serde_json::from_slice(line)
                    .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(line)))
            })
            .collect();
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event["schema"], 1, "{event}");
            assert_eq!(event["seq"], index, "{event}");
        }
        events
    }

    /// The one `result`, which comes last and agrees with the exit code.
    pub fn result(&self) -> Value {
        let events = self.events();
        let results = events.iter().filter(|event| event["event"] == "result").count();
        assert_eq!(results, 1, "exactly one result: {}\n{}", self.text(), self.stderr);
        let result = events.last().cloned().unwrap_or_default();
        assert_eq!(result["event"], "result", "the result comes last");
        assert_eq!(result["exit"], self.code(), "{result}");
        assert_eq!(result["ok"], self.code() == 0, "{result}");
        result
    }

    /// A number of the result, such as `bytes` or `files.created`.
    pub fn number(&self, path: &str) -> u64 {
        let result = self.result();
        let value = path.split('.').fold(&result, |value, key| &value[key]);
        value.as_u64().unwrap_or_else(|| panic!("{path} is not a number in {result}"))
    }

    /// The `file` events, each of this action.
    pub fn files(&self, action: &str) -> Vec<Value> {
        let wanted = |event: &Value| event["event"] == "file" && event["action"] == action;
        self.events().into_iter().filter(wanted).collect()
    }
}
