//! One instance of a policy: made, configured and bounded, for one decision or for many.

use crate::bindings::exports::xferd::plugin::{authorizer, setup};
use crate::bindings::xferd::plugin::types::Attr;
use crate::decision::Request;
use crate::guest::{Guest, Level, cpu_ns};
use crate::identity::Identity;
use crate::kv::Kv;
use crate::plugin::{Fault, PluginError};
use crate::policy::Policy;
use crate::runtime::{Metering, Runtime};
use crate::ticker::LOOKS_AFTER_TICKS;
use crate::value::Value;
use base::hooks::Facts;
use base::ids::DeviceId;
use base::io::Now;
use std::sync::Arc;
use wasmtime::component::Instance;
use wasmtime::{Store, Trap, UpdateDeadline};

/// Of one decision.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) facts: &'a dyn Facts,
    pub(crate) identity: &'a Arc<dyn Identity>,
    pub(crate) now: Now,
}

/// An instance that is set up.
pub(crate) struct Running {
    pub(crate) store: Store<Guest>,
    pub(crate) made: Instance,
    pub(crate) authorizer: authorizer::Guest,
}

/// A call that did not return, and what it left.
pub(crate) struct Failed {
    pub(crate) fault: Fault,
    pub(crate) store: Store<Guest>,
}

/// Fuel of one call; more than any deadline lets it use.
const FUEL: u64 = 1 << 40;

/// What a call took; nothing where it is not counted.
pub(crate) fn fuel_of(store: &Store<Guest>) -> Option<u64> {
    store.get_fuel().ok().map(|left| FUEL - left.min(FUEL))
}

/// Full fuel, where it is counted; elsewhere wasmtime refuses, and that is fine.
pub(crate) fn refuel(store: &mut Store<Guest>) {
    let _ = store.set_fuel(FUEL);
}

/// Fresh bounds and the facts of this call.
pub(crate) fn prepare(
    store: &mut Store<Guest>,
    about: &Circumstances<'_>,
    facts: Arc<Vec<(&'static str, Value)>>,
    kv: &Kv,
) {
    let guest = store.data_mut();
    guest.begin(about.now);
    guest.facts = facts;
    guest.kv = kv.clone();
    guest.identity = about.identity.clone();
    guest.subject = *about.request.subject;
    store.set_epoch_deadline(LOOKS_AFTER_TICKS);
    refuel(store);
}

/// A fresh instance that is configured.
pub(crate) fn start(
    runtime: &Runtime,
    policy: &Policy,
    about: &Circumstances<'_>,
    facts: Arc<Vec<(&'static str, Value)>>,
    log_from: Level,
) -> Result<Running, Box<Failed>> {
    let mut guest = Guest::new(policy.plugin.clone(), about.identity.clone(), policy.kv.clone());
    guest.log_from = log_from;
    let mut store = store_of(runtime, guest);
    prepare(&mut store, about, facts, &policy.kv);
    match set_up(policy, &mut store) {
        Ok((made, authorizer)) => Ok(Running { store, made, authorizer }),
        Err(fault) => Err(Box::new(Failed { fault, store })),
    }
}

/// A store with the bounds of its plugin.
pub(crate) fn store_of(runtime: &Runtime, guest: Guest) -> Store<Guest> {
    let bytes = match guest.plugin.manifest.world.is_policy() {
        true => guest.plugin.limits.plugin_policy_bytes_max,
        false => guest.plugin.limits.plugin_lane_bytes_max,
    };
    let mut store = Store::new(runtime.engine(), guest);
    store.limiter(|guest| guest);
    store.set_hostcall_fuel(bytes as usize);
    // The epoch is wall time. A thread that was not running meanwhile is given the rest of its own.
    store.epoch_deadline_callback(|guest| match cpu_ns() < guest.data().ends_at_cpu_ns {
        true => Ok(UpdateDeadline::Continue(LOOKS_AFTER_TICKS)),
        false => Err(Trap::Interrupt.into()),
    });
    debug_assert_eq!(runtime.metering() == Metering::Fuel, store.get_fuel().is_ok());
    store
}

fn set_up(policy: &Policy, store: &mut Store<Guest>) -> Result<(Instance, authorizer::Guest), Fault> {
    let made = policy.pre.instantiate(&mut *store).map_err(|error| Fault::of(&error, store.data()))?;
    let setup = policy.setup.load(&mut *store, &made).map_err(|error| Fault::of(&error, store.data()))?;
    configure(&setup, store)?;
    let authorizer =
        policy.authorizer.load(&mut *store, &made).map_err(|error| Fault::of(&error, store.data()))?;
    Ok((made, authorizer))
}

/// Calls `configure`. What it read is not noted: settings are the same for every instance of a generation.
pub(crate) fn configure(setup: &setup::Guest, store: &mut Store<Guest>) -> Result<(), Fault> {
    let plugin = store.data().plugin.clone();
    let settings: Vec<Attr> = plugin
        .settings
        .iter()
        .map(|(key, value)| Attr { key: key.clone(), val: value.clone().into() })
        .collect();
    match setup.call_configure(&mut *store, &settings) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(Fault::Refused(why)),
        Err(error) => Err(Fault::of(&error, store.data())),
    }
}

/// Nobody: a first instance has no subject to know anything about.
struct NoFacts;

impl Facts for NoFacts {
    fn get(&self, _: &str) -> Option<base::hooks::Fact> {
        None
    }
}

impl Identity for NoFacts {
    fn me(&self) -> DeviceId {
        DeviceId::default()
    }

    fn claim(&self, _: &DeviceId, _: &str) -> Option<Value> {
        None
    }

    fn is_member(&self, _: &DeviceId, _: &[u8; 32]) -> bool {
        false
    }

    fn groups_of(&self, _: &DeviceId) -> Vec<[u8; 32]> {
        Vec::new()
    }
}

/// Makes and configures one instance, so that one that cannot be never replaces one that could.
pub(crate) fn try_out(runtime: &Runtime, policy: &Policy) -> Result<(), PluginError> {
    let _flight = runtime.enter();
    let identity: Arc<dyn Identity> = Arc::new(NoFacts);
    let subject = DeviceId::default();
    let request = Request { subject: &subject, action: base::hooks::Action::Connect, root: "" };
    let about =
        Circumstances { request: &request, facts: &NoFacts, identity: &identity, now: Now::default() };
    let plugin = || policy.plugin.name.to_string();
    match start(runtime, policy, &about, Arc::default(), Level::Info) {
        Ok(_) => Ok(()),
        Err(failed) => Err(PluginError::Fault { plugin: plugin(), fault: failed.fault }),
    }
}
