//! The engine's stand-in for native tests: what a plugin reads is what a test put there, and what it did can be
//! looked at afterwards.
//!
//! ```
//! use xferd_plugin_sdk::{clock, context, double::Double, kv};
//!
//! let mut world = Double::default();
//! world.fact("path", "docs/a.txt").unix_ms(1_000).entry("seen", b"3");
//! world.run(|| {
//!     assert_eq!(context::path().as_deref(), Some("docs/a.txt"));
//!     assert_eq!(clock::unix_ms(), 1_000);
//!     assert_eq!(kv::number("seen"), Some(3));
//! });
//! assert_eq!(world.reads(), ["context path", "clock", "kv seen"]);
//! ```

pub mod imports;

use crate::value::{Event, GroupId, PeerId, Ticket, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::vec::Vec;

/// What the engine would be: facts, time, keys, buckets, devices; and what the plugin did with them.
#[derive(Clone, Debug, Default)]
pub struct Double {
    facts: BTreeMap<String, Value>,
    keys: BTreeMap<String, (Vec<u8>, u64)>,
    buckets: BTreeMap<String, u64>,
    claims: Vec<(PeerId, String, Value)>,
    members: Vec<(PeerId, GroupId)>,
    me: Option<PeerId>,
    now_ms: u64,
    reads: Vec<String>,
    lines: Vec<String>,
    counters: BTreeMap<String, u64>,
    samples: BTreeMap<String, Vec<f64>>,
    timers: Vec<(Ticket, u64)>,
    sent: Vec<Sent>,
    tickets: Ticket,
    random: u64,
}

/// A message that a plugin sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Sent {
    /// To whom, where it went to a device.
    pub to: Option<PeerId>,
    /// What it answers, or under which ticket its own answer comes.
    pub ticket: Option<Ticket>,
    /// Its topic; empty for an answer.
    pub topic: String,
    /// What it says.
    pub body: Vec<u8>,
}

std::thread_local! {
    static WORLD: RefCell<Double> = RefCell::default();
}

/// Works on the world of this thread, as the imports do.
fn world<R>(work: impl FnOnce(&mut Double) -> R) -> R {
    WORLD.with_borrow_mut(work)
}

impl Double {
    /// Runs a plugin's code in this world. What it did is in the world afterwards.
    pub fn run<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let before = WORLD.replace(core::mem::take(self));
        let result = work();
        *self = WORLD.replace(before);
        result
    }

    /// A fact of the call.
    pub fn fact(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.facts.insert(key.to_string(), value.into());
        self
    }

    /// Takes a fact away.
    pub fn no_fact(&mut self, key: &str) -> &mut Self {
        self.facts.remove(key);
        self
    }

    /// The time, UTC milliseconds; the monotonic clock shows the same.
    pub fn unix_ms(&mut self, now_ms: u64) -> &mut Self {
        self.now_ms = now_ms;
        self
    }

    /// A key of the plugin.
    pub fn entry(&mut self, key: &str, value: &[u8]) -> &mut Self {
        let version = self.keys.get(key).map_or(0, |(_, version)| *version) + 1;
        self.keys.insert(key.to_string(), (value.to_vec(), version));
        self
    }

    /// How much is in a bucket.
    pub fn bucket(&mut self, name: &str, amount: u64) -> &mut Self {
        self.buckets.insert(name.to_string(), amount);
        self
    }

    /// A fact about a device.
    pub fn claim(&mut self, peer: PeerId, name: &str, value: impl Into<Value>) -> &mut Self {
        self.claims.retain(|(of, claim, _)| *of != peer || claim != name);
        self.claims.push((peer, name.to_string(), value.into()));
        self
    }

    /// A device whose account is in a group.
    pub fn member(&mut self, peer: PeerId, group: GroupId) -> &mut Self {
        self.members.push((peer, group));
        self
    }

    /// Which device this node is.
    pub fn me(&mut self, me: PeerId) -> &mut Self {
        self.me = Some(me);
        self
    }

    /// What was read, in order: these join the key under which the engine keeps a decision.
    #[must_use]
    pub fn reads(&self) -> &[String] {
        &self.reads
    }

    /// Lines that were logged, without their level.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// A counter's sum.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or(0)
    }

    /// A histogram's samples.
    #[must_use]
    pub fn samples(&self, name: &str) -> &[f64] {
        self.samples.get(name).map_or(&[], Vec::as_slice)
    }

    /// A key's value.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&[u8]> {
        self.keys.get(key).map(|(value, _)| value.as_slice())
    }

    /// What is left in a bucket.
    #[must_use]
    pub fn left(&self, bucket: &str) -> u64 {
        self.buckets.get(bucket).copied().unwrap_or(0)
    }

    /// Timers that run: ticket and the moment they end.
    #[must_use]
    pub fn timers(&self) -> &[(Ticket, u64)] {
        &self.timers
    }

    /// The events of timers that have ended by now, in their order; they are gone then.
    pub fn due(&mut self) -> Vec<Event> {
        let now = self.now_ms;
        self.timers.sort_by_key(|(ticket, at)| (*at, *ticket));
        let ended = self.timers.iter().take_while(|(_, at)| *at <= now).count();
        let event = |(ticket, at): (Ticket, u64)| {
            let timer = Event::of("timer", []);
            Event { seq: ticket, at_ms: at, ticket: Some(ticket), ..timer }
        };
        self.timers.drain(..ended).map(event).collect()
    }

    /// Messages that were sent.
    #[must_use]
    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }

    fn read(&mut self, what: String) {
        self.reads.push(what);
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.tickets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Id32;
    use crate::{identity, kv, log, metrics, quota};

    #[test]
    fn what_a_plugin_does_is_seen_afterwards() {
        let (peer, group) = (Id32 { a: 1, b: 0, c: 0, d: 0 }, Id32 { a: 2, b: 0, c: 0, d: 0 });
        let mut world = Double::default();
        world.bucket("uploads", 5).claim(peer, "account", "alice").member(peer, group);
        world.run(|| {
            assert!(quota::take("uploads", 3));
            assert!(!quota::take("uploads", 3));
            assert!(!quota::take("other", 1));
            assert_eq!(identity::account(peer).as_deref(), Some("alice"));
            assert!(identity::is_member(peer, group) && !identity::is_member(group, group));
            assert_eq!(kv::put("b", b"1"), Ok(1));
            assert_eq!(kv::compare_and_put("b", 0, b"2"), Err(crate::value::Error::Conflict));
            assert_eq!(kv::increment("b", 4), Ok(5));
            assert_eq!(kv::scan("b", None, 10).len(), 1);
            assert_eq!(kv::remove("a"), Err(crate::value::Error::NotFound));
            log::warn!("left {}", 2);
            metrics::add("seen", 2);
            metrics::observe("bytes", 1.5);
        });
        assert_eq!(world.left("uploads"), 2);
        assert_eq!(world.value("b"), Some(&b"5"[..]));
        assert_eq!(world.lines(), ["left 2"]);
        assert_eq!((world.counter("seen"), world.samples("bytes")), (2, &[1.5][..]));
    }
}
