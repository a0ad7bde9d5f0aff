//! The two clocks, and the heap of a core's timers.

use crate::slots::Key;
use base::io::Now;
use rustix::time::{ClockId, clock_gettime};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

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
