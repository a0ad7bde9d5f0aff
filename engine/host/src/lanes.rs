//! The plugin thread: all lanes, one call at a time, behind one bounded queue.
//!
//! Every call gets exactly one answer: from the plugin, or that it refused, failed, rests, did not answer in time,
//! is not there, or that the queue was full. What a call did is applied before its answer is given.

use crate::effects::Deed;
use crate::gauges::Snapshot;
use crate::guest::LogLine;
use crate::lane::{Called, Happening, Invocation, Lane, LaneError, Outcome, Spec};
use crate::plugin::{Fault, PluginStatus};
use base::codes::Code;
use base::io::Now;
use base::limits::Limits;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The one answer of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Done, with data.
    Done(Vec<u8>),
    /// The plugin refused: its text, for people.
    Refused(String),
    /// It did not return; nothing of the call remains.
    Failed {
        /// Which plugin.
        plugin: Arc<str>,
        /// How.
        fault: Fault,
    },
    /// It failed before and is started again in so many milliseconds.
    Resting {
        /// Which plugin.
        plugin: Arc<str>,
        /// Milliseconds.
        wait_ms: u64,
    },
    /// It was to answer later, and did not.
    Late {
        /// Which plugin.
        plugin: Arc<str>,
    },
    /// It was to answer later, and another version of it is there now, or none.
    Replaced {
        /// Which plugin.
        plugin: Arc<str>,
    },
    /// What it did could not be stored; nothing of the call remains.
    NotStored(String),
    /// No plugin serves this protocol.
    NotServed,
    /// A larger body than plugins get.
    TooLarge {
        /// Most bytes.
        most: u32,
    },
    /// The daemon ends.
    Ending,
}

impl Answer {
    /// The code for the wire; `None`: success.
    pub fn code(&self) -> Option<Code> {
        Some(match self {
            Self::Done(_) => return None,
            Self::Refused(_) => Code::InvalidRequest,
            Self::Failed { fault, .. } if fault.is_timeout() => Code::Timeout,
            Self::Failed { .. } | Self::NotStored(_) => Code::InternalError,
            Self::Resting { .. } | Self::Replaced { .. } | Self::Ending => Code::Unavailable,
            Self::Late { .. } => Code::Timeout,
            Self::NotServed => Code::NotFound,
            Self::TooLarge { .. } => Code::TooLarge,
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(body) => write!(f, "{} bytes", body.len()),
            Self::Refused(why) => f.write_str(why),
            Self::Failed { plugin, fault } => write!(f, "plugin {plugin} failed: {fault}"),
            Self::Resting { plugin, wait_ms } => {
                write!(f, "plugin {plugin} failed before and is started again in {wait_ms} ms")
            }
            Self::Late { plugin } => write!(f, "plugin {plugin} did not answer in time"),
            Self::Replaced { plugin } => {
                write!(f, "plugin {plugin} was replaced before it answered: try again")
            }
            Self::NotStored(why) => write!(f, "what the plugin did could not be stored: {why}"),
            Self::NotServed => f.write_str("no plugin serves this protocol"),
            Self::TooLarge { most } => write!(f, "a body has at most {most} bytes"),
            Self::Ending => f.write_str("the daemon ends"),
        }
    }
}

/// Takes the one answer.
pub type Reply = Box<dyn FnOnce(Answer) + Send>;

/// What the thread is given from outside.
pub trait Around: Send {
    /// The time: monotonic as the cores count it, and UTC.
    fn now(&mut self) -> Now;
    /// Applies what a call of this plugin did, all of it or nothing. Blocking is fine here.
    ///
    /// # Errors
    /// Why it could not, for people; the caller is told so.
    fn apply(&mut self, plugin: &str, deeds: Vec<Deed>) -> Result<(), String>;
    /// Lines of a plugin.
    fn log(&mut self, lines: Vec<LogLine>);
}

type Look = Box<dyn FnOnce(&[Lane]) + Send>;
type Reload = Box<dyn FnOnce(&mut [Lane], Now) -> Option<Vec<Next>> + Send>;

/// One lane of those that are to run from here on.
pub enum Next {
    /// The one of this name, as it is.
    Same(Arc<str>),
    /// This one.
    New(Box<Lane>),
}

enum Job {
    Call { call: Box<Invocation>, reply: Reply },
    Happened { what: Box<Happening>, missed: u64 },
    Install(Box<Lane>),
    Reload(Reload),
    Look(Look),
    Stop,
}

/// The queue was full, or the thread is gone; the reply was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// The way to the plugin thread. Cheap to clone.
#[derive(Clone)]
pub struct LanesHandle {
    to: SyncSender<Job>,
    /// Events that found the queue full since the last that did not.
    missed: Arc<AtomicU64>,
}

impl LanesHandle {
    /// Calls a protocol; the answer comes on the plugin thread.
    ///
    /// # Errors
    /// The queue is full: 503.
    pub fn call(&self, call: Invocation, reply: Reply) -> Result<(), Full> {
        self.to.try_send(Job::Call { call: Box::new(call), reply }).map_err(|_| Full)
    }

    /// Reports an event to whoever wants it.
    ///
    /// # Errors
    /// The queue is full: it is dropped, and the gap in the next one's `seq` tells so.
    pub fn happened(&self, what: Happening) -> Result<(), Full> {
        let missed = self.missed.swap(0, Ordering::Relaxed);
        self.to.try_send(Job::Happened { what: Box::new(what), missed }).map_err(|_| {
            self.missed.fetch_add(missed + 1, Ordering::Relaxed);
            Full
        })
    }

    /// Takes a plugin in, in place of one of its name.
    ///
    /// # Errors
    /// The queue is full.
    pub fn install(&self, lane: Lane) -> Result<(), Full> {
        self.to.try_send(Job::Install(Box::new(lane))).map_err(|_| Full)
    }

    /// Between two calls: which lanes run from here on; `None` leaves all as they are. A lane that is named by no
    /// [`Next`] ends; a call it was to answer later is answered [`Answer::Replaced`].
    ///
    /// # Errors
    /// The queue is full.
    pub fn reload(
        &self,
        make: impl FnOnce(&mut [Lane], Now) -> Option<Vec<Next>> + Send + 'static,
    ) -> Result<(), Full> {
        self.to.try_send(Job::Reload(Box::new(make))).map_err(|_| Full)
    }

    /// Looks at the lanes between two calls.
    ///
    /// # Errors
    /// The queue is full.
    pub fn look(&self, look: impl FnOnce(&[Lane]) + Send + 'static) -> Result<(), Full> {
        self.to.try_send(Job::Look(Box::new(look))).map_err(|_| Full)
    }

    /// Protocols that are served, with the plugin that does; `None`: the queue is full or the thread is gone.
    pub fn served(&self) -> Option<Vec<(Arc<str>, Spec)>> {
        let (to, from) = sync_channel(1);
        let list = move |lanes: &[Lane]| {
            let specs = lanes
                .iter()
                .flat_map(|lane| lane.specs().iter().map(|spec| (lane.name().clone(), spec.clone())));
            let _ = to.send(specs.collect());
        };
        self.look(list).ok()?;
        from.recv().ok()
    }

    /// What each plugin did; `None` as above.
    pub fn status(&self) -> Option<Vec<PluginStatus>> {
        let (to, from) = sync_channel(1);
        self.look(move |lanes| drop(to.send(lanes.iter().map(Lane::status).collect()))).ok()?;
        from.recv().ok()
    }
}

/// The thread. It ends, after what is queued, when this is dropped.
pub struct Lanes {
    handle: LanesHandle,
    join: Option<JoinHandle<()>>,
}

impl Lanes {
    /// Starts the thread with these plugins.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(lanes: Vec<Lane>, around: Box<dyn Around>, limits: &Limits) -> std::io::Result<Self> {
        let (to, jobs) = sync_channel(limits.plugin_queue_max as usize);
        let later_ns = u64::from(limits.plugin_later_ms) * 1_000_000;
        let mut thread = Thread { lanes, around, later: BTreeMap::new(), later_ns };
        let join = std::thread::Builder::new().name("plugins".into()).spawn(move || thread.run(&jobs))?;
        let handle = LanesHandle { to, missed: Arc::new(AtomicU64::new(0)) };
        Ok(Self { handle, join: Some(join) })
    }

    /// A way to it.
    pub fn handle(&self) -> LanesHandle {
        self.handle.clone()
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        let _ = self.handle.to.send(Job::Stop);
        if let Some(join) = self.join.take() {
            let _ = join.join();
        }
    }
}

struct Later {
    plugin: Arc<str>,
    reply: Reply,
    until_ns: u64,
}

struct Thread {
    lanes: Vec<Lane>,
    around: Box<dyn Around>,
    /// By lane and ticket.
    later: BTreeMap<(u64, u64), Later>,
    later_ns: u64,
}

impl Thread {
    fn run(&mut self, jobs: &Receiver<Job>) {
        self.begun();
        loop {
            let now = self.around.now();
            let job = match self.next_ns() {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => jobs.recv_timeout(Duration::from_nanos(at.saturating_sub(now.mono_ns))),
            };
            match job {
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(job) => self.serve(job),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.wake();
        }
        let now = self.around.now();
        for index in 0..self.lanes.len() {
            self.end(index, now, false);
        }
        for (_, later) in std::mem::take(&mut self.later) {
            (later.reply)(Answer::Ending);
        }
    }

    /// When there is something to do without a job.
    fn next_ns(&self) -> Option<u64> {
        let timers = self.lanes.iter().filter_map(Lane::next_timer_ns);
        timers.chain(self.later.values().map(|later| later.until_ns)).min()
    }

    fn serve(&mut self, job: Job) {
        let now = self.around.now();
        match job {
            Job::Call { call, reply } => self.call(*call, reply, now),
            Job::Happened { what, missed } => {
                for index in 0..self.lanes.len() {
                    self.lanes[index].dropped(missed);
                    if self.lanes[index].wants(&what.topic) {
                        self.deliver(index, &what, now);
                    }
                }
            }
            Job::Install(lane) => {
                let name = lane.name().clone();
                let others = self.lanes.iter().filter(|known| *known.name() != name);
                let mut next: Vec<Next> = others.map(|known| Next::Same(known.name().clone())).collect();
                next.push(Next::New(lane));
                self.go_on_with(next, now);
            }
            Job::Reload(make) => {
                if let Some(next) = make(&mut self.lanes, now) {
                    self.go_on_with(next, now);
                }
                self.begun();
            }
            Job::Look(look) => look(&self.lanes),
            Job::Stop => {}
        }
    }

    /// Takes other lanes: what ends is told so first.
    fn go_on_with(&mut self, next: Vec<Next>, now: Now) {
        let stays =
            |lane: &Lane| next.iter().any(|next| matches!(next, Next::Same(name) if name == lane.name()));
        let ending: Vec<usize> = (0..self.lanes.len()).filter(|index| !stays(&self.lanes[*index])).collect();
        for index in ending {
            let name = self.lanes[index].name();
            let followed = next.iter().any(|next| matches!(next, Next::New(lane) if lane.name() == name));
            self.end(index, now, followed);
            self.lost_as(index, |plugin| Answer::Replaced { plugin });
        }
        let mut before: BTreeMap<Arc<str>, Lane> =
            self.lanes.drain(..).map(|lane| (lane.name().clone(), lane)).collect();
        self.lanes.extend(next.into_iter().filter_map(|next| match next {
            Next::Same(name) => before.remove(&name),
            Next::New(lane) => Some(*lane),
        }));
        self.begun();
    }

    /// Tells a lane that it ends. Its successor began with the keys as they were, so what it still does is dropped.
    fn end(&mut self, index: usize, now: Now, followed: bool) {
        let mut called = self.lanes[index].end(now);
        if followed {
            called.deeds.clear();
        }
        let _ = self.applied(index, called);
    }

    fn deliver(&mut self, index: usize, happening: &Happening, now: Now) {
        for called in self.lanes[index].deliver(std::slice::from_ref(happening), now) {
            let _ = self.applied(index, called);
        }
    }

    fn wake(&mut self) {
        let now = self.around.now();
        for index in 0..self.lanes.len() {
            if let Some(called) = self.lanes[index].wake(now) {
                let _ = self.applied(index, called);
            }
        }
        let late = self.later.iter().filter(|(_, later)| later.until_ns <= now.mono_ns);
        let late: Vec<_> = late.map(|(key, _)| *key).collect();
        for key in late {
            if let Some(later) = self.later.remove(&key) {
                (later.reply)(Answer::Late { plugin: later.plugin });
            }
        }
    }

    fn call(&mut self, call: Invocation, reply: Reply, now: Now) {
        let serves = |lane: &Lane| lane.specs().iter().any(|spec| spec.name == call.name);
        let Some(index) = self.lanes.iter().position(serves) else { return reply(Answer::NotServed) };
        let plugin = self.lanes[index].name().clone();
        let called = self.lanes[index].run(call, now);
        // A plugin may answer in the call itself, so the caller waits before what the call did is looked at.
        let mut reply = Some(reply);
        if let Ok(Outcome::Later(ticket)) = called.result
            && let Some(reply) = reply.take()
        {
            let until_ns = now.mono_ns.saturating_add(self.later_ns);
            self.later.insert((self.lanes[index].id, ticket), Later { plugin, reply, until_ns });
        }
        let answer = match self.applied(index, called) {
            Ok(Outcome::Done(body)) => Answer::Done(body),
            Ok(Outcome::Refused(why)) => Answer::Refused(why),
            Ok(Outcome::Later(_)) => return,
            Err(answer) => answer,
        };
        if let Some(reply) = reply {
            reply(answer);
        }
    }

    /// Applies what a call did, answers what it answered, and gives its result.
    fn applied<T>(&mut self, index: usize, called: Called<T>) -> Result<T, Answer> {
        let plugin = self.lanes[index].name().clone();
        if called.lost {
            self.lost(index);
        }
        let result = called.result.map_err(|error| answer_of(plugin.clone(), error));
        let (answers, deeds): (Vec<_>, Vec<_>) =
            called.deeds.into_iter().partition(|deed| matches!(deed, Deed::Answer { .. }));
        let mut all = self.lanes[index].take_deeds();
        all.extend(deeds);
        let stored = if all.is_empty() { Ok(()) } else { self.around.apply(&plugin, all) };
        for answer in answers {
            let Deed::Answer { ticket, body } = answer else { continue };
            let Some(later) = self.later.remove(&(self.lanes[index].id, ticket)) else { continue };
            (later.reply)(match &stored {
                Ok(()) => Answer::Done(body),
                Err(why) => Answer::NotStored(why.clone()),
            });
        }
        if stored.is_err() {
            let now = self.around.now();
            self.lanes[index].revert(now);
            self.lost_as(index, |plugin| Answer::NotStored(format!("plugin {plugin} was started again")));
        }
        let lines = self.lanes[index].take_lines();
        if !lines.is_empty() {
            self.around.log(lines);
        }
        stored.map_err(Answer::NotStored).and(result)
    }

    /// What the begin of instances did and said.
    fn begun(&mut self) {
        for index in 0..self.lanes.len() {
            let nothing = Called { result: Ok(()), deeds: Vec::new(), lost: false, took_ns: 0 };
            let _ = self.applied(index, nothing);
        }
    }

    /// Calls that an instance which is gone was to answer.
    fn lost(&mut self, index: usize) {
        self.lost_as(index, |plugin| Answer::Late { plugin });
    }

    fn lost_as(&mut self, index: usize, answer: impl Fn(Arc<str>) -> Answer) {
        let lane = self.lanes[index].id;
        let gone: Vec<_> = self.later.range((lane, 0)..=(lane, u64::MAX)).map(|(key, _)| *key).collect();
        for key in gone {
            if let Some(later) = self.later.remove(&key) {
                (later.reply)(answer(later.plugin));
            }
        }
    }
}

fn answer_of(plugin: Arc<str>, error: LaneError) -> Answer {
    match error {
        LaneError::Fault(fault) => Answer::Failed { plugin, fault },
        LaneError::Resting { wait_ms } => Answer::Resting { plugin, wait_ms },
        LaneError::NotServed => Answer::NotServed,
        LaneError::Body { most } => Answer::TooLarge { most },
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lanes")
    }
}

/// One line of `xfer status --plugins`.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls, {} kept answers, p50 {} us, p99 {} us, {} KiB, {} faults ({} timeouts), {} restarts",
            self.calls,
            self.cached,
            self.p50_ns / 1000,
            self.p99_ns / 1000,
            self.memory_peak / 1024,
            self.faults,
            self.timeouts,
            self.restarts
        )?;
        self.denials.iter().try_for_each(|(code, count)| write!(f, ", {count} denied as {code}"))
    }
}
