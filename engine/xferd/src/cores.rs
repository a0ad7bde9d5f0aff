//! Core threads: each makes its own engine, learns the others' wakers, and turns its shard until it is over.
//!
//! ```text
//! starter ──▶ thread: pin, make engine ──▶ waker back ──▶ wakers of all ──▶ Shard::turn, again and again
//! ```

use crate::config::IoChoice;
use crate::failure::Failure;
use base::codes::Code;
use base::hooks::Hooks;
use base::ids::CoreId;
use base::io::Io;
use base::limits::Limits;
use ring::{Engine, Mode, RingError, Waker};
use shard::Shard;
use shard::command::{Command, CoreStatus, JobEnd};
use shard::mailbox::{Addresses, Mail, Mailbox, mailboxes};
use shard::settings::Settings;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long one status may take: a core answers between two turns.
const STATUS_WAIT: Duration = Duration::from_secs(2);

/// What a core thread tells the rest of its process.
#[derive(Debug)]
pub enum CoreEvent {
    /// The client's job ended.
    Job(Box<JobEnd>),
    /// The thread ended.
    Over(CoreId),
}

/// What core threads are started with.
pub struct Plan<H> {
    /// Which engine.
    pub io: IoChoice,
    /// Bounds.
    pub limits: Arc<Limits>,
    /// Core i on the i-th CPU.
    pub pinned: bool,
    /// One for each core.
    pub settings: Vec<Settings>,
    /// Makes the hooks of one core, on its thread.
    pub hooks: Arc<dyn Fn(CoreId, Waker) -> H + Send + Sync>,
    /// Hears of ends; called on the cores' threads, so it must not block.
    pub told: Arc<dyn Fn(CoreEvent) + Send + Sync>,
}

/// Core threads that run.
pub struct Cores {
    to: CoresHandle,
    threads: Vec<JoinHandle<()>>,
    io: &'static str,
    notice: Option<String>,
}

/// A way to the cores; cheap to clone.
#[derive(Clone)]
pub struct CoresHandle {
    addresses: Addresses,
    wakers: Arc<[Waker]>,
}

/// What a thread sends once its engine stands.
struct Standing {
    waker: Waker,
    io: &'static str,
    notice: Option<String>,
}

impl Cores {
    /// Starts them all; returns when every one has its engine.
    ///
    /// # Errors
    /// An engine or a thread could not be made: exit 5. None runs then.
    pub fn start<H: Hooks + 'static>(plan: Plan<H>) -> Result<Self, Failure> {
        let count = u16::try_from(plan.settings.len()).unwrap_or(u16::MAX);
        let (boxes, addresses) = mailboxes(count, &plan.limits);
        let mode = match plan.io {
            IoChoice::Auto => Mode::Auto,
            IoChoice::Uring => Mode::Uring,
            IoChoice::Threads => Mode::Threads,
        };
        let mut threads = Vec::new();
        let mut standing = Vec::new();
        for (index, (settings, mailbox)) in plan.settings.into_iter().zip(boxes).enumerate() {
            let (stands, stood) = sync_channel(1);
            let (give_peers, peers) = sync_channel(1);
            let id = CoreId(index as u16);
            let core = CoreThread {
                id,
                mode,
                limits: plan.limits.clone(),
                pinned: plan.pinned,
                settings,
                mailbox,
                hooks: plan.hooks.clone(),
                told: plan.told.clone(),
            };
            let thread = std::thread::Builder::new()
                .name(format!("core {index}"))
                .spawn(move || core.run(stands, peers));
            threads.push(thread.map_err(|error| {
                Failure::start(Code::Io, format!("no thread for core {index}: {error}"), "")
            })?);
            standing.push((stood, give_peers));
        }
        let stood: Result<Vec<Standing>, Failure> = standing.iter().map(|(stood, _)| stands(stood)).collect();
        let stood = stood?;
        let wakers: Vec<Waker> = stood.iter().map(|one| one.waker.clone()).collect();
        for (_, give_peers) in &standing {
            // A thread that ended meanwhile is told of by its event.
            let _ = give_peers.send(wakers.clone());
        }
        let first = stood.into_iter().next();
        let (io, notice) = first.map_or(("none", None), |one| (one.io, one.notice));
        Ok(Self { to: CoresHandle { addresses, wakers: wakers.into() }, threads, io, notice })
    }

    /// A way to them.
    pub fn handle(&self) -> CoresHandle {
        self.to.clone()
    }

    /// Which engine they use, and why not io_uring.
    pub fn io(&self) -> (&'static str, Option<&str>) {
        (self.io, self.notice.as_deref())
    }

    /// Waits until all have ended; `false` when one panicked.
    pub fn join(self) -> bool {
        self.threads.into_iter().map(JoinHandle::join).fold(true, |all, one| all & one.is_ok())
    }
}

fn stands(stood: &Receiver<Result<Standing, RingError>>) -> Result<Standing, Failure> {
    match stood.recv() {
        Ok(Ok(standing)) => Ok(standing),
        Ok(Err(error)) => {
            let next = match error {
                RingError::Refused(_) => {
                    "use --io auto or --io threads, or allow io_uring ('xferd doctor' tells more)"
                }
                RingError::Arena { .. } => "use fewer cores, or lower limits.arena_bytes_per_core",
                RingError::Thread { .. } | RingError::Descriptor { .. } => {
                    "use fewer cores, or raise the process's limits"
                }
            };
            Err(Failure::start(Code::Unavailable, format!("a core cannot start: {error}"), next))
        }
        Err(_) => {
            Err(Failure::start(Code::InternalError, "a core ended while it started", "look at the log"))
        }
    }
}

impl CoresHandle {
    /// How many.
    pub fn count(&self) -> u16 {
        self.addresses.cores()
    }

    /// Tells one core; `false` when its mailbox is full or it has ended.
    pub fn tell(&self, core: CoreId, command: Command) -> bool {
        let sent = self.addresses.send(core, Mail::Command(Box::new(command))).is_ok();
        if let Some(waker) = self.wakers.get(usize::from(core.0)) {
            waker.wake();
        }
        sent
    }

    /// Tells every core; `false` when one did not take it.
    pub fn tell_all(&self, make: impl Fn() -> Command) -> bool {
        (0..self.count()).fold(true, |all, core| self.tell(CoreId(core), make()) & all)
    }

    /// Asks every core for its counters, and waits at most two seconds: not for a core's thread.
    pub fn status(&self) -> Vec<CoreStatus> {
        let (to, answers) = sync_channel(usize::from(self.count()));
        self.tell_all(|| Command::Status(to.clone()));
        drop(to);
        let until = Instant::now() + STATUS_WAIT;
        let mut all: Vec<CoreStatus> = Vec::new();
        while let Ok(one) = answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            all.push(one);
        }
        all.sort_by_key(|status| status.core);
        all
    }
}

/// What one thread runs with.
struct CoreThread<H> {
    id: CoreId,
    mode: Mode,
    limits: Arc<Limits>,
    pinned: bool,
    settings: Settings,
    mailbox: Mailbox,
    hooks: Arc<dyn Fn(CoreId, Waker) -> H + Send + Sync>,
    told: Arc<dyn Fn(CoreEvent) + Send + Sync>,
}

/// Tells that the thread ended, however it did.
struct Ending(CoreId, Arc<dyn Fn(CoreEvent) + Send + Sync>);

impl Drop for Ending {
    fn drop(&mut self) {
        (self.1)(CoreEvent::Over(self.0));
    }
}

impl<H: Hooks> CoreThread<H> {
    fn run(self, stands: SyncSender<Result<Standing, RingError>>, peers: Receiver<Vec<Waker>>) {
        if self.pinned
            && let Err(error) = ring::pin_to_cpu(usize::from(self.id.0))
        {
            tracing::warn!(target: "xferd::core", core = self.id.0, "not pinned to a CPU: {error}");
        }
        let mut engine = match Engine::new(self.mode, self.id, &self.limits) {
            Ok(engine) => engine,
            Err(error) => {
                let _ = stands.send(Err(error));
                return;
            }
        };
        let waker = engine.waker();
        let caps = engine.caps();
        let standing = Standing { waker: waker.clone(), io: caps.name, notice: caps.notice.clone() };
        // Without a starter, or without wakers from it, another core failed to start.
        if stands.send(Ok(standing)).is_err() {
            return;
        }
        let Ok(peers) = peers.recv() else { return };
        engine.set_peers(peers);
        let hooks = (self.hooks)(self.id, waker);
        let _ending = Ending(self.id, self.told.clone());
        let mut shard = Shard::new(Arc::new(self.settings), self.id, self.mailbox, engine, hooks);
        while !shard.is_over() {
            shard.turn();
            if let Some(end) = shard.job_end() {
                (self.told)(CoreEvent::Job(Box::new(end)));
            }
        }
    }
}
