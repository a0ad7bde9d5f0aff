//! The store's thread: the only one that runs SQL.
//!
//! Work comes through a bounded queue as closures. Full: [`AskError::Busy`] at once, nothing waits and nothing
//! grows. Each accepted piece of work has exactly one reply: its result, or [`Gone`] when the thread ended
//! before it ran. [`StoreThread::stop`] runs what was accepted, then closes the databases.

use crate::store::Store;
use base::limits::Limits;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::{fmt, io};

/// The store thread, from the side that starts and stops it.
pub struct StoreThread {
    handle: StoreHandle,
    thread: JoinHandle<Store>,
}

/// A way to the store thread; cheap to clone, one per thread that asks.
#[derive(Clone)]
pub struct StoreHandle {
    queue: SyncSender<Message>,
}

/// Why work was not accepted. It was dropped, and no reply will come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AskError {
    /// The queue is full.
    Busy,
    /// The thread has ended.
    Gone,
}

/// The thread ended before it ran the work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => write!(f, "the store is busy: try again"),
            Self::Gone => Gone.fmt(f),
        }
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store is shut down")
    }
}

impl std::error::Error for AskError {}
impl std::error::Error for Gone {}

/// A reply that has not come yet.
pub struct Pending<T> {
    reply: Receiver<Result<T, Gone>>,
}

impl<T> Pending<T> {
    /// Waits for it. Not for a core: those take [`StoreHandle::ask`].
    ///
    /// # Errors
    /// The thread ended first.
    pub fn wait(self) -> Result<T, Gone> {
        self.reply.recv().unwrap_or(Err(Gone))
    }
}

enum Message {
    Work(Box<dyn Work>),
    Stop,
}

trait Work: Send {
    fn run(self: Box<Self>, store: &mut Store);
    /// The queue refused it: the asker learns it from the refusal, so the reply must not fire.
    fn disown(self: Box<Self>);
}

struct Asked<F, T, R: FnOnce(Result<T, Gone>)> {
    work: F,
    owed: Owed<T, R>,
}

/// A reply that fires exactly once: when paid, else when dropped.
struct Owed<T, R: FnOnce(Result<T, Gone>)> {
    reply: Option<R>,
    of: std::marker::PhantomData<fn(T)>,
}

impl<T, R: FnOnce(Result<T, Gone>)> Owed<T, R> {
    fn pay(mut self, value: T) {
        if let Some(reply) = self.reply.take() {
            reply(Ok(value));
        }
    }
}

impl<T, R: FnOnce(Result<T, Gone>)> Drop for Owed<T, R> {
    fn drop(&mut self) {
        if let Some(reply) = self.reply.take() {
            reply(Err(Gone));
        }
    }
}

impl<F, T, R> Work for Asked<F, T, R>
where
    F: FnOnce(&mut Store) -> T + Send,
    R: FnOnce(Result<T, Gone>) + Send,
{
    fn run(self: Box<Self>, store: &mut Store) {
        let value = (self.work)(store);
        self.owed.pay(value);
    }

    fn disown(mut self: Box<Self>) {
        self.owed.reply = None;
    }
}

impl StoreHandle {
    /// Hands work over; never blocks. `reply` runs on the store thread (or on the one that stops it) and must
    /// not block either: it pushes into the asker's queue and wakes it.
    ///
    /// # Errors
    /// The queue is full or the thread has ended; then `reply` does not run.
    pub fn ask<T: 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> T + Send + 'static,
        reply: impl FnOnce(Result<T, Gone>) + Send + 'static,
    ) -> Result<(), AskError> {
        let owed = Owed { reply: Some(reply), of: std::marker::PhantomData };
        let (refused, why) = match self.queue.try_send(Message::Work(Box::new(Asked { work, owed }))) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(refused)) => (refused, AskError::Busy),
            Err(TrySendError::Disconnected(refused)) => (refused, AskError::Gone),
        };
        if let Message::Work(work) = refused {
            work.disown();
        }
        Err(why)
    }

    /// Hands work over for a thread that may wait for its reply.
    ///
    /// # Errors
    /// The queue is full or the thread has ended.
    pub fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Result<Pending<T>, AskError> {
        let (to, reply) = sync_channel(1);
        // An asker that no longer waits has no use for the reply.
        self.ask(work, move |value| drop(to.send(value)))?;
        Ok(Pending { reply })
    }

    /// Hands work over and waits for its reply, also for room in the queue. Not for a core, nor for the thread that
    /// the store itself waits for.
    ///
    /// # Errors
    /// The thread ended first.
    pub fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (to, reply) = sync_channel(1);
        let reply_to = move |value| drop(to.send(value));
        let owed = Owed { reply: Some(reply_to), of: std::marker::PhantomData };
        // A message that no thread takes is dropped here, and its reply is `Gone`.
        drop(self.queue.send(Message::Work(Box::new(Asked { work, owed }))));
        Pending { reply }.wait()
    }
}

impl StoreThread {
    /// Starts the thread; its queue holds `hook_queue_max` pieces of work.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(store: Store, limits: &Limits) -> io::Result<Self> {
        let (queue, work) = sync_channel(limits.hook_queue_max as usize);
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || serve(store, &work))?;
        Ok(Self { handle: StoreHandle { queue }, thread })
    }

    /// A way to it.
    pub fn handle(&self) -> StoreHandle {
        self.handle.clone()
    }

    /// Runs what was accepted, ends the thread, and gives the store back.
    ///
    /// # Errors
    /// Work panicked: our own bug; the databases are as the last commit left them.
    pub fn stop(self) -> Result<Store, Gone> {
        // The thread may have ended by a panic already; join tells.
        let _ = self.handle.queue.send(Message::Stop);
        self.thread.join().map_err(|_| Gone)
    }
}

fn serve(mut store: Store, queue: &Receiver<Message>) -> Store {
    let mut open = true;
    while open {
        match queue.recv() {
            Ok(Message::Work(work)) => work.run(&mut store),
            Ok(Message::Stop) | Err(_) => open = false,
        }
    }
    while let Ok(message) = queue.try_recv() {
        if let Message::Work(work) = message {
            work.run(&mut store);
        }
    }
    store
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Barrier};

    #[test]
    fn a_full_queue_refuses_at_once_and_every_accepted_piece_has_one_reply() {
        let (_home, store) = store(&Limits::TINY);
        let thread = StoreThread::start(store, &Limits::TINY).unwrap();
        let handle = thread.handle();
        let gate = Arc::new(Barrier::new(2));
        let (held, replies) = (gate.clone(), Arc::new(AtomicU32::new(0)));
        let first = handle.call(move |_| [held.wait(), held.wait()].len()).unwrap();
        gate.wait();
        let count = |replies: &Arc<AtomicU32>| {
            let replies = replies.clone();
            move |value: Result<u64, Gone>| {
                assert!(value.is_ok());
                replies.fetch_add(1, Ordering::Relaxed);
            }
        };
        for _ in 0..Limits::TINY.hook_queue_max {
            handle.ask(|store| store.next_serial().unwrap(), count(&replies)).unwrap();
        }
        let refused = handle.ask(|store| store.next_serial().unwrap(), count(&replies));
        assert_eq!(refused, Err(AskError::Busy));
        gate.wait();
        first.wait().unwrap();
        let mut store = thread.stop().unwrap();
        assert_eq!(replies.load(Ordering::Relaxed), Limits::TINY.hook_queue_max, "the refused one had none");
        assert_eq!(store.next_serial().unwrap(), u64::from(Limits::TINY.hook_queue_max) + 1);
        assert_eq!(handle.ask(|_| (), |_| panic!("refused work has no reply")), Err(AskError::Gone));
    }

    #[test]
    fn work_that_panics_answers_gone_to_all_that_wait() {
        let (_home, store) = store(&Limits::DEFAULT);
        let thread = StoreThread::start(store, &Limits::DEFAULT).unwrap();
        let handle = thread.handle();
        let bad = handle.call(|_| panic!("planted")).unwrap();
        let after = handle.call(|store| store.next_serial().is_ok());
        assert_eq!(bad.wait(), Err::<(), _>(Gone));
        if let Ok(pending) = after {
            assert_eq!(pending.wait(), Err(Gone));
        }
        assert!(thread.stop().is_err());
    }
}
