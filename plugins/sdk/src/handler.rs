//! Handlers: protocols that `xfer call PEER NAME` reaches. One instance lives long, on a thread of its own; one call
//! at a time, 40 ms at most.
//!
//! A [`Handler`] answers at once. An [`AsyncHandler`] may wait for tickets, such as timers, and answers when it is
//! done; it needs the grant `messages`, because that is how late answers travel. Whatever a call wrote is kept when it
//! returns, all of it at once; of a call that panics nothing remains, and the plugin is made anew.
//!
//! ```
//! use xferd_plugin_sdk::handler::{Answer, Call, Handler, Spec, done, refused};
//! use xferd_plugin_sdk::settings::Settings;
//! use xferd_plugin_sdk::{double::Double, kv};
//!
//! struct Visitors;
//!
//! impl Handler for Visitors {
//!     fn configure(_: &Settings) -> Result<Self, String> {
//!         Ok(Self)
//!     }
//!
//!     fn describe(&self) -> Vec<Spec> {
//!         vec![Spec::new("visit", "Counts who came by")]
//!     }
//!
//!     fn run(&mut self, call: &Call) -> Answer {
//!         match call.text() {
//!             Some(name) if !name.is_empty() => match kv::increment(name, 1) {
//!                 Ok(count) => done(format!("{name} came {count} times")),
//!                 Err(error) => refused(format!("not counted: {error:?}")),
//!             },
//!             _ => refused("send a name"),
//!         }
//!     }
//! }
//! # #[cfg(feature = "handler")]
//! xferd_plugin_sdk::export_handler!(Visitors);
//!
//! let mut world = Double::default();
//! let answer = world.run(|| Visitors.run(&Call::of("visit", b"ann")));
//! assert_eq!(answer, done("ann came 1 times"));
//! assert_eq!(world.value("ann"), Some(&b"1"[..]));
//! ```

use crate::settings::Settings;
use crate::value::{Attr, Event, PeerId, Ticket, Value};
use alloc::borrow::ToOwned as _;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;

/// A protocol that a handler serves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spec {
    /// Its name, unique on a node: 1 to 64 of `a-z 0-9 . _ -`, not beginning with `xferd.`.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Keys of a call's arguments.
    pub arguments: Vec<String>,
    /// What a caller has to be allowed to invoke beside the name.
    pub actions: Vec<String>,
}

impl Spec {
    /// Without arguments and further actions.
    pub fn new(name: &str, summary: &str) -> Self {
        let (name, summary) = (name.to_owned(), summary.to_owned());
        Self { name, summary, arguments: Vec::new(), actions: Vec::new() }
    }
}

/// One call. Who called is verified, and may: more about it tell [`crate::context`] and [`crate::identity`].
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// Name of the protocol.
    pub name: String,
    /// The device that calls.
    pub caller: PeerId,
    /// Its arguments.
    pub arguments: Vec<Attr>,
    /// What it sent, at most 1 MiB.
    pub body: Vec<u8>,
    /// The call's number.
    pub ticket: Ticket,
}

impl Call {
    /// A call for a test: by the device of zeros, with number 1.
    #[must_use]
    pub fn of(name: &str, body: &[u8]) -> Self {
        let caller = PeerId::default();
        Self { name: name.to_owned(), caller, arguments: Vec::new(), body: body.to_vec(), ticket: 1 }
    }

    /// What was sent, as text without blanks around it; none where it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(&self.body).ok().map(str::trim)
    }

    /// An argument.
    #[must_use]
    pub fn argument(&self, key: &str) -> Option<&Value> {
        self.arguments.iter().find(|attr| attr.key == key).map(|attr| &attr.val)
    }
}

/// The one answer of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Done: these bytes go to the caller.
    Done(Vec<u8>),
    /// Refused: the sentence goes to the person who called.
    Refused(String),
}

/// Done, with this answer.
pub fn done(body: impl AsRef<[u8]>) -> Answer {
    Answer::Done(body.as_ref().to_vec())
}

/// Refused, for this reason.
pub fn refused(why: impl Into<String>) -> Answer {
    Answer::Refused(why.into())
}

/// A handler that answers at once.
pub trait Handler: Sized + 'static {
    /// Reads the settings; what it writes is dropped.
    ///
    /// # Errors
    /// A sentence that names the setting; it is shown to the operator.
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// The protocols it serves; asked once.
    fn describe(&self) -> Vec<Spec>;

    /// Serves one call.
    fn run(&mut self, call: &Call) -> Answer;

    /// Something happened: a timer of its own ended.
    fn on_event(&mut self, _event: &Event) {}
}

/// A handler that may wait before it answers, with `.await` on what [`crate::task`] has. Other calls are served
/// meanwhile. A caller waits 30 seconds at most, and an answer that comes later than the call's return can no longer
/// be a refusal: say so in the answer itself, or refuse before the first wait.
pub trait AsyncHandler: Sized + 'static {
    /// As [`Handler::configure`].
    ///
    /// # Errors
    /// As [`Handler::configure`].
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// As [`Handler::describe`].
    fn describe(&self) -> Vec<Spec>;

    /// Serves one call.
    fn run(self: Rc<Self>, call: Call) -> impl Future<Output = Answer> + 'static;
}

/// Makes the type the plugin's handler. Natively it only checks that the type is one.
#[cfg(feature = "handler")]
#[macro_export]
macro_rules! export_handler {
    ($handler:ty) => {
        const _: fn() = || {
            fn is_handler<H: $crate::handler::Handler>() {}
            is_handler::<$handler>();
        };
        #[cfg(target_arch = "wasm32")]
        mod __exported {
            use super::*;
            struct Exported;
            static HANDLER: $crate::guest::Slot<$handler> = $crate::guest::Slot::new();

            $crate::__lane_setup!(Exported, handler, |settings| {
                HANDLER.set(<$handler as $crate::handler::Handler>::configure(settings)?);
                Ok(())
            });
            $crate::__handler_guest!(
                Exported,
                || HANDLER.with(|handler| $crate::handler::Handler::describe(handler)),
                |call| Some(HANDLER.with(|handler| $crate::handler::Handler::run(handler, &call))),
                |batch| HANDLER.with(|handler| {
                    batch.iter().for_each(|event| $crate::handler::Handler::on_event(handler, event));
                })
            );
            $crate::bindings::handler::export_handler!(Exported with_types_in $crate::bindings::handler);
        }
    };
}

/// Makes the type the plugin's handler that may wait. Natively it only checks that the type is one.
#[cfg(feature = "handler")]
#[macro_export]
macro_rules! export_async_handler {
    ($handler:ty) => {
        const _: fn() = || {
            fn is_handler<H: $crate::handler::AsyncHandler>() {}
            is_handler::<$handler>();
        };
        #[cfg(target_arch = "wasm32")]
        mod __exported {
            use super::*;
            struct Exported;
            static HANDLER: $crate::guest::Slot<$crate::alloc::rc::Rc<$handler>> = $crate::guest::Slot::new();
            static TASKS: $crate::guest::Slot<$crate::task::Tasks> = $crate::guest::Slot::new();

            fn handler() -> $crate::alloc::rc::Rc<$handler> {
                HANDLER.with(|handler| handler.clone())
            }

            $crate::__lane_setup!(Exported, handler, |settings| {
                let handler = <$handler as $crate::handler::AsyncHandler>::configure(settings)?;
                HANDLER.set($crate::alloc::rc::Rc::new(handler));
                TASKS.set($crate::task::Tasks::default());
                Ok(())
            });
            $crate::__handler_guest!(
                Exported,
                || $crate::handler::AsyncHandler::describe(&*handler()),
                |call| TASKS.with(|tasks| {
                    tasks.begin(call.ticket, $crate::handler::AsyncHandler::run(handler(), call))
                }),
                |batch| TASKS.with(|tasks| tasks.deliver(batch))
            );
            $crate::bindings::handler::export_handler!(Exported with_types_in $crate::bindings::handler);
        }
    };
}

/// The guest of `setup` in any world but a policy's.
#[cfg(any(feature = "handler", feature = "observer", feature = "discovery"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __lane_setup {
    ($exported:ident, $world:ident, |$settings:ident| $configure:block) => {
        impl $crate::bindings::$world::exports::xferd::plugin::setup::Guest for $exported {
            fn configure(
                settings: $crate::alloc::vec::Vec<$crate::value::Attr>,
            ) -> Result<(), $crate::alloc::string::String> {
                let $settings = &$crate::settings::Settings::new(settings);
                $configure
            }
        }
    };
}

/// The guest of `command`.
#[cfg(feature = "handler")]
#[doc(hidden)]
#[macro_export]
macro_rules! __handler_guest {
    ($exported:ident, || $describe:expr, |$call:ident| $run:expr, |$batch:ident| $on_events:expr) => {
        impl $crate::bindings::handler::exports::xferd::plugin::command::Guest for $exported {
            fn describe()
            -> $crate::alloc::vec::Vec<$crate::bindings::handler::exports::xferd::plugin::command::Spec> {
                $describe.into_iter().map(Into::into).collect()
            }

            fn run(
                what: $crate::bindings::handler::exports::xferd::plugin::command::Invocation,
            ) -> $crate::bindings::handler::exports::xferd::plugin::command::Outcome {
                let $call: $crate::handler::Call = what.into();
                $crate::handler::outcome($run)
            }

            fn on_events(batch: $crate::alloc::vec::Vec<$crate::value::Event>) {
                let $batch = &batch[..];
                $on_events
            }
        }
    };
}

#[cfg(feature = "handler")]
mod wire {
    use super::{Answer, Call, Spec};
    use crate::bindings::handler::exports::xferd::plugin::command;

    impl From<Spec> for command::Spec {
        fn from(spec: Spec) -> Self {
            let Spec { name, summary, arguments, actions } = spec;
            Self { name, summary, arguments, actions }
        }
    }

    impl From<command::Invocation> for Call {
        fn from(call: command::Invocation) -> Self {
            let command::Invocation { name, caller, call: ticket, arguments, body } = call;
            Self { name, caller, arguments, body, ticket }
        }
    }

    /// The answer as it travels; none: later.
    #[doc(hidden)]
    #[must_use]
    pub fn outcome(answer: Option<Answer>) -> command::Outcome {
        match answer {
            Some(Answer::Done(body)) => command::Outcome::Done(body),
            Some(Answer::Refused(why)) => command::Outcome::Refused(why),
            None => command::Outcome::Later,
        }
    }
}

#[cfg(feature = "handler")]
#[doc(hidden)]
pub use wire::outcome;
