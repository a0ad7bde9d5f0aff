//! A small fixed pool of threads for what may block: batches of acts, and for the engine on threads every
//! file operation.
//!
//! Both queues are bounded by the core's operation slots. A task borrows memory of its slot: the core frees
//! the slot when the task's outcome has come back, and joins the pool before it frees any slot.

use crate::acts;
use crate::arena::Buf;
use crate::error::{RingError, errno_of};
use crate::process::{spawn, unpin};
use crate::slots::Key;
use crate::wake::Bell;
use base::io::{Batch, Errno};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// RWF_DONTCACHE of preadv2(2), Linux 6.14.
pub(crate) const RWF_DONTCACHE: i32 = 0x80;

/// A batch on its way to a pool thread and back.
pub(crate) struct Parcel(Box<Batch<Buf>>);

// SAFETY: a `Buf` is not Send only because taking and dropping it touch the core's free list without a
// lock. A pool thread does neither: `acts::run` reaches the buffer through AsRef and AsMut alone, the
// parcel goes back to the core that sent it, and a pool thread that panics aborts the process instead of
// dropping it.
unsafe impl Send for Parcel {}

impl Parcel {
    /// Packs a batch.
    pub(crate) fn new(batch: Box<Batch<Buf>>) -> Self {
        Self(batch)
    }

    /// Unpacks it; on the core.
    pub(crate) fn open(self) -> Box<Batch<Buf>> {
        self.0
    }
}

/// Memory of an operation's slot.
pub(crate) struct Span {
    pub(crate) start: *mut u8,
    pub(crate) len: usize,
}

// SAFETY: the address of arena memory that the operation's slot holds until the task's outcome is back; no
// one else reads or writes it meanwhile.
unsafe impl Send for Span {}

/// What a pool thread does.
pub(crate) enum Job {
    /// Runs a batch.
    Acts(Parcel),
    /// preadv2 or pwritev2.
    Transfer { fd: i32, offset: u64, span: Span, write: bool, uncached: bool },
    /// fsync or fdatasync.
    Sync { fd: i32, data_only: bool },
    /// fallocate with KEEP_SIZE.
    Reserve { fd: i32, offset: u64, len: u64 },
    /// close.
    Close { fd: i32 },
}

/// How it ended.
pub(crate) struct Outcome {
    pub(crate) key: Key,
    pub(crate) result: Result<u32, Errno>,
    pub(crate) parcel: Option<Parcel>,
    /// `uncached` was asked for and refused; the transfer was made without.
    pub(crate) refused_uncached: bool,
}

struct Todo {
    tasks: VecDeque<(Key, Job)>,
    closed: bool,
}

struct Shared {
    todo: Mutex<Todo>,
    more: Condvar,
    outcomes: Mutex<VecDeque<Outcome>>,
    bell: Arc<Bell>,
}

/// The pool of one core.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    most: usize,
}

impl Pool {
    /// Starts `threads` threads; at most `most` tasks wait; `bell` is rung for every outcome.
    ///
    /// # Errors
    /// A thread could not be started.
    pub(crate) fn new(name: &str, threads: u32, most: u32, bell: Arc<Bell>) -> Result<Self, RingError> {
        let shared = Arc::new(Shared {
            todo: Mutex::new(Todo { tasks: VecDeque::new(), closed: false }),
            more: Condvar::new(),
            outcomes: Mutex::new(VecDeque::new()),
            bell,
        });
        let mut pool = Self { shared, threads: Vec::new(), most: most as usize };
        for _ in 0..threads {
            let shared = Arc::clone(&pool.shared);
            pool.threads.push(spawn(name, move || work(&shared))?);
        }
        Ok(pool)
    }

    /// Queues the task of a slot: one slot has at most one, so there is room.
    pub(crate) fn push(&self, key: Key, job: Job) {
        let mut todo = lock(&self.shared.todo);
        assert!(todo.tasks.len() < self.most, "one task a slot");
        todo.tasks.push_back((key, job));
        drop(todo);
        self.shared.more.notify_one();
    }

    /// Takes a task back that no thread has begun.
    pub(crate) fn withdraw(&self, key: Key) -> Option<Job> {
        let mut todo = lock(&self.shared.todo);
        let at = todo.tasks.iter().position(|(other, _)| *other == key)?;
        todo.tasks.remove(at).map(|(_, job)| job)
    }

    /// The next outcome, in the order they came.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        lock(&self.shared.outcomes).pop_front()
    }

    /// Lets what has begun finish, drops what has not (but closes what was to be closed), joins the threads.
    /// Afterwards no thread touches a slot's memory.
    pub(crate) fn close(&mut self) {
        let mut todo = lock(&self.shared.todo);
        todo.closed = true;
        let dropped = std::mem::take(&mut todo.tasks);
        drop(todo);
        for (_, job) in dropped {
            if let Job::Close { fd } = job {
                let _ = close(fd);
            }
        }
        self.shared.more.notify_all();
        for thread in self.threads.drain(..) {
            // A pool thread that panics aborts, so there is no panic to pass on.
            let _ = thread.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// See the SAFETY of [`Parcel`]: nothing of a slot may be dropped by an unwinding pool thread.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

fn work(shared: &Shared) {
    let _guard = AbortOnPanic;
    unpin();
    while let Some((key, job)) = next(shared) {
        let outcome = run(key, job);
        lock(&shared.outcomes).push_back(outcome);
        shared.bell.ring();
    }
}

fn next(shared: &Shared) -> Option<(Key, Job)> {
    let mut todo = lock(&shared.todo);
    loop {
        if todo.closed {
            return None;
        }
        if let Some(task) = todo.tasks.pop_front() {
            return Some(task);
        }
        todo = shared.more.wait(todo).unwrap_or_else(PoisonError::into_inner);
    }
}

fn run(key: Key, job: Job) -> Outcome {
    let plain = |result| Outcome { key, result, parcel: None, refused_uncached: false };
    match job {
        Job::Acts(Parcel(mut batch)) => {
            acts::run(&mut batch);
            Outcome { key, result: Ok(0), parcel: Some(Parcel(batch)), refused_uncached: false }
        }
        Job::Transfer { fd, offset, span, write, uncached } => {
            let (result, refused_uncached) = transfer(fd, offset, &span, write, uncached);
            Outcome { key, result, parcel: None, refused_uncached }
        }
        // SAFETY: no memory is passed; a wrong descriptor yields EBADF.
        Job::Sync { fd, data_only: true } => plain(check(|| unsafe { libc::fdatasync(fd) } as isize)),
        // SAFETY: as above.
        Job::Sync { fd, data_only: false } => plain(check(|| unsafe { libc::fsync(fd) } as isize)),
        Job::Reserve { fd, offset, len } => plain(check(|| {
            // SAFETY: as above.
            unsafe { libc::fallocate64(fd, libc::FALLOC_FL_KEEP_SIZE, offset as i64, len as i64) as isize }
        })),
        Job::Close { fd } => plain(close(fd)),
    }
}

/// close(2), never retried: Linux releases the number even when it reports EINTR.
pub(crate) fn close(fd: i32) -> Result<u32, Errno> {
    // SAFETY: the number is the caller's to close; a wrong one yields EBADF.
    match unsafe { libc::close(fd) } {
        0 => Ok(0),
        _ => Err(errno_of(&std::io::Error::last_os_error())),
    }
}

fn transfer(fd: i32, offset: u64, span: &Span, write: bool, uncached: bool) -> (Result<u32, Errno>, bool) {
    let vector = libc::iovec { iov_base: span.start.cast(), iov_len: span.len };
    let once = |flags: i32| {
        check(|| {
            // SAFETY: `vector` points to memory that the operation's slot holds until this outcome is back.
            unsafe {
                if write {
                    libc::pwritev2(fd, &vector, 1, offset as i64, flags)
                } else {
                    libc::preadv2(fd, &vector, 1, offset as i64, flags)
                }
            }
        })
    };
    if !uncached {
        return (once(0), false);
    }
    match once(RWF_DONTCACHE) {
        Err(Errno::OPNOTSUPP | Errno::INVAL) => (once(0), true),
        result => (result, false),
    }
}

/// A system call's outcome, repeated while a signal interrupts it.
fn check(call: impl Fn() -> isize) -> Result<u32, Errno> {
    loop {
        let result = call();
        if result >= 0 {
            return Ok(result as u32);
        }
        match errno_of(&std::io::Error::last_os_error()) {
            Errno::INTR => continue,
            other => return Err(other),
        }
    }
}
