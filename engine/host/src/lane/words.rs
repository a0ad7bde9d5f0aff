//! What goes into a lane and what comes out of it.

use crate::bindings::exports::xferd::plugin::command;
use crate::effects::Deed;
use crate::plugin::Fault;
use crate::value::Value;
use base::ids::DeviceId;
use std::fmt;

/// One protocol that a handler serves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spec {
    /// Name of the protocol.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Keys of a call's arguments.
    pub arguments: Vec<String>,
    /// What a policy has to allow beside `invoke`.
    pub actions: Vec<String>,
}

/// One call of a protocol.
#[derive(Clone, PartialEq, Debug)]
pub struct Invocation {
    /// Name of the protocol.
    pub name: String,
    /// Who calls.
    pub caller: DeviceId,
    /// Its arguments.
    pub arguments: Vec<(String, Value)>,
    /// Its body, at most `plugin_body_bytes_max`.
    pub body: Vec<u8>,
    /// What `context` holds during the call; the keys are those of [`crate::CONTEXT_KEYS`].
    pub facts: Vec<(&'static str, Value)>,
}

/// Something that happened, for plugins.
#[derive(Clone, PartialEq, Debug)]
pub struct Happening {
    /// What kind.
    pub topic: String,
    /// About whom.
    pub subject: Option<DeviceId>,
    /// What it answers.
    pub ticket: Option<u64>,
    /// UTC milliseconds.
    pub at_ms: u64,
    /// What there is to know.
    pub attrs: Vec<(String, Value)>,
    /// Bytes, at most `plugin_body_bytes_max`.
    pub body: Vec<u8>,
}

/// What a handler answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Done, with data.
    Done(Vec<u8>),
    /// [`Deed::Answer`] of a later call has the answer, under this ticket.
    Later(u64),
    /// Refused: the text, for people.
    Refused(String),
}

/// Why a call has no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LaneError {
    /// It did not return.
    Fault(Fault),
    /// It failed before and is not made anew yet.
    Resting {
        /// Milliseconds until it is.
        wait_ms: u64,
    },
    /// It serves no such protocol, or no protocols at all.
    NotServed,
    /// A larger body than plugins get.
    Body {
        /// Most bytes.
        most: u32,
    },
}

impl fmt::Display for LaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write!(f, "{fault}"),
            Self::Resting { wait_ms } => {
                write!(f, "it failed before and is started again in {wait_ms} ms: see the log")
            }
            Self::NotServed => f.write_str("it serves no such protocol"),
            Self::Body { most } => write!(f, "a body has at most {most} bytes"),
        }
    }
}

impl std::error::Error for LaneError {}

/// What came of one call.
#[derive(Debug)]
pub struct Called<T> {
    /// Its result.
    pub result: Result<T, LaneError>,
    /// To be applied in one transaction before anybody is answered; empty unless the call returned.
    pub deeds: Vec<Deed>,
    /// Whether calls that were to be answered later never will be: the instance is gone.
    pub lost: bool,
    /// Nanoseconds it took.
    pub took_ns: u64,
}

impl<T> Called<T> {
    pub(super) fn refused(error: LaneError) -> Self {
        Self { result: Err(error), deeds: Vec::new(), lost: false, took_ns: 0 }
    }

    pub(super) fn map<U>(self, to: impl FnOnce(T) -> Result<U, LaneError>) -> Called<U> {
        let Self { result, deeds, lost, took_ns } = self;
        Called { result: result.and_then(to), deeds, lost, took_ns }
    }
}

impl From<command::Spec> for Spec {
    fn from(spec: command::Spec) -> Self {
        let command::Spec { name, summary, arguments, actions } = spec;
        Self { name, summary, arguments, actions }
    }
}
