//! The two clocks, and the heap of a core's timers.

use crate::slots::Key;
use base::io::Now;
use rustix::time::{ClockId, clock_gettime};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem::MaybeUninit;

/// Monotonic nanoseconds (CLOCK_MONOTONIC, through the vDSO).
pub(crate) fn mono_ns() -> u64 {
    let t = clock_gettime(ClockId::Monotonic);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// Both clocks.
pub(crate) fn sample() -> Now {
    let t = clock_gettime(ClockId::Realtime);
    let utc_ms = (t.tv_sec.max(0) as u64) * 1000 + t.tv_nsec as u64 / 1_000_000;
    Now { mono_ns: mono_ns(), utc_ms }
}

/// What the kernel says of its clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockState {
    /// Something keeps it in step.
    pub synchronised: bool,
    /// By how much it may be wrong at most, in milliseconds.
    pub error_ms_max: u64,
}

/// Asks the kernel about its clock (adjtimex(2)); `None` where that is forbidden.
pub fn clock_state() -> Option<ClockState> {
    let mut state = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: a timex of zeros is a valid one whose modes ask to change nothing; the kernel writes within it.
    let (answer, state) = unsafe { (libc::adjtimex(state.as_mut_ptr()), state.assume_init()) };
    if answer < 0 {
        return None;
    }
    let synchronised = answer != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0;
    Some(ClockState { synchronised, error_ms_max: state.maxerror.max(0) as u64 / 1000 })
}

/// Pending timers. A cancelled one stays until it surfaces or [`Timers::prune`] drops it; its key is then
/// dead, which the owner sees by its generation.
#[derive(Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(u64, Key)>>,
}

impl Timers {
    /// Adds one; `most` bounds the heap, dead timers included, for a caller with at most `most / 2` live ones.
    pub(crate) fn add(&mut self, at_ns: u64, key: Key, most: usize, live: impl Fn(Key) -> bool) {
        if self.heap.len() >= most {
            self.heap.retain(|Reverse((_, key))| live(*key));
        }
        self.heap.push(Reverse((at_ns, key)));
    }

    /// When the next one is due, dead or not: a dead one costs an early return from a wait.
    pub(crate) fn next_ns(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes one that is due.
    pub(crate) fn due(&mut self, now_ns: u64) -> Option<Key> {
        if self.next_ns()? > now_ns {
            return None;
        }
        self.heap.pop().map(|Reverse((_, key))| key)
    }
}
