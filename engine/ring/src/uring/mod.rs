//! The engine on io_uring: one ring per core, used by the thread that made it alone.
//!
//! Operations become submission entries; `turn` hands them to the kernel in one call, waits, and turns
//! completions into [`Done`]s. Timers are a heap of ours that bounds the wait. Batches run on one helper
//! thread. The bell is an eventfd the ring always reads, or a message from another core's ring.
//!
//! Invariant: while an operation is with the kernel, its [`Held`] sits in its slot, and with it every
//! buffer; its [`Pad`] is not looked at. [`Uring::drop`](Drop) ends all operations before it frees either.

mod entry;
mod reap;

use crate::arena::Buf;
use crate::clock::{self, Timers};
use crate::error::{RingError, errno_of};
use crate::ground::Ground;
use crate::pool::{Job, Parcel, Pool};
use crate::probe::{self, Found};
use crate::slots::{Key, Slots};
use crate::sockets::{RAW_ADDRESS_BYTES, RawAddress};
use crate::wake::Waker;
use base::ids::CoreId;
use base::io::{Batch, Done, Errno, Fd, Io, IoCaps, Now, Op, Out, Token};
use base::limits::Limits;
use io_uring::{IoUring, opcode, squeue, types};
use rustix::net::Shutdown;
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// Marks in the completion's word that are no [`Key`]: bit 63 is set.
const MARK_BELL: u64 = 1 << 63;
const MARK_HEARD: u64 = MARK_BELL | 1;
const MARK_CANCEL: u64 = MARK_BELL | 2;
/// The low 16 bits say which core could not be reached.
const MARK_MESSAGE: u64 = MARK_BELL | 1 << 32;

/// How long a dropped engine waits for the kernel to let go before it leaks what the kernel may touch.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
const CLOSE_WAITS: u32 = 30;

/// What an operation holds until it completes.
enum Held {
    Accept,
    Connect { socket: i32 },
    Head { at: u8 },
    Recv { buf: Buf },
    Send { buf: Buf, socket: i32, at: u32, len: u32, zc: bool, sent: Option<i32> },
    File { buf: Buf, file: i32, offset: u64, at: u32, len: u32, write: bool, uncached: bool },
    Plain,
    Timer,
    Acts,
}

/// Memory of a slot that the kernel writes into, apart from buffers. Addresses never change.
struct Pad {
    head: [u8; 12],
    address: RawAddress,
    address_len: libc::socklen_t,
}

/// Everything the kernel may touch.
struct Kept {
    slots: Slots<Held>,
    pads: Box<[UnsafeCell<Pad>]>,
    bell_word: Box<UnsafeCell<u64>>,
}

/// One core's engine on io_uring. Neither `Send` nor `Sync`.
pub struct Uring {
    ring: ManuallyDrop<IoUring>,
    kept: ManuallyDrop<Kept>,
    /// Operations whose completion the kernel still owes.
    owed: u32,
    bell_armed: bool,
    found: Found,
    most: u32,
    timers: Timers,
    /// Ended without the kernel, not yet handed out.
    ready: VecDeque<Done<Buf>>,
    /// To be submitted again when the queue has room.
    again: VecDeque<Key>,
    pool: Pool,
    ground: Ground,
}

impl Uring {
    /// Makes the ring, arena and helper thread of one core, on the thread that will use them.
    ///
    /// # Errors
    /// [`RingError::Refused`] when io_uring cannot be used here; else memory, threads or descriptors are
    /// missing.
    pub fn new(core: CoreId, limits: &Limits) -> Result<Self, RingError> {
        let (ring, found) = probe::make(limits).map_err(RingError::Refused)?;
        let mut ground = Ground::new(core, "uring", limits)?;
        ground.caps.zero_copy_send = found.send_zc;
        let most = limits.ops_in_flight_per_core;
        let pad = || {
            UnsafeCell::new(Pad { head: [0; 12], address: RawAddress::NONE, address_len: RAW_ADDRESS_BYTES })
        };
        let kept = Kept {
            slots: Slots::new(most),
            pads: std::iter::repeat_with(pad).take(most as usize).collect(),
            bell_word: Box::new(UnsafeCell::new(0)),
        };
        let pool = Pool::new(
            "xferd-acts",
            limits.helper_threads_per_core,
            most,
            std::sync::Arc::clone(&ground.bell),
        )?;
        Ok(Self {
            ring: ManuallyDrop::new(ring),
            kept: ManuallyDrop::new(kept),
            owed: 0,
            bell_armed: false,
            found,
            most,
            timers: Timers::default(),
            ready: VecDeque::new(),
            again: VecDeque::new(),
            pool,
            ground,
        })
    }

    /// Wakes this core; for every other core and thread.
    pub fn waker(&self) -> Waker {
        let ring = if self.found.msg_ring { self.ring.as_raw_fd() } else { -1 };
        Waker { bell: std::sync::Arc::clone(&self.ground.bell), ring }
    }

    /// The wakers of all cores, in the order of their [`CoreId`]s.
    pub fn set_peers(&mut self, peers: Vec<Waker>) {
        self.ground.peers = peers;
    }

    /// Hands out an operation that ended here.
    fn end_now(&mut self, token: Token, result: Result<u32, Errno>, buf: Option<Buf>, out: Out<Buf>) {
        self.ready.push_back(Done { token, result, buf, out });
    }

    /// Room for one entry, by submitting what is queued if it must.
    fn has_room(&mut self) -> bool {
        if !self.ring.submission().is_full() {
            return true;
        }
        self.enter(None);
        !self.ring.submission().is_full()
    }

    /// Queues an entry; the caller made sure of the room.
    fn push(&mut self, entry: &squeue::Entry) {
        // SAFETY: every entry is built in `entry.rs` from memory that `kept` holds until the completion of
        // this entry was seen, or from none.
        let pushed = unsafe { self.ring.submission().push(entry) };
        assert!(pushed.is_ok(), "the submission queue had room");
    }

    /// One io_uring_enter: submits, and waits for a completion at most `wait_ns` (`None`: not at all,
    /// `Some(u64::MAX)`: without end). False when a signal ended it.
    fn enter(&mut self, wait_ns: Option<u64>) -> bool {
        let result = match wait_ns {
            None => self.ring.submit(),
            Some(u64::MAX) => self.ring.submit_and_wait(1),
            Some(ns) => {
                let span = types::Timespec::from(Duration::from_nanos(ns));
                self.ring.submitter().submit_with_args(1, &types::SubmitArgs::new().timespec(&span))
            }
        };
        let Err(error) = result else { return true };
        match errno_of(&error) {
            Errno::INTR => false,
            // Time is up; or the kernel is short of memory or of room for completions, which reaping makes.
            Errno(libc::ETIME) | Errno::AGAIN | Errno(libc::EBUSY) | Errno::NOMEM => true,
            other => panic!("io_uring_enter: errno {}", other.0),
        }
    }

    /// Submits and waits as long as nothing is at hand. False when a signal ended the wait.
    fn submit_and_wait(&mut self, wait_until: u64, has_room: bool) -> bool {
        self.arm_bell();
        self.submit_again();
        let (queued, deferred) = {
            let queue = self.ring.submission();
            (!queue.is_empty(), queue.taskrun() || queue.cq_overflow())
        };
        let at_hand = !self.ready.is_empty() || self.ground.woken || !self.ring.completion().is_empty();
        let until = wait_until.min(self.timers.next_ns().unwrap_or(u64::MAX));
        let wait_ns = if at_hand || !has_room || until == 0 {
            None
        } else if until == u64::MAX {
            Some(u64::MAX)
        } else {
            Some(until.saturating_sub(clock::mono_ns())).filter(|&ns| ns > 0)
        };
        if wait_ns.is_none() && !queued && !deferred {
            return true;
        }
        self.enter(wait_ns)
    }

    fn arm_bell(&mut self) {
        if !self.bell_armed && self.has_room() {
            let entry =
                opcode::Read::new(types::Fd(self.ground.bell.raw()), self.kept.bell_word.get().cast(), 8);
            self.push(&entry.build().user_data(MARK_BELL));
            self.bell_armed = true;
        }
    }

    /// Timers that are due.
    fn collect_timers(&mut self, done: &mut Vec<Done<Buf>>) {
        while done.len() < done.capacity() {
            let Some(key) = self.timers.due(self.ground.now.mono_ns) else { return };
            // A cancelled timer's key is dead.
            if let Some((token, Held::Timer)) = self.kept.slots.remove(key) {
                done.push(Done { token, result: Ok(0), buf: None, out: Out::Nothing });
            }
        }
    }

    /// Batches that came back.
    fn collect_outcomes(&mut self) {
        while let Some(outcome) = self.pool.outcome() {
            let Some((token, _)) = self.kept.slots.remove(outcome.key) else { continue };
            if let Some(parcel) = outcome.parcel {
                let batch = parcel.open();
                self.ground.notes.forget_closed(&batch);
                self.end_now(token, outcome.result, None, Out::Acts(batch));
            }
        }
    }
}

impl Io for Uring {
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
        if self.kept.slots.live() + self.ready.len() as u32 >= self.most {
            return Err(op);
        }
        let Some(key) = self.kept.slots.vacant() else { return Err(op) };
        match op {
            Op::Acts(batch) => {
                self.kept.slots.fill(key, token, Held::Acts);
                self.pool.push(key, Job::Acts(Parcel::new(batch)));
                Ok(())
            }
            Op::Timer { at_ns } => {
                self.kept.slots.fill(key, token, Held::Timer);
                let slots = &self.kept.slots;
                self.timers.add(at_ns, key, self.most as usize * 2, |key| slots.is_live(key));
                Ok(())
            }
            op if self.has_room() => {
                self.start(token, key, op);
                Ok(())
            }
            op => Err(op),
        }
    }

    fn cancel(&mut self, token: Token) {
        let Some(key) = self.kept.slots.find(token) else { return };
        if matches!(self.kept.slots.held(key), Some(Held::Timer)) {
            self.kept.slots.remove(key);
            self.end_now(token, Err(Errno::CANCELED), None, Out::Nothing);
        } else if matches!(self.kept.slots.held(key), Some(Held::Acts)) {
            if let Some(Job::Acts(parcel)) = self.pool.withdraw(key) {
                self.kept.slots.remove(key);
                self.end_now(token, Err(Errno::CANCELED), None, Out::Acts(parcel.open()));
            }
        } else if self.has_room() {
            let entry = opcode::AsyncCancel::new(key.pack()).build();
            self.push(&entry.user_data(MARK_CANCEL));
        }
        // Without room for the request the operation runs on; its `Done` comes all the same.
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
            return;
        }
        let Some(peer) = self.ground.peers.get(usize::from(core.0)).cloned() else { return };
        peer.bell.mark();
        if !peer.bell.claim() {
            return;
        }
        if peer.ring < 0 || !self.found.msg_ring || !self.has_room() {
            return peer.bell.strike();
        }
        let entry = opcode::MsgRingData::new(types::Fd(peer.ring), 0, MARK_HEARD, None).build();
        self.push(&entry.flags(squeue::Flags::SKIP_SUCCESS).user_data(MARK_MESSAGE | u64::from(core.0)));
    }

    fn turn(&mut self, wait_until: u64, done: &mut Vec<Done<Buf>>) {
        let before = done.len();
        loop {
            let uninterrupted = self.submit_and_wait(wait_until, done.len() < done.capacity());
            self.ground.now = clock::sample();
            self.ground.collect_woken(done);
            self.collect_timers(done);
            self.collect_completions(done);
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

impl Drop for Uring {
    fn drop(&mut self) {
        self.pool.close();
        let released = self.end_all();
        // SAFETY: dropped here once; `self` is not used afterwards. The ring goes first.
        unsafe { ManuallyDrop::drop(&mut self.ring) };
        if released {
            // SAFETY: as above; the kernel has completed every operation, so it touches none of it.
            unsafe { ManuallyDrop::drop(&mut self.kept) };
        }
        // Else buffers and pads are leaked, and with the buffers the arena: the kernel may still write there.
    }
}
