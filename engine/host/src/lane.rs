//! A plugin outside the data cores: one long-lived instance, one call at a time.
//!
//! What a call does is collected and given away only when it returned. A fault drops the instance with its memory,
//! timers and unanswered calls; its keys are as they were before the call. It is made anew with the next call, after
//! a pause that grows.

mod instance;
mod words;

pub use words::{Called, Happening, Invocation, LaneError, Outcome, Spec};

use crate::bindings::exports::xferd::plugin::{command, discoverer, handover, observer_events, setup};
use crate::bindings::xferd::plugin::types as wit;
use crate::breaker::Breaker;
use crate::buckets::Buckets;
use crate::effects::Deed;
use crate::gauges::Gauges;
use crate::guest::{Guest, Level, LogLine};
use crate::identity::Identity;
use crate::kv::Kv;
use crate::manifest::World;
use crate::plugin::{Fault, Plugin, PluginError, PluginStatus};
use crate::policy::PolicySource;
use crate::runtime::Runtime;
use crate::value::{Value, id_to_guest};
use base::ids::DeviceId;
use base::io::Now;
use instance::{Exports, Indices, Live};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::component::InstancePre;

/// Numbers of lanes, unique in the process.
static LANES: AtomicU64 = AtomicU64::new(1);

/// What a plugin did, to look at from any thread at any time. Cheap to clone.
#[derive(Clone)]
pub struct Watch(Arc<Plugin>);

impl Watch {
    /// What it did so far.
    pub fn status(&self) -> PluginStatus {
        self.0.status()
    }
}

/// The plugin.
pub struct Lane {
    /// Tells this lane from another of the same plugin.
    pub(crate) id: u64,
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
        let gauges = Arc::new(Gauges::new(runtime.limits()));
        Self::counting(runtime, source, buckets, identity, local, now, gauges)
    }

    /// As [`Lane::new`], going on with the numbers of an earlier one.
    fn counting(
        runtime: &Runtime,
        source: PolicySource,
        buckets: &Arc<Buckets>,
        identity: Arc<dyn Identity>,
        local: Vec<(String, Value)>,
        now: Now,
        gauges: Arc<Gauges>,
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
            gauges,
            buckets: buckets.clone(),
            limits,
        };
        let mut lane = Self {
            id: LANES.fetch_add(1, Ordering::Relaxed),
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
        covers(&self.topics, topic)
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

    /// To look at what it did from elsewhere.
    pub fn watch(&self) -> Watch {
        Watch(self.plugin.clone())
    }

    /// Whether it was made of the same component with the same manifest and settings: then there is no need of
    /// another.
    pub fn is_of(&self, source: &PolicySource) -> bool {
        self.plugin.wasm == source.loaded.wasm
            && self.plugin.manifest == source.manifest
            && self.plugin.settings == source.settings
    }

    /// The topics it wants; empty unless it is an observer.
    pub fn topics(&self) -> &[String] {
        &self.topics
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
        let gauges = self.plugin.gauges.clone();
        let mut next =
            Lane::counting(&self.runtime, source, &buckets, self.identity.clone(), local, now, gauges)?;
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
}

/// Whether a list of topics, `*` at the end of one matching the rest, names this one.
pub fn covers(topics: &[String], topic: &str) -> bool {
    topics.iter().any(|wanted| match wanted.strip_suffix('*') {
        Some(prefix) => topic.starts_with(prefix),
        None => wanted == topic,
    })
}

fn attrs_of(attrs: &[(String, Value)]) -> Vec<wit::Attr> {
    attrs.iter().map(|(key, value)| wit::Attr { key: key.clone(), val: value.clone().into() }).collect()
}
