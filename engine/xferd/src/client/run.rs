//! Runs one job on core threads of its own, and tells what happens meanwhile.

use super::hooks::ClientHooks;
use super::remote::Device;
use super::{Engine, signals};
use crate::clock::cpu_seconds;
use crate::config::IoChoice;
use crate::cores::{CoreEvent, Cores, Plan};
use crate::escape::sentence;
use crate::failure::Failure;
use crate::names::Names;
use crate::report::{Reporter, Told};
use crate::settings::{self, Identity, open_directory};
use crate::{crash, harden};
use base::codes::{Code, exit};
use base::ids::CoreId;
use base::limits::Limits;
use shard::command::{Command, Job, JobEnd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Core threads of a client that says nothing: more only help where streams are decrypted side by side.
const CORES_MOST_BY_DEFAULT: usize = 4;

/// In place of a signal: the time of the job is over.
pub(super) const LATE: &str = "its deadline";

/// What the main thread hears.
pub(super) enum Heard {
    Told(Vec<Told>),
    Core(CoreEvent),
    Signal(&'static str),
}

/// What a job came to.
pub(super) struct Ran {
    pub(super) end: JobEnd,
    pub(super) seconds: f64,
    pub(super) cpu_local_s: f64,
    /// The signal that ended it.
    pub(super) signal: Option<&'static str>,
}

/// Which device this is, and who it is in handshakes.
pub(super) struct Who<'a> {
    pub(super) device: &'a Device,
    pub(super) identity: Identity<'a>,
}

/// A process made ready for a job: signals are heard, modes are literal, no dump holds a key.
pub(super) struct Runner {
    to: SyncSender<Heard>,
    heard: Receiver<Heard>,
    umask: u32,
    limits: Arc<Limits>,
    began: Instant,
    /// When the job ends with [`LATE`].
    until: Option<Instant>,
}

impl Runner {
    /// Makes this process ready.
    ///
    /// # Errors
    /// Signals cannot be heard: exit 5.
    pub(super) fn new() -> Result<Self, Failure> {
        crash::check()?;
        harden::no_dumps();
        ring::raise_open_files();
        let limits = Arc::new(Limits::DEFAULT);
        let (to, heard) = sync_channel(limits.hook_queue_max as usize);
        signals::listen(to.clone())?;
        let umask = rustix::process::umask(rustix::fs::Mode::empty());
        Ok(Self { to, heard, umask: umask.as_raw_mode(), limits, began: Instant::now(), until: None })
    }

    /// Bounds the time of the job.
    pub(super) fn within(self, most: Option<Duration>) -> Self {
        Self { until: most.and_then(|most| self.began.checked_add(most)), ..self }
    }

    /// Runs a job to its end.
    ///
    /// # Errors
    /// It could not start. How the job itself ended is in the result.
    pub(super) fn run(
        self,
        engine: &Engine,
        who: &Who<'_>,
        cores: u16,
        job: Job,
        reporter: &mut Reporter,
        start: impl FnOnce(&'static str) -> Option<Told>,
    ) -> Result<Ran, Failure> {
        let journal = open_directory(&who.device.state.join("journal"))?;
        let (limits, wire) = (self.limits.clone(), Arc::new(AtomicU64::new(0)));
        let common = settings::Common { limits, journal, umask: self.umask, cores, wire: wire.clone() };
        let all = (0..cores).map(|_| who.identity.settings(&common, false)).collect();
        let names = Arc::new(Names::read());
        let tells_names = reporter.tells_names();
        let (to_hooks, to_ends, state) = (self.to.clone(), self.to.clone(), who.device.state.clone());
        let threads = Cores::start(Plan {
            io: engine.io,
            limits: self.limits.clone(),
            pinned: false,
            settings: all,
            hooks: Arc::new(move |_, waker| {
                ClientHooks::new(to_hooks.clone(), names.clone(), state.clone(), waker, tells_names)
            }),
            told: Arc::new(move |event| drop(to_ends.send(Heard::Core(event)))),
        })?;
        let (io, notice) = threads.io();
        if let Some(start) = start(io) {
            reporter.tell(&start);
        }
        if let (Some(notice), IoChoice::Auto) = (notice, engine.io) {
            let message = format!("{notice}; blocking threads are used instead, which is slower");
            reporter.tell(&Told::Warning { code: Code::Unavailable, message, path: None });
        }
        let ran = self.wait(&threads, cores, job, reporter);
        threads.join();
        let mut ran = ran?;
        let totals = &mut ran.end.totals;
        totals.bytes_wire = totals.bytes_wire.max(wire.load(Ordering::Relaxed));
        Ok(ran)
    }

    /// What happens next; where the job's time is over, [`LATE`]. `None`: nobody is left to tell.
    fn hear(&self, running: bool) -> Option<Heard> {
        let Some(until) = self.until.filter(|_| running) else { return self.heard.recv().ok() };
        match self.heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(heard) => Some(heard),
            Err(RecvTimeoutError::Timeout) => Some(Heard::Signal(LATE)),
            // The signal thread holds a sender for as long as the process lives.
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    fn wait(self, threads: &Cores, cores: u16, job: Job, reporter: &mut Reporter) -> Result<Ran, Failure> {
        let handle = threads.handle();
        handle.tell(CoreId(0), Command::Job(Box::new(job)));
        let (mut end, mut signal, mut left) = (None, None, cores);
        while left > 0 {
            let Some(heard) = self.hear(end.is_none() && signal.is_none()) else { break };
            match heard {
                Heard::Told(told) => told.iter().for_each(|one| reporter.tell(one)),
                Heard::Core(CoreEvent::Job(job_end)) => {
                    end.get_or_insert(job_end);
                    handle.tell_all(|| Command::Stop);
                }
                Heard::Core(CoreEvent::Over(_)) => {
                    left -= 1;
                    handle.tell_all(|| Command::Stop);
                }
                Heard::Signal(name) if signal.is_none() && end.is_none() => {
                    signal = Some(name);
                    handle.tell(CoreId(0), Command::Cancel);
                }
                Heard::Signal(name) => return Err(interrupted(name)),
            }
        }
        let Some(end) = end else {
            let next = "run it again; what was received is kept";
            return Err(Failure::new(Code::InternalError, "a core ended by a fault of ours", next));
        };
        let seconds = self.began.elapsed().as_secs_f64();
        Ok(Ran { end: *end, seconds, cpu_local_s: cpu_seconds(), signal })
    }
}

/// A command that a signal ended.
pub(super) fn interrupted(signal: &str) -> Failure {
    let next = "run the same command again to go on";
    Failure { exit: exit::SIGNAL, ..Failure::new(Code::Interrupted, format!("ended by {signal}"), next) }
}

/// How many core threads: as told, else one for each stream that may come, at most one a CPU and four.
pub(super) fn core_count(engine: &Engine, streams: Option<u16>) -> u16 {
    let cpus = crate::server::cpus().len().clamp(1, CORES_MOST_BY_DEFAULT) as u16;
    engine.cores.unwrap_or_else(|| streams.map_or(cpus, |streams| streams.clamp(1, cpus)))
}

/// A core's failure with the sentence a person reads.
pub(super) fn failed(failure: &shard::command::Failure) -> Failure {
    let next = match failure.code {
        Code::Unavailable => "check that the daemon runs and can be reached ('xfer remotes' shows where)",
        Code::ConnectionLost | Code::Timeout | Code::Busy => {
            "run the same command again; what was received is kept"
        }
        Code::ClockSkew => "set the clock of the one that is wrong",
        Code::CertExpired | Code::Revoked => "join again with another token",
        Code::UntrustedRoot | Code::AuthFailed | Code::InvalidSignature => {
            "if the daemon was set up anew, join it again; else somebody else answers at its address"
        }
        Code::InvalidToken => "ask for another token: xferd invite --account NAME",
        Code::AccessDenied => "ask whoever runs the daemon",
        Code::NoSpace => "make room, then run the same command again",
        Code::Version => "use the same release on both ends",
        _ => "",
    };
    // The other end may have written it.
    Failure::new(failure.code, sentence(&failure.message), next)
}
