//! The thread that moves the epoch on, so that a call past its deadline ends.
//!
//! It runs only while guest calls are in flight, and for a moment after: a core that decides often does not wake it
//! each time. It never touches a guest; it adds one to a counter at every tick, and the call that runs looks whether it
//! has used up its time. So a call outlives its deadline by a tick, and by what the machine keeps either thread waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;
use wasmtime::Engine;

/// One tick.
const TICK: Duration = Duration::from_micros(500);
/// After how many ticks a call looks at its time.
pub(crate) const LOOKS_AFTER_TICKS: u64 = 1;
/// Ticks without a call after which the thread rests.
const LINGER: u32 = 40;
/// It wants the CPU for a microsecond in each tick, and then at once: where every CPU is busy, a thread of the usual
/// niceness waits for milliseconds.
const NICENESS: i32 = -15;
/// How long the first tick may take before the machine is taken for unable to keep deadlines.
const FIRST: Duration = Duration::from_secs(5);

struct Shared {
    engine: Engine,
    in_flight: AtomicU64,
    resting: AtomicBool,
    ending: AtomicBool,
    beats: AtomicU64,
}

/// The thread.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
    join: Option<JoinHandle<()>>,
}

/// A call in flight; the ticker runs while one is there.
pub(crate) struct Flight<'t>(&'t Shared);

impl Ticker {
    /// Starts the thread and waits for its first tick.
    ///
    /// # Errors
    /// The thread cannot be started or does not tick.
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            engine,
            in_flight: AtomicU64::new(0),
            resting: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            beats: AtomicU64::new(0),
        });
        let (beat, first) = std::sync::mpsc::sync_channel(1);
        let own = shared.clone();
        let join = std::thread::Builder::new().name("epoch".into()).spawn(move || {
            // Only a process with that right is heard; without it deadlines are kept as well as the machine lets it.
            let _ = rustix::process::setpriority_process(None, NICENESS);
            std::thread::sleep(TICK);
            own.tick();
            let _ = beat.send(());
            own.run();
        })?;
        first.recv_timeout(FIRST).map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?;
        Ok(Self { shared, thread: join.thread().clone(), join: Some(join) })
    }

    /// Marks a call; deadlines hold while the mark is there.
    pub(crate) fn enter(&self) -> Flight<'_> {
        self.shared.in_flight.fetch_add(1, Ordering::SeqCst);
        if self.shared.resting.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        Flight(&self.shared)
    }

    /// Ticks since it was started.
    pub(crate) fn beats(&self) -> u64 {
        self.shared.beats.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn tick(&self) {
        self.engine.increment_epoch();
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    fn run(&self) {
        let mut idle = 0;
        while !self.ending.load(Ordering::SeqCst) {
            if self.in_flight.load(Ordering::SeqCst) > 0 {
                idle = 0;
            } else {
                idle += 1;
            }
            if idle <= LINGER {
                std::thread::sleep(TICK);
                self.tick();
                continue;
            }
            // `enter` adds before it looks at `resting`, this looks after it has set it: one of the two sees the other.
            self.resting.store(true, Ordering::SeqCst);
            let nobody = self.in_flight.load(Ordering::SeqCst) == 0 && !self.ending.load(Ordering::SeqCst);
            if nobody {
                std::thread::park();
            }
            self.resting.store(false, Ordering::SeqCst);
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        self.thread.unpark();
        if let Some(join) = self.join.take() {
            drop(join.join());
        }
    }
}
