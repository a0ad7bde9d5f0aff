//! Waking a core from another thread.
//!
//! One eventfd per core. `rung` says that it was written and not yet read, so that any number of wakes
//! before the core looks costs one system call.

use crate::error::{RingError, errno};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a core listens to.
pub(crate) struct Bell {
    eventfd: OwnedFd,
    rung: AtomicBool,
    woken: AtomicBool,
}

impl Bell {
    /// # Errors
    /// No descriptor left.
    pub(crate) fn new() -> Result<Arc<Self>, RingError> {
        let eventfd =
            eventfd(0, EventfdFlags::CLOEXEC).map_err(|e| RingError::Descriptor { errno: errno(e) })?;
        Ok(Arc::new(Self { eventfd, rung: AtomicBool::new(false), woken: AtomicBool::new(false) }))
    }

    pub(crate) fn raw(&self) -> i32 {
        self.eventfd.as_raw_fd()
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.eventfd.as_fd()
    }

    /// Whoever calls this first since the core last heard must write the eventfd, or post to its ring.
    pub(crate) fn claim(&self) -> bool {
        !self.rung.swap(true, Ordering::AcqRel)
    }

    /// Makes the core's wait end, without a `Woken`.
    pub(crate) fn ring(&self) {
        if self.claim() {
            self.strike();
        }
    }

    /// Writes the eventfd. It cannot fail: it is ours, open, and far from its maximum.
    pub(crate) fn strike(&self) {
        let _ = rustix::io::retry_on_intr(|| rustix::io::write(&self.eventfd, &1u64.to_ne_bytes()));
    }

    /// The core has read the eventfd and looks at its queues after this. Whether `Woken` is due.
    pub(crate) fn hear(&self) -> bool {
        self.rung.swap(false, Ordering::AcqRel);
        self.woken.swap(false, Ordering::AcqRel)
    }

    /// Marks that `Woken` is due.
    pub(crate) fn mark(&self) {
        self.woken.store(true, Ordering::Release);
    }
}

/// Wakes one core from any thread; cheap to clone. Waking a core that is gone does nothing.
#[derive(Clone)]
pub struct Waker {
    pub(crate) bell: Arc<Bell>,
    /// Descriptor of the core's ring, for MSG_RING; -1: it has none.
    pub(crate) ring: i32,
}

impl Waker {
    /// Makes the core's `turn` return with `Out::Woken`. Wakes before the core looks are one.
    pub fn wake(&self) {
        self.bell.mark();
        self.bell.ring();
    }
}
