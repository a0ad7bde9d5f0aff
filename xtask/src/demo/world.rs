//! A daemon and a client, started and ended by handle.

use super::HANG;
use super::report::Row;
use crate::shell::{Outcome, describe, taken, target};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The two ends of the demo.
pub(super) struct World {
    folder: PathBuf,
    cores: usize,
    daemon: Process,
    address: String,
    io: String,
    /// CPU seconds of daemons that are gone.
    spent: f64,
}

/// A child that does not outlive its handle.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A client command that runs.
pub(super) struct Client {
    process: Process,
    output: PathBuf,
    line: String,
    children_cpu: f64,
    daemon_cpu: f64,
}

impl World {
    /// Starts a daemon on a free loopback port.
    pub(super) fn start(folder: &Path, cores: usize) -> Outcome<Self> {
        let root = folder.join("root");
        std::fs::create_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()))?;
        let (daemon, address, io) = start_daemon(folder, cores, "127.0.0.1:0")?;
        Ok(Self { folder: folder.to_owned(), cores, daemon, address, io, spent: 0.0 })
    }

    /// Where the daemon listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Which I/O it uses.
    pub(super) fn io(&self) -> &str {
        &self.io
    }

    /// The folder it serves.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Enrols the client under the name `demo`.
    pub(super) fn join(&self) -> Outcome<()> {
        let mut invite = program("xferd", &self.folder);
        let token =
            taken(invite.args(["invite", "--account", "demo", "--state"]).arg(self.folder.join("daemon")))?;
        taken(self.client().args(["join", &token, "--name", "demo"])).map(drop)
    }

    /// Runs a client command to its end and measures it.
    pub(super) fn measured(&self, name: &str, arguments: &[&str]) -> Outcome<Row> {
        let began = Instant::now();
        self.start_client(arguments)?.end(name, began, || self.daemon_cpu())
    }

    /// Starts a client command with `--json`.
    pub(super) fn start_client(&self, arguments: &[&str]) -> Outcome<Client> {
        let output = self.folder.join("client.json");
        let file = File::create(&output).map_err(|error| format!("{}: {error}", output.display()))?;
        let mut command = self.client();
        command.args(arguments).arg("--json").stdin(Stdio::null()).stdout(file);
        let line = describe(&command);
        let (children_cpu, daemon_cpu) = (children_cpu(), self.daemon_cpu());
        let child = command.spawn().map_err(|error| format!("{line}: {error}"))?;
        Ok(Client { process: Process(child), output, line, children_cpu, daemon_cpu })
    }

    /// Waits until the daemon's journal names about `bytes`; how many it names.
    pub(super) fn journal_reaches(&self, client: &mut Client, bytes: u64) -> Outcome<u64> {
        let journal = self.folder.join("daemon/journal");
        let until = Instant::now() + HANG;
        while Instant::now() < until {
            let sizes = std::fs::read_dir(&journal).into_iter().flatten().flatten();
            let sizes = sizes.filter(|entry| entry.path().extension().is_some_and(|end| end == "xj"));
            let most =
                sizes.filter_map(|entry| entry.metadata().ok()).map(|stat| stat.len()).max().unwrap_or(0);
            let named = most / JOURNAL_RECORD_BYTES * CHUNK_BYTES;
            if named >= bytes {
                return Ok(named);
            }
            if matches!(client.process.0.try_wait(), Ok(Some(_))) {
                return Err(format!(
                    "{}: ended before it could be interrupted; try a larger --mib",
                    client.line
                ));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err("the journal did not grow".into())
    }

    /// SIGKILL, then a daemon on the same port and state.
    pub(super) fn kill_and_restart(&mut self) -> Outcome<()> {
        self.spent = self.daemon_cpu();
        self.daemon
            .0
            .kill()
            .and_then(|()| self.daemon.0.wait())
            .map_err(|error| format!("xferd: {error}"))?;
        let (daemon, address, _) = start_daemon(&self.folder, self.cores, &self.address)?;
        self.daemon = daemon;
        if address != self.address {
            return Err(format!("xferd listens on {address} instead of {}", self.address));
        }
        Ok(())
    }

    /// SIGTERM, and an orderly end.
    pub(super) fn stop(mut self) -> Outcome<()> {
        let pid = rustix::process::Pid::from_child(&self.daemon.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)
            .map_err(|error| error.to_string())?;
        let status = self.daemon.0.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("xferd after SIGTERM: {status}")) }
    }

    /// CPU seconds of every daemon of this demo so far.
    pub(super) fn daemon_cpu(&self) -> f64 {
        self.spent + cpu_of(&format!("/proc/{}/stat", self.daemon.0.id()), 13)
    }

    /// A command of the daemon's operator.
    pub(super) fn daemon_command(&self) -> Command {
        let mut command = program("xferd", &self.folder);
        command.arg("--state").arg(self.folder.join("daemon"));
        command
    }

    /// A command of the client.
    pub(super) fn client(&self) -> Command {
        let mut command = program("xfer", &self.folder);
        command.arg("--state").arg(self.folder.join("client"));
        command
    }
}

impl Client {
    /// Waits for its end; what it did.
    pub(super) fn end(mut self, name: &str, began: Instant, daemon_cpu: impl Fn() -> f64) -> Outcome<Row> {
        let status = self.process.0.wait().map_err(|error| format!("{}: {error}", self.line))?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu_seconds = children_cpu() - self.children_cpu + daemon_cpu() - self.daemon_cpu;
        let text = std::fs::read_to_string(&self.output).map_err(|error| error.to_string())?;
        let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let Some(result) = events.iter().rfind(|event| event["event"] == "result") else {
            return Err(format!("{}: {status}, and no result", self.line));
        };
        if !status.success() || result["ok"] != true {
            return Err(format!("{}: {status}: {} {}", self.line, result["code"], result["message"]));
        }
        let files = |kind: &str| result["files"][kind].as_u64().unwrap_or(0);
        let resumed = result["bytes_resumed"].as_u64().unwrap_or(0);
        let sent = result["bytes"].as_u64().unwrap_or(0);
        let roots = events.iter().filter(|event| event["event"] == "file");
        Ok(Row {
            name: name.to_owned(),
            seconds,
            cpu_seconds,
            bytes: sent + resumed,
            bytes_sent: sent,
            bytes_resumed: resumed,
            files: files("created") + files("replaced") + files("unchanged"),
            roots: roots.filter_map(|event| event["root"].as_str().map(str::to_owned)).collect(),
            limiting: result["limiting"].as_str().unwrap_or("-").to_owned(),
        })
    }
}

/// A record of a file's journal, at least: length, kind, sequence, previous, chunk, value, check.
const JOURNAL_RECORD_BYTES: u64 = 84;
/// A chunk of a file of this size.
const CHUNK_BYTES: u64 = 1 << 20;

/// A program of ours, with the demo's folders only.
pub(super) fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(target().join("release").join(name));
    command.current_dir(folder);
    for variable in ["XFERD_STATE", "XFER_STATE"] {
        command.env_remove(variable);
    }
    command
}

fn start_daemon(folder: &Path, cores: usize, listen: &str) -> Outcome<(Process, String, String)> {
    let log_path = folder.join("xferd.log");
    let log = File::options().create(true).append(true).open(&log_path).map_err(|error| error.to_string())?;
    let mut command = program("xferd", folder);
    command.args(["--cores", &cores.to_string(), "--listen", listen]);
    command.arg("--root").arg(folder.join("root")).arg("--state").arg(folder.join("daemon"));
    command.arg("--config").arg(super::policy::config(folder));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut process = Process(command.spawn().map_err(|error| format!("xferd: {error}"))?);
    let mut line = String::new();
    if let Some(stdout) = process.0.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).map_err(|error| format!("xferd: {error}"))?;
    }
    let value =
        |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    match (line.starts_with("ready "), value("listen"), value("io")) {
        (true, Some(address), Some(io)) => Ok((process, address.to_owned(), io.to_owned())),
        _ => {
            let mut said = String::new();
            let _ = File::open(&log_path).and_then(|mut file| file.read_to_string(&mut said));
            Err(format!("xferd did not become ready: {line:?} {said}"))
        }
    }
}

/// CPU seconds of the children of this process that were waited for.
fn children_cpu() -> f64 {
    cpu_of("/proc/self/stat", 15)
}

/// The sum of two neighbouring fields of a stat file, in seconds; fields are numbered from 0 (proc_pid_stat(5)).
fn cpu_of(path: &str, field: usize) -> f64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // The name in field 1 may hold blanks and parentheses; what follows its last parenthesis begins with field 2.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = rest.split_whitespace().skip(field - 2).take(2).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() / rustix::param::clock_ticks_per_second() as f64
}
