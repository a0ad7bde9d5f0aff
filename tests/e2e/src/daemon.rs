//! A running `xferd`.

use crate::client::Running;
use crate::program::{Program, Which, command};
use rustix::process::Signal;
use std::ffi::OsString;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

/// A daemon under test; it is killed when this is dropped, and its log printed when the test fails.
pub struct Daemon {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its state directory.
    pub state: PathBuf,
    /// Which I/O it uses, as its ready line says.
    pub io: String,
    program: Program,
    log: PathBuf,
}

/// How a daemon is started.
#[derive(Clone)]
pub struct Start {
    state: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    listen: String,
    cores: u16,
}

impl Start {
    /// With this state directory; on a free loopback port, two cores.
    pub fn new(state: &Path) -> Self {
        let listen = "127.0.0.1:0".into();
        Self { state: state.to_owned(), arguments: Vec::new(), environment: Vec::new(), listen, cores: 2 }
    }

    /// The share at `/`.
    pub fn root(self, root: &Path) -> Self {
        self.arguments([OsString::from("--root"), root.into()])
    }

    /// Further arguments.
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// A variable of its environment.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// On so many cores.
    pub fn cores(mut self, cores: u16) -> Self {
        self.cores = cores;
        self
    }

    /// Where it shall listen.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address.to_string();
        self
    }

    /// A configuration file beside the state directory.
    pub fn config(self, text: &str) -> Self {
        let path = self.state.with_extension("toml");
        std::fs::write(&path, text).expect("a configuration can be written");
        self.arguments([OsString::from("--config"), path.into()])
    }

    fn program(&self, log: &Path) -> Program {
        let log = File::options().create(true).append(true).open(log).expect("a log can be written");
        let mut command = command("xferd");
        command.arg("--state").arg(&self.state).arg("--listen").arg(&self.listen);
        command.args(["--cores", &self.cores.to_string()]).args(&self.arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        Program::start_logging(&mut command, log)
    }

    /// Starts it and waits for its ready line.
    pub fn ready(&self) -> Daemon {
        self.ready_or_ended().unwrap_or_else(|status| {
            let said = std::fs::read_to_string(self.state.with_extension("log")).unwrap_or_default();
            panic!("xferd ended before it was ready ({status}): {said}")
        })
    }

    /// Starts it and waits for its ready line, or its end.
    ///
    /// # Errors
    /// How it ended before it was ready.
    pub fn ready_or_ended(&self) -> Result<Daemon, ExitStatus> {
        let log = self.state.with_extension("log");
        let mut program = self.program(&log);
        let Some(line) = program.line() else { return Err(program.wait()) };
        let line = String::from_utf8(line).expect("the ready line is text");
        let value = |key: &str| {
            let found = line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            found.unwrap_or_else(|| panic!("{key}= is missing in {line:?}")).to_owned()
        };
        assert!(line.starts_with("ready "), "not a ready line: {line:?}");
        let addr = value("listen").parse().expect("listen= is an address");
        Ok(Daemon { addr, state: self.state.clone(), io: value("io"), program, log })
    }

    /// Starts it and waits for its end: for what must not start.
    pub fn refused(&self) -> (ExitStatus, String) {
        let log = self.state.with_extension("log");
        let mut program = self.program(&log);
        if let Some(line) = program.line() {
            panic!("xferd started: {}", String::from_utf8_lossy(&line));
        }
        let status = program.wait();
        (status, std::fs::read_to_string(&log).unwrap_or_default())
    }
}

impl Daemon {
    /// A daemon with this state and this root, as most tests want it.
    pub fn start(state: &Path, root: &Path) -> Self {
        Start::new(state).root(root).ready()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A join token for this account, with `extra` arguments such as `--ttl 1s`.
    pub fn invite(&self, account: &str, extra: &[&str]) -> String {
        let out = self.command(&["invite", "--account", account]).args(extra).output().expect("xferd runs");
        let errors = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "xferd invite: {} {errors}", out.status);
        let text = String::from_utf8(out.stdout).expect("a token is text");
        assert_eq!(text.lines().count(), 1, "the token stands alone on stdout: {text:?}");
        text.trim().to_owned()
    }

    /// A subcommand of `xferd` on this daemon's state.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = command("xferd");
        command.args(arguments).arg("--state").arg(&self.state).stdin(Stdio::null());
        command
    }

    /// SIGKILL, and its end.
    pub fn kill(mut self) {
        self.program.signal(Signal::KILL);
        let status = self.program.wait();
        assert_eq!(status.signal(), Some(9), "xferd ended by itself: {status}");
    }

    /// SIGTERM, and its end.
    pub fn terminate(mut self) -> ExitStatus {
        self.program.signal(Signal::TERM);
        self.program.wait()
    }

    /// Waits until it ends by itself, as at a crash point.
    pub fn wait(mut self) -> ExitStatus {
        self.program.wait()
    }

    /// How it ends when it should end while `command` runs: by itself, else by SIGTERM after the command.
    pub fn outlives(mut self, mut command: Running) -> ExitStatus {
        if Program::first_to_end(&mut self.program, command.program()) == Which::First {
            command.kill();
        } else {
            command.end();
            self.program.signal(Signal::TERM);
        }
        self.program.wait()
    }

    /// Sends a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.program.signal(signal);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("log of xferd ({}):\n{}", self.addr, self.log());
        }
    }
}
