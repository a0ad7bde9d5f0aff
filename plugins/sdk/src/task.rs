//! Waiting: tickets that a handler may `.await`, and what runs it meanwhile.
//!
//! Every import that takes long gives a ticket at once; what became of it arrives as an event. [`Tasks`] holds the calls
//! that wait, and goes on with the one whose ticket an event names. Natively a test does the same:
//!
//! ```
//! use std::rc::Rc;
//! use xferd_plugin_sdk::handler::{Answer, AsyncHandler, Call, Spec, done};
//! use xferd_plugin_sdk::settings::Settings;
//! use xferd_plugin_sdk::task::{self, Tasks};
//! use xferd_plugin_sdk::{clock, double::Double};
//!
//! struct Patient;
//!
//! impl AsyncHandler for Patient {
//!     fn configure(_: &Settings) -> Result<Self, String> {
//!         Ok(Self)
//!     }
//!
//!     fn describe(&self) -> Vec<Spec> {
//!         vec![Spec::new("later", "Answers after a second")]
//!     }
//!
//!     async fn run(self: Rc<Self>, _: Call) -> Answer {
//!         let began = clock::unix_ms();
//!         match task::after(1000).await {
//!             Ok(()) => done(format!("{} ms later", clock::unix_ms() - began)),
//!             Err(_) => done("too many timers"),
//!         }
//!     }
//! }
//!
//! let (mut world, mut tasks, patient) = (Double::default(), Tasks::default(), Rc::new(Patient));
//! let call = Call::of("later", b"");
//! assert_eq!(world.run(|| tasks.begin(7, patient.run(call))), None, "it waits");
//! world.unix_ms(1000);
//! let due = world.due();
//! world.run(|| tasks.deliver(&due));
//! assert_eq!((world.sent()[0].ticket, &world.sent()[0].body[..]), (Some(7), &b"1000 ms later"[..]));
//! ```

use crate::handler::Answer;
use crate::host::{messages, timers};
use crate::value::{Error, Event, PeerId, Ticket};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

/// Waits so many milliseconds, at most 30 days.
///
/// # Errors
/// `limit`: the plugin has 256 timers already.
pub async fn after(ms: u64) -> Result<(), Error> {
    let ticket = timers::after(ms)?;
    event(ticket).await;
    Ok(())
}

/// Asks the same plugin on another node; its answer, or what the event says where none came in time.
///
/// # Errors
/// `denied` and `limit` by the grant `messages`, `unavailable` where the engine carries no messages.
pub async fn ask(to: PeerId, topic: &str, body: &[u8], timeout_ms: u32) -> Result<Event, Error> {
    let ticket = messages::ask(to, topic, body, timeout_ms)?;
    Ok(event(ticket).await)
}

/// Waits for the event of a ticket. Only one may wait for it.
pub fn event(ticket: Ticket) -> impl Future<Output = Event> {
    Waiting(ticket)
}

struct Waiting(Ticket);

impl Future for Waiting {
    type Output = Event;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Event> {
        tickets(|tickets| match tickets.came.remove(&self.0) {
            Some(event) => Poll::Ready(event),
            None => {
                tickets.waiting.insert(self.0, context.waker().clone());
                Poll::Pending
            }
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        tickets(|tickets| {
            tickets.waiting.remove(&self.0);
            tickets.came.remove(&self.0);
        });
    }
}

/// Who waits for which ticket, and what came.
#[derive(Default)]
struct Tickets {
    waiting: BTreeMap<Ticket, Waker>,
    came: BTreeMap<Ticket, Event>,
}

#[cfg(target_arch = "wasm32")]
fn tickets<R>(work: impl FnOnce(&mut Tickets) -> R) -> R {
    static TICKETS: crate::guest::Slot<Tickets> = crate::guest::Slot::new();
    TICKETS.with_or_default(work)
}

#[cfg(not(target_arch = "wasm32"))]
fn tickets<R>(work: impl FnOnce(&mut Tickets) -> R) -> R {
    std::thread_local! {
        static TICKETS: core::cell::RefCell<Tickets> = core::cell::RefCell::default();
    }
    TICKETS.with_borrow_mut(work)
}

/// Calls that wait.
#[derive(Default)]
pub struct Tasks {
    /// By the call's ticket.
    calls: BTreeMap<Ticket, Task>,
}

struct Task {
    work: Pin<Box<dyn Future<Output = Answer>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Tasks {
    /// Begins a call; none: it waits, and [`Tasks::deliver`] answers it.
    pub fn begin(&mut self, call: Ticket, work: impl Future<Output = Answer> + 'static) -> Option<Answer> {
        let mut task = Task { work: Box::pin(work), woken: Arc::new(Woken(AtomicBool::new(false))) };
        match task.go_on() {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => {
                self.calls.insert(call, task);
                None
            }
        }
    }

    /// Goes on with the calls that these events concern.
    pub fn deliver(&mut self, events: &[Event]) {
        for event in events {
            let Some(ticket) = event.ticket else { continue };
            tickets(|tickets| {
                if let Some(waker) = tickets.waiting.remove(&ticket) {
                    tickets.came.insert(ticket, event.clone());
                    waker.wake();
                }
            });
        }
        let woken = self.calls.iter().filter(|(_, task)| task.woken.0.swap(false, Ordering::Relaxed));
        let woken: Vec<Ticket> = woken.map(|(call, _)| *call).collect();
        for call in woken {
            let Some(task) = self.calls.get_mut(&call) else { continue };
            let Poll::Ready(answer) = task.go_on() else { continue };
            self.calls.remove(&call);
            let body = match answer {
                Answer::Done(body) => body,
                Answer::Refused(why) => why.into_bytes(),
            };
            if let Err(error) = messages::answer(call, &body) {
                crate::log::error!("call {call} was not answered: {error:?}");
            }
        }
    }

    /// How many calls wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.calls.len()
    }
}

impl Task {
    fn go_on(&mut self) -> Poll<Answer> {
        let waker = Waker::from(self.woken.clone());
        self.work.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::double::Double;
    use crate::handler::done;

    #[test]
    fn each_call_goes_on_with_its_own_ticket_and_answers_once() {
        let (mut world, mut tasks) = (Double::default(), Tasks::default());
        let work = |ms: u64| async move {
            let _ = after(ms).await;
            let _ = after(ms).await;
            done([ms as u8])
        };
        let now = world.run(|| tasks.begin(1, async { done("now") }));
        assert_eq!(now, Some(done("now")));
        world.run(|| {
            assert_eq!(tasks.begin(2, work(10)), None);
            assert_eq!(tasks.begin(3, work(5)), None);
        });
        for (at, answered, waits) in [(5, 0, 2), (10, 1, 1), (20, 2, 0)] {
            world.unix_ms(at);
            let due = world.due();
            world.run(|| tasks.deliver(&due));
            assert_eq!((world.sent().len(), tasks.waiting()), (answered, waits), "at {at}");
        }
        let answers: Vec<_> = world.sent().iter().map(|sent| (sent.ticket, sent.body.clone())).collect();
        assert_eq!(answers, [(Some(3), vec![5]), (Some(2), vec![10])]);
        assert!(world.due().is_empty());
    }
}
