//! A plugin outside the data cores: one long-lived instance, one call at a time.
//!
//! What a call does is collected and given away only when it returned. A fault drops the instance with its memory,
//! timers and unanswered calls; its keys are as they were before the call. It is made anew with the next call, after
//! a pause that grows.

use crate::bindings::exports::xferd::plugin::{command, discoverer, handover, observer_events, setup};
use crate::bindings::xferd::plugin::types as wit;
use crate::breaker::Breaker;
use crate::buckets::Buckets;
use crate::effects::Deed;
use crate::gauges::Gauges;
use crate::guest::{Guest, Level, LogLine};
use crate::identity::Identity;
use crate::instance::{configure, refuel, store_of};
use crate::kv::Kv;
use crate::manifest::World;
use crate::plugin::{Fault, Plugin, PluginError, PluginStatus};
use crate::policy::PolicySource;
use crate::runtime::Runtime;
use crate::value::{Value, id_to_guest};
use base::ids::DeviceId;
use base::io::Now;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

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

#[derive(Clone)]
enum Indices {
    Handler(command::GuestIndices),
    Discovery(discoverer::GuestIndices),
    Observer(observer_events::GuestIndices),
}

enum Exports {
    Handler(command::Guest),
    Discovery(discoverer::Guest),
    Observer(observer_events::Guest),
}

struct Live {
    store: Store<Guest>,
    made: Instance,
    exports: Exports,
}

/// The plugin.
pub struct Lane {
    runtime: Runtime,
    plugin: Arc<Plugin>,
    pre: InstancePre<Guest>,
    setup: setup::GuestIndices,
    indices: Indices,
    handover: Option<handover::GuestIndices>,
    identity: Arc<dyn Identity>,
    local: Vec<(String, Value)>,
    live: Option<Live>,
    /// Own keys while there is no instance; else the instance has them.
    kv: Kv,
    timers: BTreeMap<(u64, u64), ()>,
    breaker: Breaker,
    seq: u64,
    calls: u64,
    specs: Vec<Spec>,
    topics: Vec<String>,
    /// What the begin of the instance did.
    begun: Vec<Deed>,
    lines: Vec<LogLine>,
    log_from: Level,
}

impl Lane {
    /// Takes a plugin in; it is instantiated, configured and has begun when this returns. `local` is what a
    /// discovery plugin is told of this node.
    ///
    /// # Errors
    /// It does not fit or fails.
    pub fn new(
        runtime: &Runtime,
        source: PolicySource,
        buckets: &Arc<Buckets>,
        identity: Arc<dyn Identity>,
        local: Vec<(String, Value)>,
        now: Now,
    ) -> Result<Self, PluginError> {
        let PolicySource { manifest, loaded, settings, kv } = source;
        let name = manifest.name.clone();
        let unfit = |what: String| PluginError::World { plugin: name.clone(), what };
        let error = |error: wasmtime::Error| unfit(format!("{error:#}"));
        let world = manifest.world;
        crate::imports::granted(&loaded, runtime, &manifest)?;
        let pre = runtime.linker(world).and_then(|linker| linker.instantiate_pre(&loaded.component));
        let pre = pre.map_err(error)?;
        let indices = match world {
            World::Handler | World::StatefulHandler => command::GuestIndices::new(&pre).map(Indices::Handler),
            World::Discovery => discoverer::GuestIndices::new(&pre).map(Indices::Discovery),
            World::Observer => observer_events::GuestIndices::new(&pre).map(Indices::Observer),
            World::Policy | World::BatchPolicy => {
                return Err(unfit(format!("world {} is a policy", world.name())));
            }
        };
        let handover = match world {
            World::StatefulHandler => Some(handover::GuestIndices::new(&pre).map_err(error)?),
            _ => None,
        };
        let limits = runtime.limits().clone();
        let plugin = Plugin {
            name: name.as_str().into(),
            manifest,
            settings,
            wasm: loaded.wasm,
            gauges: Arc::new(Gauges::new(&limits)),
            buckets: buckets.clone(),
            limits,
        };
        let mut lane = Self {
            runtime: runtime.clone(),
            setup: setup::GuestIndices::new(&pre).map_err(error)?,
            indices: indices.map_err(error)?,
            handover,
            breaker: Breaker::new(&plugin.limits),
            plugin: Arc::new(plugin),
            pre,
            identity,
            local,
            live: None,
            kv,
            timers: BTreeMap::new(),
            seq: 0,
            calls: 0,
            specs: Vec::new(),
            topics: Vec::new(),
            begun: Vec::new(),
            lines: Vec::new(),
            log_from: Level::Info,
        };
        match lane.start(now) {
            Ok(()) => Ok(lane),
            Err(fault) => Err(PluginError::Fault { plugin: lane.plugin.name.to_string(), fault }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.plugin.name
    }

    /// The protocols it serves; empty unless it is a handler.
    pub fn specs(&self) -> &[Spec] {
        &self.specs
    }

    /// Whether it wants events of this topic. A handler or discovery plugin gets only its own: `timer`.
    pub fn wants(&self, topic: &str) -> bool {
        self.topics.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(prefix) => topic.starts_with(prefix),
            None => wanted == topic,
        })
    }

    /// Its own keys.
    pub fn kv(&self) -> &Kv {
        self.live.as_ref().map_or(&self.kv, |live| &live.store.data().kv)
    }

    /// Who knows devices and groups from the next call on.
    pub fn knows(&mut self, identity: Arc<dyn Identity>) {
        self.identity = identity;
    }

    /// What it did.
    pub fn status(&self) -> PluginStatus {
        self.plugin.status()
    }

    /// Lines below this level are not kept from the next instance on.
    pub fn log_from(&mut self, level: Level) {
        self.log_from = level;
    }

    /// What it logged since.
    pub fn take_lines(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines)
    }

    /// What its instances did when they began (`describe`, `begin`, `topics`), to be applied as well.
    pub fn take_deeds(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.begun)
    }

    /// Monotonic nanoseconds at which [`Lane::wake`] has something to do.
    pub fn next_timer_ns(&self) -> Option<u64> {
        self.timers.first_key_value().map(|((due, _), ())| *due)
    }

    /// Serves one call.
    pub fn run(&mut self, call: Invocation, now: Now) -> Called<Outcome> {
        let most = self.plugin.limits.plugin_body_bytes_max;
        if call.body.len() > most as usize {
            return Called::refused(LaneError::Body { most });
        }
        if self.specs.iter().all(|spec| spec.name != call.name) {
            return Called::refused(LaneError::NotServed);
        }
        self.calls += 1;
        let (ticket, subject, facts) = (self.calls, call.caller, call.facts);
        let arguments = attrs_of(&call.arguments);
        let what = command::Invocation {
            name: call.name,
            caller: id_to_guest(&call.caller.0),
            call: ticket,
            arguments,
            body: call.body,
        };
        let called = self.call(now, subject, facts, |live| match &live.exports {
            Exports::Handler(handler) => handler.call_run(&mut live.store, &what).map(Some),
            _ => Ok(None),
        });
        called.map(|outcome| match outcome {
            Some(command::Outcome::Done(body)) => Ok(Outcome::Done(body)),
            Some(command::Outcome::Later) => Ok(Outcome::Later(ticket)),
            Some(command::Outcome::Refused(why)) => Ok(Outcome::Refused(why)),
            None => Err(LaneError::NotServed),
        })
    }

    /// Delivers events, in batches.
    pub fn deliver(&mut self, happenings: &[Happening], now: Now) -> Vec<Called<()>> {
        let most = self.plugin.limits.plugin_events_batch_max.max(1) as usize;
        happenings.chunks(most).map(|batch| self.batch(batch, now)).collect()
    }

    /// Delivers the timers that are due.
    pub fn wake(&mut self, now: Now) -> Option<Called<()>> {
        let most = self.plugin.limits.plugin_events_batch_max.max(1) as usize;
        let due = self.timers.range(..=(now.mono_ns, u64::MAX)).map(|(key, ())| *key);
        let due: Vec<(u64, u64)> = due.take(most).collect();
        if due.is_empty() {
            return None;
        }
        let happening = |(key, ticket): (u64, u64)| {
            self.timers.remove(&(key, ticket));
            Happening {
                topic: "timer".to_owned(),
                subject: None,
                ticket: Some(ticket),
                at_ms: now.utc_ms,
                attrs: Vec::new(),
                body: Vec::new(),
            }
        };
        let batch: Vec<Happening> = due.into_iter().map(happening).collect();
        Some(self.batch(&batch, now))
    }

    fn batch(&mut self, batch: &[Happening], now: Now) -> Called<()> {
        let first = self.seq + 1;
        self.seq += batch.len() as u64;
        let events: Vec<wit::Event> = batch
            .iter()
            .zip(first..)
            .map(|(happening, seq)| wit::Event {
                seq,
                at_ms: happening.at_ms,
                topic: happening.topic.clone(),
                subject: happening.subject.map(|subject| id_to_guest(&subject.0)),
                ticket: happening.ticket,
                attrs: attrs_of(&happening.attrs),
                body: happening.body.clone(),
            })
            .collect();
        self.call(now, DeviceId::default(), Vec::new(), |live| match &live.exports {
            Exports::Handler(handler) => handler.call_on_events(&mut live.store, &events),
            Exports::Discovery(discovery) => discovery.call_on_events(&mut live.store, &events),
            Exports::Observer(observer) => observer.call_on_events(&mut live.store, &events),
        })
    }

    /// Counts events that were dropped before they came here: the gap in `seq` tells the plugin.
    pub fn dropped(&mut self, events: u64) {
        self.seq += events;
    }

    /// A later version of this plugin in its place, with its keys and, where both hand over, its state. This one
    /// goes on if there is an error.
    ///
    /// # Errors
    /// The new one does not fit, fails, or does not take the state.
    pub fn successor(&mut self, source: PolicySource, now: Now) -> Result<Lane, PluginError> {
        let source = PolicySource { kv: self.kv().clone(), ..source };
        let (buckets, local) = (self.plugin.buckets.clone(), self.local.clone());
        let mut next = Lane::new(&self.runtime, source, &buckets, self.identity.clone(), local, now)?;
        if let (Some(old), Some(new)) = (self.handover.clone(), next.handover.clone()) {
            let version = self.plugin.manifest.version.clone();
            let failed = |lane: &Lane, error| {
                let fault = match error {
                    LaneError::Fault(fault) => fault,
                    other => Fault::Refused(other.to_string()),
                };
                PluginError::Fault { plugin: lane.plugin.name.to_string(), fault }
            };
            let saved = self.call(now, DeviceId::default(), Vec::new(), |live| {
                old.load(&mut live.store, &live.made)?.call_save(&mut live.store)
            });
            let state = saved.result.map_err(|error| failed(self, error))?;
            let loaded = next.call(now, DeviceId::default(), Vec::new(), |live| {
                new.load(&mut live.store, &live.made)?.call_load(&mut live.store, &version, &state)
            });
            loaded
                .result
                .map_err(|error| failed(&next, error))?
                .map_err(|why| failed(&next, LaneError::Fault(Fault::Refused(why))))?;
        }
        next.seq = self.seq;
        Ok(next)
    }

    /// What the last call did could not be stored: its keys are as before it, and the instance, which knows better,
    /// is dropped.
    pub fn revert(&mut self, now: Now) {
        let Some(mut live) = self.live.take() else { return };
        self.breaker.on_fault(now.mono_ns);
        self.timers.clear();
        let guest = live.store.data_mut();
        let kv = std::mem::take(&mut guest.kv);
        self.kv = guest.work.undone(kv);
    }

    /// Tells a discovery plugin that it ends.
    pub fn end(&mut self, now: Now) -> Called<()> {
        self.call(now, DeviceId::default(), Vec::new(), |live| match &live.exports {
            Exports::Discovery(discovery) => discovery.call_end(&mut live.store),
            _ => Ok(()),
        })
    }

    /// One call: bounds, the call itself, then its effects or its undoing.
    fn call<T>(
        &mut self,
        now: Now,
        subject: DeviceId,
        facts: Vec<(&'static str, Value)>,
        call: impl FnOnce(&mut Live) -> wasmtime::Result<T>,
    ) -> Called<T> {
        let began = Instant::now();
        if self.live.is_none() {
            if let Some(wait) = self.breaker.wait_ns(now.mono_ns) {
                return Called::refused(LaneError::Resting { wait_ms: wait.div_ceil(1_000_000) });
            }
            self.plugin.gauges.restarted();
            if let Err(fault) = self.start(now) {
                return Called::refused(LaneError::Fault(fault));
            }
        }
        let Some(mut live) = self.live.take() else { return Called::refused(LaneError::NotServed) };
        let runtime = self.runtime.clone();
        let flight = runtime.enter();
        self.prepare(&mut live.store, now, subject, facts);
        let result = call(&mut live);
        drop(flight);
        let took_ns = began.elapsed().as_nanos() as u64;
        self.plugin.gauges.called(took_ns, live.store.data().memory_peak);
        match result {
            Ok(value) => {
                let deeds = self.settle(&mut live.store, now);
                self.live = Some(live);
                Called { result: Ok(value), deeds, lost: false, took_ns }
            }
            Err(error) => {
                let fault = Fault::of(&error, live.store.data());
                self.fail(live.store, &fault, now);
                Called { result: Err(LaneError::Fault(fault)), deeds: Vec::new(), lost: true, took_ns }
            }
        }
    }

    fn prepare(
        &self,
        store: &mut Store<Guest>,
        now: Now,
        subject: DeviceId,
        facts: Vec<(&'static str, Value)>,
    ) {
        let guest = store.data_mut();
        guest.begin(now);
        guest.subject = subject;
        guest.facts = Arc::new(facts);
        guest.identity = self.identity.clone();
        guest.work.timers_before = self.timers.len() as u32;
        let ticks = u64::from(guest.plugin.manifest.deadline_ms) + 1;
        store.set_epoch_deadline(ticks);
        refuel(store);
    }

    /// What a call that returned did.
    fn settle(&mut self, store: &mut Store<Guest>, now: Now) -> Vec<Deed> {
        let guest = store.data_mut();
        for ticket in std::mem::take(&mut guest.work.cancelled) {
            self.timers.retain(|(_, timer), ()| *timer != ticket);
        }
        for (ticket, ms) in std::mem::take(&mut guest.work.timers) {
            self.timers.insert((now.mono_ns.saturating_add(ms.saturating_mul(1_000_000)), ticket), ());
        }
        self.lines.append(&mut guest.lines);
        std::mem::take(&mut guest.work.effects)
    }

    /// Drops the instance; its keys are as before the call.
    fn fail(&mut self, mut store: Store<Guest>, fault: &Fault, now: Now) {
        self.plugin.gauges.faulted(fault.is_timeout());
        self.breaker.on_fault(now.mono_ns);
        self.timers.clear();
        let guest = store.data_mut();
        let kv = std::mem::take(&mut guest.kv);
        self.kv = guest.work.undone(kv);
        self.lines.append(&mut guest.lines);
        self.lines.push(LogLine {
            plugin: self.plugin.name.clone(),
            level: Level::Error,
            message: format!("the plugin did not return, nothing of its call remains: {fault}"),
            fields: Vec::new(),
        });
        let most = self.plugin.limits.plugin_log_lines_per_second.max(1) as usize * 2;
        self.lines.truncate(most);
    }

    /// Makes, configures and begins an instance.
    fn start(&mut self, now: Now) -> Result<(), Fault> {
        let runtime = self.runtime.clone();
        let _flight = runtime.enter();
        let kv = std::mem::take(&mut self.kv);
        let mut guest = Guest::new(self.plugin.clone(), self.identity.clone(), kv);
        guest.log_from = self.log_from;
        guest.work.kv_bytes = guest.kv.bytes();
        guest.work.kv_version = guest.kv.version();
        let mut store = store_of(&runtime, guest);
        self.prepare(&mut store, now, DeviceId::default(), Vec::new());
        match self.set_up(&mut store) {
            Ok((made, exports)) => {
                let deeds = self.settle(&mut store, now);
                self.begun.extend(deeds);
                self.live = Some(Live { store, made, exports });
                Ok(())
            }
            Err(fault) => {
                self.fail(store, &fault, now);
                Err(fault)
            }
        }
    }

    fn set_up(&mut self, store: &mut Store<Guest>) -> Result<(Instance, Exports), Fault> {
        macro_rules! told {
            ($result:expr) => {
                $result.map_err(|error| Fault::of(&error, store.data()))?
            };
        }
        let made = told!(self.pre.instantiate(&mut *store));
        let setup = told!(self.setup.load(&mut *store, &made));
        configure(&setup, store)?;
        let guest = store.data_mut();
        let kv = std::mem::take(&mut guest.kv);
        guest.kv = guest.work.undone(kv);
        guest.work.begin();
        let most = self.plugin.limits.plugin_names_max as usize;
        let exports = match &self.indices {
            Indices::Handler(indices) => {
                let handler = told!(indices.load(&mut *store, &made));
                let specs = told!(handler.call_describe(&mut *store));
                self.specs = specs.into_iter().take(most).map(Spec::from).collect();
                Exports::Handler(handler)
            }
            Indices::Discovery(indices) => {
                let discovery = told!(indices.load(&mut *store, &made));
                told!(discovery.call_begin(&mut *store, &attrs_of(&self.local))).map_err(Fault::Refused)?;
                Exports::Discovery(discovery)
            }
            Indices::Observer(indices) => {
                let observer = told!(indices.load(&mut *store, &made));
                let topics = told!(observer.call_topics(&mut *store));
                self.topics = topics.into_iter().take(most).collect();
                Exports::Observer(observer)
            }
        };
        Ok((made, exports))
    }
}

impl<T> Called<T> {
    fn refused(error: LaneError) -> Self {
        Self { result: Err(error), deeds: Vec::new(), lost: false, took_ns: 0 }
    }

    fn map<U>(self, to: impl FnOnce(T) -> Result<U, LaneError>) -> Called<U> {
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

fn attrs_of(attrs: &[(String, Value)]) -> Vec<wit::Attr> {
    attrs.iter().map(|(key, value)| wit::Attr { key: key.clone(), val: value.clone().into() }).collect()
}
