//! The engine on blocking threads, for machines where io_uring is forbidden.
//!
//! Sockets are never waited for by a thread: the core tries each receive and send at once and leaves the
//! rest to one epoll, so that an idle connection costs a slot and nothing else. Files, batches and closes go
//! to a small pool. Timers are a heap that bounds the wait; the bell is an eventfd in the epoll.
//!
//! Invariant: a pool thread touches only memory of a slot whose outcome has not come back; dropping the
//! engine joins the pool first.

mod sockets;

use crate::arena::Buf;
use crate::clock::{self, Timers};
use crate::error::{RingError, errno};
use crate::ground::Ground;
use crate::pool::{Job, Outcome, Parcel, Pool, Span, close};
use crate::slots::{Key, Slots};
use crate::wake::Waker;
use base::ids::CoreId;
use base::io::{Batch, Done, Errno, Fd, Io, IoCaps, Now, Op, Out, Token};
use base::limits::Limits;
use rustix::event::epoll;
use rustix::fd::OwnedFd;
use rustix::net::Shutdown;
use rustix::time::Timespec;
use sockets::Waiting;
use std::collections::{HashMap, VecDeque};

/// What the bell is called in the epoll; sockets are called by their numbers.
const BELL: u64 = u64::MAX;

/// What an operation holds until it completes.
enum Held {
    Accept { listener: i32 },
    Connect { socket: i32 },
    Head { socket: i32, at: u8 },
    Recv { socket: i32, buf: Buf, at: u32, len: u32 },
    Send { socket: i32, buf: Buf, at: u32, len: u32 },
    File { file: i32, buf: Buf },
    Plain,
    Timer,
    Acts,
}

/// One core's engine on threads. Neither `Send` nor `Sync`.
pub struct Threads {
    // Joined before the slots go: fields are dropped in this order.
    pool: Pool,
    slots: Slots<Held>,
    waiting: HashMap<i32, Waiting>,
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    most: u32,
    timers: Timers,
    /// Ended, not yet handed out.
    ready: VecDeque<Done<Buf>>,
    ground: Ground,
}

impl Threads {
    /// Makes the arena, epoll and pool of one core, on the thread that will use them.
    ///
    /// # Errors
    /// Memory, threads or descriptors are missing.
    pub fn new(core: CoreId, limits: &Limits) -> Result<Self, RingError> {
        let ground = Ground::new(core, "threads", limits)?;
        let most = limits.ops_in_flight_per_core;
        let descriptor = |e| RingError::Descriptor { errno: errno(e) };
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(descriptor)?;
        epoll::add(&epoll, ground.bell.fd(), epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)
            .map_err(descriptor)?;
        let bell = std::sync::Arc::clone(&ground.bell);
        let pool = Pool::new("xferd-files", limits.pool_threads_per_core, most, bell)?;
        Ok(Self {
            pool,
            slots: Slots::new(most),
            waiting: HashMap::new(),
            epoll,
            events: Vec::with_capacity(limits.done_per_turn as usize),
            most,
            timers: Timers::default(),
            ready: VecDeque::new(),
            ground,
        })
    }

    /// Wakes this core; for every other core and thread.
    pub fn waker(&self) -> Waker {
        Waker { bell: std::sync::Arc::clone(&self.ground.bell), ring: -1 }
    }

    /// The wakers of all cores, in the order of their [`CoreId`]s.
    pub fn set_peers(&mut self, peers: Vec<Waker>) {
        self.ground.peers = peers;
    }

    /// Why io_uring is not used, for [`IoCaps::notice`].
    pub fn set_notice(&mut self, notice: String) {
        self.ground.caps.notice = Some(notice);
    }

    fn end_now(&mut self, token: Token, result: Result<u32, Errno>, buf: Option<Buf>, out: Out<Buf>) {
        self.ready.push_back(Done { token, result, buf, out });
    }

    /// Ends the operation of a slot.
    fn end(&mut self, key: Key, result: Result<u32, Errno>, out: Out<Buf>) {
        let Some((token, held)) = self.slots.remove(key) else { return };
        let buf = match held {
            Held::Recv { buf, .. } | Held::Send { buf, .. } | Held::File { buf, .. } => Some(buf),
            _ => None,
        };
        self.end_now(token, result, buf, out);
    }

    /// Gives a file operation to the pool.
    #[allow(clippy::too_many_arguments)] // the fields of a read or write
    fn transfer(
        &mut self,
        (key, token): (Key, Token),
        file: i32,
        offset: u64,
        buf: Buf,
        (at, len): (u32, u32),
        write: bool,
        uncached: bool,
    ) {
        let span = Span { start: buf.span(at, len), len: len as usize };
        let uncached = uncached && !self.ground.notes.of(file).cached_only;
        self.slots.fill(key, token, Held::File { file, buf });
        self.pool.push(key, Job::Transfer { fd: file, offset, span, write, uncached });
    }

    fn start(&mut self, key: Key, token: Token, op: Op<Buf>) {
        let mut give = |job: Job, held: Held| {
            self.slots.fill(key, token, held);
            self.pool.push(key, job);
        };
        match op {
            Op::Sync { file, data_only } => give(Job::Sync { fd: file.0, data_only }, Held::Plain),
            Op::Reserve { file, offset, len } => give(Job::Reserve { fd: file.0, offset, len }, Held::Plain),
            Op::Acts(batch) => give(Job::Acts(Parcel::new(batch)), Held::Acts),
            Op::Close { fd } => {
                self.forget_socket(fd.0);
                self.ground.notes.forget(fd.0);
                self.slots.fill(key, token, Held::Plain);
                self.pool.push(key, Job::Close { fd: fd.0 });
            }
            Op::Read { file, offset, buf, at, len, uncached } => {
                self.transfer((key, token), file.0, offset, buf, (at, len), false, uncached);
            }
            Op::Write { file, offset, buf, at, len, uncached } => {
                self.transfer((key, token), file.0, offset, buf, (at, len), true, uncached);
            }
            Op::Timer { at_ns } => {
                self.slots.fill(key, token, Held::Timer);
                let slots = &self.slots;
                self.timers.add(at_ns, key, self.most as usize * 2, |key| slots.is_live(key));
            }
            socket_op => self.start_socket(key, token, socket_op),
        }
    }

    /// What the pool has finished.
    fn collect_outcomes(&mut self) {
        while let Some(Outcome { key, result, parcel, refused_uncached }) = self.pool.outcome() {
            if let (true, Some(Held::File { file, .. })) = (refused_uncached, self.slots.held(key)) {
                self.ground.notes.change(*file, |note| note.cached_only = true);
            }
            let out = match parcel.map(Parcel::open) {
                Some(batch) => {
                    self.ground.notes.forget_closed(&batch);
                    Out::Acts(batch)
                }
                None => Out::Nothing,
            };
            self.end(key, result, out);
        }
    }

    fn collect_timers(&mut self, done: &mut Vec<Done<Buf>>) {
        while done.len() < done.capacity() {
            let Some(key) = self.timers.due(self.ground.now.mono_ns) else { return };
            // A cancelled timer's key is dead.
            if let Some((token, Held::Timer)) = self.slots.remove(key) {
                done.push(Done { token, result: Ok(0), buf: None, out: Out::Nothing });
            }
        }
    }

    /// One epoll_pwait2, waiting only while nothing is at hand. False when a signal ended it.
    fn wait(&mut self, wait_until: u64, has_room: bool) -> bool {
        let until = wait_until.min(self.timers.next_ns().unwrap_or(u64::MAX));
        let timeout = if !self.ready.is_empty() || self.ground.woken || !has_room {
            Some(0)
        } else if until == u64::MAX {
            None
        } else {
            Some(until.saturating_sub(clock::mono_ns()))
        };
        let timeout = timeout
            .map(|ns| Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as i64 });
        self.events.clear();
        let mut events = std::mem::take(&mut self.events);
        let result = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref());
        for event in &events {
            match event.data.u64() {
                BELL => self.on_bell(),
                socket => self.on_ready(socket as i32, event.flags),
            }
        }
        self.events = events;
        !matches!(result, Err(rustix::io::Errno::INTR))
    }

    fn on_bell(&mut self) {
        let mut word = [0; 8];
        let _ = rustix::io::retry_on_intr(|| rustix::io::read(self.ground.bell.fd(), &mut word));
        self.ground.hear();
        self.collect_outcomes();
    }
}

impl Io for Threads {
    type Buf = Buf;

    fn caps(&self) -> &IoCaps {
        &self.ground.caps
    }

    fn now(&self) -> Now {
        self.ground.now
    }

    fn stamp(&self) -> u64 {
        clock::mono_ns()
    }

    fn random(&mut self, out: &mut [u8]) {
        self.ground.random(out);
    }

    fn take(&mut self) -> Option<Buf> {
        self.ground.arena.take()
    }

    fn submit(&mut self, token: Token, op: Op<Buf>) -> Result<(), Op<Buf>> {
        if self.slots.live() + self.ready.len() as u32 >= self.most {
            return Err(op);
        }
        match self.slots.vacant() {
            Some(key) => self.start(key, token, op),
            None => return Err(op),
        }
        Ok(())
    }

    fn cancel(&mut self, token: Token) {
        let Some(key) = self.slots.find(token) else { return };
        match self.slots.held(key) {
            Some(Held::Timer) => self.end(key, Err(Errno::CANCELED), Out::Nothing),
            Some(Held::File { .. } | Held::Plain | Held::Acts) => match self.pool.withdraw(key) {
                // It must happen: only the descriptor's owner knows the number as free.
                Some(job @ Job::Close { .. }) => self.pool.push(key, job),
                Some(Job::Acts(parcel)) => self.end(key, Err(Errno::CANCELED), Out::Acts(parcel.open())),
                Some(_) => self.end(key, Err(Errno::CANCELED), Out::Nothing),
                None => {}
            },
            Some(_) => self.cancel_socket(key),
            None => {}
        }
    }

    fn act(&mut self, batch: &mut Batch<Buf>) {
        self.ground.act(batch);
    }

    fn set_low_water(&mut self, socket: Fd, bytes: u32) -> Result<(), Errno> {
        self.ground.set_low_water(socket, bytes)
    }

    fn shut(&mut self, socket: Fd) {
        crate::sockets::shut(socket.0, Shutdown::Both);
    }

    fn shut_write(&mut self, socket: Fd) {
        crate::sockets::shut(socket.0, Shutdown::Write);
    }

    fn wake(&mut self, core: CoreId) {
        if core == self.ground.core {
            self.ground.woken = true;
        } else if let Some(peer) = self.ground.peers.get(usize::from(core.0)) {
            peer.wake();
        }
    }

    fn turn(&mut self, wait_until: u64, done: &mut Vec<Done<Buf>>) {
        let before = done.len();
        loop {
            let uninterrupted = self.wait(wait_until, done.len() < done.capacity());
            self.ground.now = clock::sample();
            self.ground.collect_woken(done);
            self.collect_timers(done);
            while done.len() < done.capacity()
                && let Some(ended) = self.ready.pop_front()
            {
                done.push(ended);
            }
            let full = done.len() == done.capacity();
            if done.len() > before || full || !uninterrupted || self.ground.now.mono_ns >= wait_until {
                return;
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.pool.close();
        let keys: Vec<Key> = self.slots.keys().collect();
        for key in keys {
            if let Some((_, Held::Connect { socket })) = self.slots.remove(key) {
                let _ = close(socket);
            }
        }
    }
}
