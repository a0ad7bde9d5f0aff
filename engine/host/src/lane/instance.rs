//! The instance of a lane: how it is made, how one call of it goes, and what remains when it fails.

use super::{Called, Lane, LaneError, Spec, attrs_of};
use crate::bindings::exports::xferd::plugin::{command, discoverer, observer_events};
use crate::effects::Deed;
use crate::guest::{Guest, Level, LogLine};
use crate::instance::{configure, refuel, store_of};
use crate::plugin::Fault;
use crate::ticker::LOOKS_AFTER_TICKS;
use crate::value::Value;
use base::ids::DeviceId;
use base::io::Now;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::Store;
use wasmtime::component::Instance;

#[derive(Clone)]
pub(super) enum Indices {
    Handler(command::GuestIndices),
    Discovery(discoverer::GuestIndices),
    Observer(observer_events::GuestIndices),
}

pub(super) enum Exports {
    Handler(command::Guest),
    Discovery(discoverer::Guest),
    Observer(observer_events::Guest),
}

pub(super) struct Live {
    pub(super) store: Store<Guest>,
    pub(super) made: Instance,
    pub(super) exports: Exports,
}

impl Lane {
    /// One call: bounds, the call itself, then its effects or its undoing.
    pub(super) fn call<T>(
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
        store.set_epoch_deadline(LOOKS_AFTER_TICKS);
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
    pub(super) fn start(&mut self, now: Now) -> Result<(), Fault> {
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
