//! Processes of this bench and what they need: descendants, peak memory, bounded waiting.
//!
//! Only children that this process started are ever signalled, by their handle.

use crate::Outcome;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long one command may take before it is called hung.
pub const HANG: Duration = Duration::from_secs(600);
/// How often memory is looked at.
const SAMPLE: Duration = Duration::from_millis(20);

/// A child that is killed and waited for when this is dropped.
pub struct Kept(pub Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Makes a panic end the children of this process: where a panic aborts, nothing is dropped.
pub fn end_children_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |what| {
        before(what);
        for child in children(std::process::id()) {
            if let Some(pid) = rustix::process::Pid::from_raw(child as i32) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }));
}

/// Direct children of a process, of all its threads.
pub fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// A process and everything below it.
pub fn family(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut at = 0;
    while at < found.len() {
        let below = children(found[at]);
        found.extend(below);
        at += 1;
    }
    found
}

/// Runs a command to its end without its output; what it said on standard error is in the failure.
///
/// # Errors
/// It does not start, hangs or fails.
pub fn run(command: &mut Command) -> Outcome<()> {
    let line = described(command);
    let mut child = start(command)?;
    let status = wait(&mut child.0).map_err(|error| format!("{line}: {error}"))?;
    verdict(&line, status, &mut child.0)
}

/// Starts a command with its standard error taken.
///
/// # Errors
/// It does not start.
pub fn start(command: &mut Command) -> Outcome<Kept> {
    let line = described(command);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().map(Kept).map_err(|error| format!("{line}: {error}"))
}

/// How a started command ended, as text where it failed.
///
/// # Errors
/// It did not end with 0.
pub fn verdict(line: &str, status: ExitStatus, child: &mut Child) -> Outcome<()> {
    if status.success() {
        return Ok(());
    }
    let mut said = Vec::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = std::io::Read::read_to_end(&mut stderr, &mut said);
    }
    let said = String::from_utf8_lossy(&said);
    let tail: Vec<&str> = said.lines().rev().take(3).collect();
    Err(format!("{line}: {status}: {}", tail.into_iter().rev().collect::<Vec<_>>().join(" / ")))
}

/// Waits for the end of a child, which is killed when it hangs. Its standard error must not exceed a pipe.
///
/// # Errors
/// It hung.
pub fn wait(child: &mut Child) -> Outcome<ExitStatus> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let pidfd = rustix::process::pidfd_open(
        rustix::process::Pid::from_child(child),
        rustix::process::PidfdFlags::empty(),
    );
    if let Ok(pidfd) = pidfd {
        let limit = Timespec { tv_sec: HANG.as_secs() as i64, tv_nsec: 0 };
        if poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit)) == Ok(0) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("hung for {} s", HANG.as_secs()));
        }
    }
    child.wait().map_err(|error| error.to_string())
}

/// Waits until `done` holds, looking every millisecond.
///
/// # Errors
/// It does not within `limit`.
pub fn until(what: &str, limit: Duration, mut done: impl FnMut() -> bool) -> Outcome<()> {
    let end = Instant::now() + limit;
    while !done() {
        if Instant::now() > end {
            return Err(format!("{what}: not within {} s", limit.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Whether something listens on this loopback port. It is not connected to: a server of one connection would
/// take the question for its client.
pub fn listens(port: u16) -> bool {
    let wanted = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|table| {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        text.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.get(1).is_some_and(|local| local.ends_with(&wanted)) && words.get(3) == Some(&"0A")
        })
    })
}

/// A loopback port that is free when asked for.
///
/// # Errors
/// There is none.
pub fn free_port() -> Outcome<u16> {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    socket.map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

/// Where a program lies: in PATH, or where administrators' programs are.
pub fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A command as a person would type it, shortened.
pub fn described(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy());
    words.collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// Peak resident memory of two ends, each the sum over its processes of what each one's own peak was.
///
/// Sampled: what a process allocates in its last 20 ms may be missed. Pages that processes share count in each.
pub struct MemoryWatch {
    end: Arc<AtomicBool>,
    peaks: Arc<Mutex<[BTreeMap<u32, u64>; 2]>>,
    thread: JoinHandle<()>,
}

impl MemoryWatch {
    /// Watches the children of this process that are not in `far`, and the families of those in `far`. The
    /// peaks of the latter are reset: they outlive a run.
    pub fn begin(far: &[u32]) -> Self {
        for pid in far {
            // 5 resets the peak (proc_pid_clear_refs(5)); where that is forbidden the peak is of all runs so far.
            let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
        }
        let end = Arc::new(AtomicBool::new(false));
        let peaks = Arc::new(Mutex::new([BTreeMap::new(), BTreeMap::new()]));
        let (far, ended, found) = (far.to_vec(), Arc::clone(&end), Arc::clone(&peaks));
        let others = children(std::process::id());
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let near = children(std::process::id()).into_iter().filter(|pid| !others.contains(pid));
                let near: Vec<u32> = near.flat_map(family).collect();
                let far: Vec<u32> = far.iter().copied().flat_map(family).collect();
                if let Ok(mut found) = found.lock() {
                    for (end, pids) in found.iter_mut().zip([near, far]) {
                        // The latest peak, not the largest: before its exec a child shows its parent's memory.
                        end.extend(pids.into_iter().filter_map(|pid| Some((pid, peak(pid)?))));
                    }
                }
                std::thread::park_timeout(SAMPLE);
            }
        });
        Self { end, peaks, thread }
    }

    /// Ends it; bytes of the near and of the far end.
    pub fn end(self) -> (u64, u64) {
        self.end.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        let _ = self.thread.join();
        let peaks = self.peaks.lock().map(|found| found.clone()).unwrap_or_default();
        (peaks[0].values().sum(), peaks[1].values().sum())
    }
}

/// VmHWM of a process in bytes.
fn peak(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_the_program_said() {
        let error = run(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).expect_err("it fails");
        assert!(error.contains("why") && error.contains('3'), "{error}");
        assert!(run(&mut Command::new("true")).is_ok());
    }

    #[test]
    fn children_are_seen_and_ports_that_listen() {
        let child = start(Command::new("sh").args(["-c", "exec cat /dev/zero"])).expect("it starts");
        assert!(family(std::process::id()).contains(&child.0.id()));
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        assert!(listens(port));
        drop(socket);
        assert!(!listens(port));
    }
}
