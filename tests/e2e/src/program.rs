//! Where the programs are, and how one is started, waited for and ended. Only by handle, never by name.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long anything may take before a test calls it hung. No test asserts a duration below it.
pub const HANG: Duration = Duration::from_secs(300);

/// The program of this name: in `XFERD_BIN_DIR`, else beside the folder of this test.
pub fn binary(name: &str) -> PathBuf {
    let dir = std::env::var_os("XFERD_BIN_DIR").map(PathBuf::from).unwrap_or_else(|| {
        let here = std::env::current_exe().expect("a test has a path");
        here.ancestors().nth(2).expect("a test lies in target/<profile>/deps").to_owned()
    });
    let path = dir.join(name);
    assert!(path.exists(), "{}: build it first: cargo build -p xferd (or set XFERD_BIN_DIR)", path.display());
    path
}

/// A program of ours with an empty environment but PATH, so that nothing of the user's is used.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(binary(name));
    command.env_clear();
    for keep in ["PATH", "RUST_BACKTRACE", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(keep) {
            command.env(keep, value);
        }
    }
    command
}

/// One of two programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// The first.
    First,
    /// The second.
    Second,
}

/// A started program, its output taken line by line. It is killed when this is dropped.
pub struct Program {
    child: Child,
    lines: Receiver<Vec<u8>>,
    errors: Option<JoinHandle<String>>,
}

impl Program {
    /// Starts it with both outputs taken; standard input is as the command says.
    pub fn start(command: &mut Command) -> Self {
        Self::spawn(command.stderr(Stdio::piped()))
    }

    /// Starts it with its standard error in a file.
    pub fn start_logging(command: &mut Command, log: File) -> Self {
        Self::spawn(command.stderr(log))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().expect("stdout is piped");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                if send.send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        });
        let errors = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = stderr.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        });
        Self { child, lines, errors }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard input, once.
    pub fn take_stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// The next line of its output with its newline; `None` when it closed its output.
    pub fn line(&mut self) -> Option<Vec<u8>> {
        match self.lines.recv_timeout(HANG) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("pid {} hangs: no line, no end of output", self.id()),
        }
    }

    /// Sends a signal.
    pub fn signal(&mut self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        let _ = kill_process(pid, signal);
    }

    /// Waits for its end; kills it and panics when it hangs.
    pub fn wait(&mut self) -> ExitStatus {
        if !self.ended_within(HANG) {
            let _ = self.child.kill();
            let _ = self.child.wait();
            panic!("pid {} hung; its errors: {}", self.id(), self.errors());
        }
        self.child.wait().expect("a child can be waited for")
    }

    /// What it wrote to standard error. Waits for its end.
    pub fn errors(&mut self) -> String {
        let _ = self.child.wait();
        self.errors.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }

    /// Which of two programs ends first.
    pub fn first_to_end(first: &mut Program, second: &mut Program) -> Which {
        let open = |program: &mut Program| pidfd_open(Pid::from_child(&program.child), PidfdFlags::empty());
        let (Ok(one), Ok(other)) = (open(first), open(second)) else { panic!("no pidfd") };
        let mut watched = [PollFd::new(&one, PollFlags::IN), PollFd::new(&other, PollFlags::IN)];
        let wait = Timespec { tv_sec: HANG.as_secs() as i64, tv_nsec: 0 };
        match poll(&mut watched, Some(&wait)) {
            Ok(0) => panic!("pids {} and {} hang", first.id(), second.id()),
            Ok(_) if watched[0].revents().contains(PollFlags::IN) => Which::First,
            Ok(_) => Which::Second,
            Err(error) => panic!("poll: {error}"),
        }
    }

    fn ended_within(&mut self, limit: Duration) -> bool {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return true;
        }
        let Ok(pidfd) = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty()) else { return true };
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let wait = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
            match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&wait)) {
                Ok(0) => return false,
                Ok(_) => return true,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("poll: {error}"),
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
