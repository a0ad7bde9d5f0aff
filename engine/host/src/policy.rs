//! The policies of a node, in order, as one immutable set: a reload makes another.

use crate::bindings::exports::xferd::plugin::{authorizer, batch_authorizer, setup};
use crate::buckets::Buckets;
use crate::gauges::Gauges;
use crate::guest::Guest;
use crate::kv::Kv;
use crate::manifest::{Instance, Manifest, World};
use crate::plugin::{Plugin, PluginError, PluginStatus};
use crate::runtime::{Loaded, Runtime};
use crate::value::Value;
use std::fmt;
use std::sync::Arc;
use wasmtime::component::InstancePre;

/// One policy to be taken in.
pub struct PolicySource {
    /// Its `plugin.toml`, with the grants its operator gave.
    pub manifest: Manifest,
    /// Its code.
    pub loaded: Loaded,
    /// From [`Manifest::settings`].
    pub settings: Vec<(String, Value)>,
    /// Its own keys.
    pub kv: Kv,
}

/// One policy of a set.
#[derive(Clone)]
pub(crate) struct Policy {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) setup: Arc<setup::GuestIndices>,
    pub(crate) authorizer: Arc<authorizer::GuestIndices>,
    pub(crate) batch: Option<Arc<batch_authorizer::GuestIndices>>,
    pub(crate) kv: Kv,
}

/// All policies, shared by the cores.
#[derive(Clone)]
pub struct PolicySet {
    pub(crate) runtime: Runtime,
    pub(crate) generation: u32,
    pub(crate) policies: Vec<Policy>,
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.policies.iter().map(|policy| &*policy.plugin.name).collect();
        f.debug_struct("PolicySet").field("generation", &self.generation).field("policies", &names).finish()
    }
}

impl PolicySet {
    /// Takes policies in, in this order. Each has been instantiated and configured once when this returns. Numbers
    /// of plugins that `before` has too go on counting.
    ///
    /// # Errors
    /// The first that does not fit or fails; `before` goes on.
    pub fn new(
        runtime: &Runtime,
        generation: u32,
        sources: Vec<PolicySource>,
        buckets: &Arc<Buckets>,
        before: Option<&PolicySet>,
    ) -> Result<Self, PluginError> {
        let most = runtime.limits().plugins_max;
        if sources.len() > most as usize {
            return Err(PluginError::TooMany { most });
        }
        let mut set = Self { runtime: runtime.clone(), generation, policies: Vec::new() };
        for source in sources {
            if set.policy(&source.manifest.name).is_some() {
                return Err(PluginError::Twice { plugin: source.manifest.name });
            }
            let gauges = before
                .and_then(|before| before.policy(&source.manifest.name))
                .map_or_else(|| Arc::new(Gauges::new(runtime.limits())), |known| known.plugin.gauges.clone());
            set.policies.push(Policy::new(runtime, source, buckets.clone(), gauges)?);
        }
        set.instantiate()?;
        Ok(set)
    }

    /// Its generation.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether it has no policy at all.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// Whether any policy filters listings.
    pub fn filters_entries(&self) -> bool {
        self.policies.iter().any(|policy| policy.batch.is_some())
    }

    /// The same under another generation: every decision is made anew.
    pub fn with_generation(&self, generation: u32) -> Self {
        Self { generation, ..self.clone() }
    }

    /// The same with other keys of one plugin. Decisions that read keys which are unchanged stay kept.
    pub fn with_kv(&self, plugin: &str, kv: &Kv) -> Self {
        let mut set = self.clone();
        for policy in set.policies.iter_mut().filter(|policy| &*policy.plugin.name == plugin) {
            policy.kv = kv.clone();
        }
        set
    }

    /// Makes and configures one more instance of each and drops it, as every decision with fresh memory does.
    ///
    /// # Errors
    /// The first that fails.
    pub fn instantiate(&self) -> Result<(), PluginError> {
        self.policies.iter().try_for_each(|policy| crate::instance::try_out(&self.runtime, policy))
    }

    /// What each did.
    pub fn status(&self) -> Vec<PluginStatus> {
        self.policies.iter().map(|policy| policy.plugin.status()).collect()
    }

    fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| &*policy.plugin.name == name)
    }
}

impl Plugin {
    pub(crate) fn status(&self) -> PluginStatus {
        PluginStatus {
            name: self.name.clone(),
            version: self.manifest.version.clone(),
            world: self.manifest.world.name(),
            wasm: self.wasm,
            gauges: self.gauges.snapshot(),
        }
    }
}

impl Policy {
    fn new(
        runtime: &Runtime,
        source: PolicySource,
        buckets: Arc<Buckets>,
        gauges: Arc<Gauges>,
    ) -> Result<Self, PluginError> {
        let PolicySource { manifest, loaded, settings, kv } = source;
        let name = manifest.name.clone();
        let unfit = |what: String| PluginError::World { plugin: name.clone(), what };
        let world = manifest.world;
        if !world.is_policy() {
            return Err(unfit(format!("world {} is not a policy", world.name())));
        }
        let imports = crate::imports::granted(&loaded, runtime, &manifest)?;
        let others = |import: &&String| {
            !matches!(import.as_str(), "context" | "kv-read" | "log" | "metrics" | "types")
        };
        if manifest.instance == Instance::Reused
            && let Some(interface) = imports.iter().find(others)
        {
            return Err(PluginError::Reused { plugin: name, interface: interface.clone() });
        }
        let error = |error: wasmtime::Error| unfit(format!("{error:#}"));
        let linker = runtime.linker(world).map_err(error)?;
        let pre = linker.instantiate_pre(&loaded.component).map_err(error)?;
        let setup = Arc::new(setup::GuestIndices::new(&pre).map_err(error)?);
        let authorizer = Arc::new(authorizer::GuestIndices::new(&pre).map_err(error)?);
        let batch = match world {
            World::BatchPolicy => Some(Arc::new(batch_authorizer::GuestIndices::new(&pre).map_err(error)?)),
            _ => None,
        };
        let plugin = Plugin {
            name: name.as_str().into(),
            manifest,
            settings,
            wasm: loaded.wasm,
            limits: runtime.limits().clone(),
            gauges,
            buckets,
        };
        Ok(Self { plugin: Arc::new(plugin), pre, setup, authorizer, batch, kv })
    }
}
