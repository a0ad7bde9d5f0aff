//! Load generator: many sessions with one daemon, from one process, on the protocol's own machines.
//!
//! `--active` sessions pull one file again and again, each over its control connection alone, and throw away what they
//! opened. `--idle` sessions only answer pings. A few more ask for a listing every few milliseconds and time the
//! answers. When all sessions stand, `ready` is printed; a line on standard input starts the clock; when `--bytes`
//! of content arrived in all, one line of JSON says what was seen.
//!
//! Threads and blocking sockets: whatever the generator costs, it costs the same for one session and for many.

#![forbid(unsafe_code)]

mod active;
mod idle;
mod session;
mod small;

use clap::Parser;
use serde_json::json;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Many sessions with one daemon.
#[derive(Parser)]
struct Arguments {
    /// The daemon
    #[arg(long)]
    to: SocketAddr,
    /// A client's state; given several times, sessions take turns
    #[arg(long, required = true)]
    state: Vec<PathBuf>,
    /// The file that is pulled, such as /memory/big
    #[arg(long)]
    file: String,
    /// The folder that is listed
    #[arg(long, default_value = "/")]
    folder: String,
    /// Sessions that pull
    #[arg(long)]
    active: usize,
    /// Sessions that do nothing
    #[arg(long, default_value_t = 0)]
    idle: usize,
    /// Content to pull in all
    #[arg(long)]
    bytes: u64,
    /// Between an answer and the next small request
    #[arg(long, default_value_t = 5)]
    pause_ms: u64,
}

/// What the sessions share.
struct Shared {
    to: SocketAddr,
    file: String,
    folder: String,
    wanted: u64,
    pause: Duration,
    moved: AtomicU64,
    over: AtomicBool,
    failures: Mutex<Vec<String>>,
    /// Passed by every thread when its sessions stand, and again when the clock starts.
    gate: Barrier,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// A session failed; once the run is over that is no news.
    fn failed(&self, what: String) {
        if !self.is_over() {
            self.failures().push(what);
        }
    }

    fn failures(&self) -> MutexGuard<'_, Vec<String>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    raise_descriptors();
    let shared = Shared {
        to: arguments.to,
        file: arguments.file.clone(),
        folder: arguments.folder.clone(),
        wanted: arguments.bytes,
        pause: Duration::from_millis(arguments.pause_ms),
        moved: AtomicU64::new(0),
        over: AtomicBool::new(false),
        failures: Mutex::default(),
        // Every active session, the idle ones together, those with small requests, and this thread.
        gate: Barrier::new(arguments.active + 1 + ASKING + 1),
    };
    let state = |index: usize| arguments.state[index % arguments.state.len()].as_path();
    let (seconds, mut times) = std::thread::scope(|scope| {
        let shared = &shared;
        for index in 0..arguments.active {
            let state = state(index);
            scope.spawn(move || active::pull(shared, state));
        }
        let states: Vec<_> = (0..arguments.idle).map(state).collect();
        scope.spawn(move || idle::hold(shared, &states));
        let small: Vec<_> = (0..ASKING)
            .map(|index| {
                let state = state(index);
                scope.spawn(move || small::ask(shared, state))
            })
            .collect();
        shared.gate.wait();
        println!("ready");
        let _ = std::io::stdout().flush();
        let _ = std::io::stdin().read_line(&mut String::new());
        shared.gate.wait();
        let began = Instant::now();
        while shared.moved.load(Ordering::Relaxed) < shared.wanted && shared.failures().len() < FAILURES_MAX {
            std::thread::sleep(Duration::from_millis(1));
        }
        let seconds = began.elapsed().as_secs_f64();
        shared.over.store(true, Ordering::Relaxed);
        let times = small.into_iter().flat_map(|one| one.join().unwrap_or_default());
        (seconds, times.collect::<Vec<f64>>())
    });
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)));
    let failures = shared.failures().clone();
    println!(
        "{}",
        json!({
            "bytes": shared.moved.load(Ordering::Relaxed), "seconds": seconds, "requests": times.len(),
            "p50_ms": at(0.5), "p99_ms": at(0.99), "most_ms": times.last(), "failures": failures,
        })
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Sessions with small requests.
const ASKING: usize = 4;
/// Failures after which a run is given up.
const FAILURES_MAX: usize = 8;

/// Two thousand sessions need as many descriptors.
fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
}
