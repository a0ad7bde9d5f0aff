//! The world of one seed: machines with a disk and some cores each, one network, one clock.
//!
//! A test asks [`World::next`] whose turn it is and runs that core's turn; within it the core's
//! [`SimIo`] submits operations and takes completions. Time passes between turns and jumps when every
//! core waits. Operations take effect at one moment and complete at a later one, both chosen by the seed;
//! a kill between the two is a kill in mid-operation.
//!
//! A dead process's `SimIo` stays usable and does nothing: a turn that passes a crash point runs to its
//! end without touching the world, then [`Step::Died`] tells the test to drop the core.

mod acts;
mod death;
mod descriptors;
mod doors;
mod files;
mod ops;
mod schedule;
mod sockets;

use crate::buffers::{Arena, SimBuf};
use crate::disk::{DiskConfig, Ino, SimDisk};
use crate::faults::{FaultCounts, FaultPlan};
use crate::io::SimIo;
use crate::net::Network;
use crate::random::Random;
use crate::trace::{Moment, Trace};
use base::entry::FileTime;
use base::hooks::{Reply, Ticket};
use base::ids::CoreId;
use base::io::{Done, Fd, How, Now};
use base::limits::Limits;
use descriptors::{Descriptors, Object};
use ops::Pending;
use schedule::Event;
use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

/// Virtual monotonic time at the beginning.
const BEGIN_NS: u64 = 1_000_000_000;
/// UTC at the beginning: 2025-10-09.
const BEGIN_UTC_MS: u64 = 1_760_000_000_000;

/// One machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EndId(pub u8);

impl EndId {
    /// The first machine of [`WorldConfig::two_ends`].
    pub const CLIENT: Self = Self(0);
    /// The second one.
    pub const DAEMON: Self = Self(1);
}

/// One core of one machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct At {
    /// The machine.
    pub end: EndId,
    /// The core.
    pub core: CoreId,
}

/// Shape of a machine.
#[derive(Clone, Debug)]
pub struct EndConfig {
    /// Cores of its process.
    pub cores: u16,
    /// Its disk.
    pub disk: DiskConfig,
    /// Its wall clock against the true one.
    pub skew_ms: i64,
    /// Most descriptors of its process.
    pub descriptors_max: u32,
}

impl Default for EndConfig {
    fn default() -> Self {
        Self { cores: 2, disk: DiskConfig::default(), skew_ms: 0, descriptors_max: 256 }
    }
}

/// Shape of a world.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// All randomness comes from it.
    pub seed: u64,
    /// Bounds of queues and arenas.
    pub limits: Limits,
    /// What goes wrong.
    pub plan: FaultPlan,
    /// The machines.
    pub ends: Vec<EndConfig>,
    /// A turn waits by itself until something completes, so that a test may drive one `SimIo` alone.
    pub blocking: bool,
}

impl WorldConfig {
    /// A client and a daemon of two cores each, under TINY limits.
    pub fn two_ends(seed: u64, plan: FaultPlan) -> Self {
        let disk = |device| DiskConfig { device, ..DiskConfig::default() };
        let ends = [1, 2].map(|device| EndConfig { disk: disk(device), ..EndConfig::default() }).to_vec();
        Self { seed, limits: Limits::TINY, plan, ends, blocking: false }
    }
}

/// What a test does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Run one turn of this core.
    Turn(At),
    /// The process of this machine is dead: drop its cores.
    Died(EndId, Death),
    /// It may start again: [`World::boot`], or leave it dead.
    Restart(EndId),
    /// A moment asked for with [`World::alarm`].
    Alarm(u64),
    /// Every core waits and nothing will ever happen.
    Idle,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Death {
    /// SIGKILL.
    Kill,
    /// The machine lost power.
    Power,
}

struct CoreState {
    arena: Rc<Arena>,
    ready: Vec<Done<SimBuf>>,
    tokens: BTreeMap<u64, u64>,
    in_flight: u32,
    woken: bool,
    /// It found nothing and waits until this time.
    parked: Option<u64>,
    inbox: Vec<(Ticket, Reply)>,
}

struct End {
    config: EndConfig,
    address: IpAddr,
    disk: SimDisk,
    process: u32,
    alive: bool,
    powered: bool,
    descriptors: Descriptors,
    cores: Vec<CoreState>,
}

type Edit = Box<dyn FnOnce(&mut SimDisk)>;

struct Inner {
    config: WorldConfig,
    random: Random,
    plan: FaultPlan,
    trace: Trace,
    now_ns: u64,
    queue: BTreeMap<(u64, u64), Event>,
    order: u64,
    net: Network,
    ends: Vec<End>,
    ops: BTreeMap<u64, Pending>,
    announcements: VecDeque<Step>,
    edits: Vec<(EndId, Ino, Edit)>,
    violations: Vec<String>,
    turns: u64,
    pressure: Pressure,
}

/// How often a bound of a core was met.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pressure {
    /// An operation was given back: the queue was full.
    pub queue_full: u64,
    /// No arena slot was free.
    pub arena_empty: u64,
    /// A token came round: its slot had been used before.
    pub tokens_reused: u64,
}

/// A handle of the world; clones are the same world.
#[derive(Clone)]
pub struct World(Rc<RefCell<Inner>>);

impl World {
    /// A world with empty disks and no process.
    pub fn new(config: WorldConfig) -> Self {
        let mut random = Random::new(config.seed);
        let ends = config.ends.iter().zip(1..).map(|(one, last)| End {
            address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)),
            disk: SimDisk::new(one.disk.clone()),
            process: 0,
            alive: false,
            powered: true,
            descriptors: Descriptors::new(one.descriptors_max),
            cores: Vec::new(),
            config: one.clone(),
        });
        let inner = Inner {
            ends: ends.collect(),
            random: random.fork(),
            plan: config.plan.clone(),
            trace: Trace::default(),
            now_ns: BEGIN_NS,
            queue: BTreeMap::new(),
            order: 0,
            net: Network::default(),
            ops: BTreeMap::new(),
            announcements: VecDeque::new(),
            edits: Vec::new(),
            violations: Vec::new(),
            turns: 0,
            pressure: Pressure::default(),
            config,
        };
        let world = Self(Rc::new(RefCell::new(inner)));
        let ends = world.inner().ends.len();
        for end in 0..ends {
            world.inner().set_disk_time(EndId(end as u8));
        }
        world
    }

    /// Starts a process: one `SimIo` per core. What a former process left open is gone.
    ///
    /// # Panics
    /// A process of this machine is alive.
    pub fn boot(&self, end: EndId) -> Vec<SimIo> {
        let cores = self.inner().boot(end);
        (0..cores).map(|core| self.io(At { end, core: CoreId(core) })).collect()
    }

    fn io(&self, at: At) -> SimIo {
        let mut inner = self.inner();
        let random = inner.random.fork();
        let end = &inner.ends[at.end.0 as usize];
        let arena = Rc::clone(&end.cores[at.core.0 as usize].arena);
        let (process, now) = (end.process, inner.now(at.end));
        SimIo::new(self.clone(), at, process, arena, random, now)
    }

    /// What to do next. Time passes here.
    #[allow(clippy::should_implement_trait)] // a world is no iterator: it has no end
    pub fn next(&self) -> Step {
        self.inner().next_step()
    }

    /// A listening socket of one core, as a program makes before its cores start.
    ///
    /// # Panics
    /// The process is dead.
    pub fn listen(&self, at: At, port: u16) -> Fd {
        let mut inner = self.inner();
        let address = SocketAddr::new(inner.ends[at.end.0 as usize].address, port);
        let listener = inner.net.listen(at.end, at.core, address);
        inner.add_descriptor(at.end, Object::Listener(listener))
    }

    /// Wakes a core as a thread of its process does.
    pub fn wake(&self, at: At) {
        self.inner().wake(at);
    }

    /// Makes something that is neither file, directory nor symlink in an open directory.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn make_special(&self, end: EndId, dir: Fd, name: &[u8]) {
        let mut inner = self.inner();
        let machine = inner.end(end);
        match machine.descriptors.find(dir) {
            Ok((_, Object::File { ino, .. })) => {
                machine.disk.make_special(ino, name).expect("the directory is writable");
            }
            _ => panic!("no directory"),
        }
    }

    /// Address of a machine's port.
    pub fn address(&self, end: EndId, port: u16) -> SocketAddr {
        SocketAddr::new(self.0.borrow().ends[end.0 as usize].address, port)
    }

    /// A directory's descriptor by its path from the root of the disk, as a program opens its roots.
    ///
    /// # Panics
    /// There is no such directory.
    pub fn open_dir(&self, end: EndId, path: &[u8]) -> Fd {
        let mut inner = self.inner();
        let disk = &mut inner.ends[end.0 as usize].disk;
        let (ino, write) = disk.open_absolute(path, How::Directory).expect("the directory exists");
        inner.add_descriptor(end, Object::File { ino, write })
    }

    /// Reads or edits a disk from outside the processes.
    pub fn disk<R>(&self, end: EndId, edit: impl FnOnce(&mut SimDisk) -> R) -> R {
        let mut inner = self.inner();
        inner.set_disk_time(end);
        edit(&mut inner.ends[end.0 as usize].disk)
    }

    /// An edit that happens between the two stats of the next Get of `path`.
    ///
    /// # Panics
    /// There is no such file.
    pub fn edit_in_get(&self, end: EndId, path: &[u8], edit: impl FnOnce(&mut SimDisk) + 'static) {
        let mut inner = self.inner();
        let disk = &inner.ends[end.0 as usize].disk;
        let ino = disk.find(path, crate::disk::View::Visible).expect("it exists");
        inner.edits.push((end, ino, Box::new(edit)));
    }

    /// [`Step::Alarm`] with this tag comes after so much time.
    pub fn alarm(&self, after_ns: u64, tag: u64) {
        self.inner().plan_after(after_ns, Event::Alarm(tag));
    }

    /// The process ends at once; what it wrote stays in the cache.
    pub fn kill(&self, end: EndId) {
        self.inner().die(end, Death::Kill);
    }

    /// The machine loses power.
    pub fn lose_power(&self, end: EndId) {
        self.inner().die(end, Death::Power);
    }

    /// The process ends by itself: as a kill, but nobody is told and no restart is planned.
    pub fn exit(&self, end: EndId) {
        self.inner().exit(end);
    }

    /// Resets a connection, whatever the plan says.
    pub fn cut(&self, connection: u64) {
        self.inner().cut(connection);
    }

    /// Connections that exist.
    pub fn connections(&self) -> Vec<u64> {
        self.0.borrow().net.connections()
    }

    /// No fault from here on.
    pub fn calm(&self) {
        self.inner().plan.stop();
    }

    /// Faults so far.
    pub fn counts(&self) -> FaultCounts {
        self.0.borrow().plan.counts()
    }

    /// Stands for everything that happened.
    pub fn trace_hash(&self) -> u64 {
        self.0.borrow().trace.hash()
    }

    /// Rules of the seam that a core broke: a descriptor used after its close, a token used twice.
    pub fn violations(&self) -> Vec<String> {
        self.0.borrow().violations.clone()
    }

    /// Bounds met so far.
    pub fn pressure(&self) -> Pressure {
        self.0.borrow().pressure
    }

    /// An arena slot was asked for and none was free.
    pub(crate) fn arena_empty(&self) {
        self.inner().pressure.arena_empty += 1;
    }

    /// Turns so far.
    pub fn turns(&self) -> u64 {
        self.0.borrow().turns
    }

    /// Virtual monotonic time.
    pub fn now_ns(&self) -> u64 {
        self.0.borrow().now_ns
    }

    /// Time as this machine sees it.
    pub fn now(&self, end: EndId) -> Now {
        self.0.borrow().now(end)
    }

    /// Whether the machine has a live process.
    pub fn is_alive(&self, end: EndId) -> bool {
        self.0.borrow().ends[end.0 as usize].alive
    }

    /// What a machine's process holds.
    pub fn held(&self, end: EndId) -> Held {
        let inner = self.0.borrow();
        let end = &inner.ends[end.0 as usize];
        Held {
            operations: end.cores.iter().map(|core| core.in_flight).sum(),
            buffers: end.cores.iter().map(|core| core.arena.taken()).sum(),
            descriptors: end.descriptors.count(),
        }
    }

    /// Seed, trace and violations, for a failure.
    pub fn report(&self) -> String {
        let inner = self.0.borrow();
        let mut out = format!("seed {}\n{}", inner.config.seed, inner.trace);
        let _ = writeln!(out, "faults: {}", inner.plan.counts());
        for violation in &inner.violations {
            let _ = writeln!(out, "violation: {violation}");
        }
        out
    }

    /// Prints the report when the test that holds it fails.
    pub fn guard(&self) -> Guard {
        Guard(self.clone())
    }

    fn inner(&self) -> RefMut<'_, Inner> {
        self.0.borrow_mut()
    }
}

/// What a process holds; equal at start and end of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// Operations in flight.
    pub operations: u32,
    /// Arena slots handed out.
    pub buffers: u32,
    /// Descriptors open.
    pub descriptors: u32,
}

/// See [`World::guard`].
pub struct Guard(World);

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() && self.0.0.try_borrow().is_ok() {
            eprintln!("{}", self.0.report());
        }
    }
}

impl Inner {
    fn end(&mut self, end: EndId) -> &mut End {
        &mut self.ends[end.0 as usize]
    }

    fn core(&mut self, at: At) -> &mut CoreState {
        &mut self.ends[at.end.0 as usize].cores[at.core.0 as usize]
    }

    fn now(&self, end: EndId) -> Now {
        let skew = self.ends[end.0 as usize].config.skew_ms;
        let utc = BEGIN_UTC_MS + (self.now_ns - BEGIN_NS) / 1_000_000;
        Now { mono_ns: self.now_ns, utc_ms: utc.saturating_add_signed(skew) }
    }

    fn set_disk_time(&mut self, end: EndId) {
        let ms = self.now(end).utc_ms;
        let nanos = (ms % 1000) as u32 * 1_000_000 + (self.now_ns % 1_000_000) as u32;
        self.end(end).disk.set_time(FileTime { seconds: (ms / 1000) as i64, nanos });
    }

    fn add_descriptor(&mut self, end: EndId, object: Object) -> Fd {
        self.order += 1;
        let id = self.order;
        self.end(end).descriptors.add(object, id)
    }

    fn violation(&mut self, text: String) {
        if self.violations.len() < 100 {
            self.violations.push(text);
        }
    }

    fn record(&mut self, at: At, what: &'static str, subject: u64, outcome: i64) {
        let moment = Moment { at_ns: self.now_ns, end: at.end.0, core: at.core.0, what, subject, outcome };
        self.trace.record(moment);
    }
}
