//! wasmtime as this host uses it: one engine, no WASI, pooled memory, deadlines by epoch.

use crate::bindings::xferd::plugin as wit;
use crate::guest::Guest;
use crate::manifest::World;
use crate::ticker::{Flight, Ticker};
use base::limits::Limits;
use sha2::{Digest, Sha256};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Frames that a fault is told with.
pub(crate) const FRAMES: usize = 16;

/// Whether calls are counted exactly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metering {
    /// Deadlines only: what the daemon runs.
    Deadlines,
    /// Fuel beside them: `plugin test` and `plugin bench`. Its compiled code fits no daemon.
    Fuel,
}

/// The engine, its ticker and the imports of each world. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    engine: Engine,
    ticker: Ticker,
    metering: Metering,
    limits: Limits,
    compatibility: [u8; 32],
}

/// The host could not be set up on this machine.
#[derive(Debug)]
pub struct RuntimeError(String);

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plugin host cannot be set up: {}", self.0)
    }
}

impl std::error::Error for RuntimeError {}

/// A component that is compiled and checked, ready to be instantiated. Cheap to clone.
#[derive(Clone)]
pub struct Loaded {
    pub(crate) component: Component,
    /// SHA-256 of the component's bytes as its author shipped them.
    pub wasm: [u8; 32],
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("wasm", &base::ids::DeviceId(self.wasm)).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Sets the host up and waits until deadlines are kept.
    ///
    /// # Errors
    /// The machine refuses threads, addresses or executable memory.
    pub fn new(limits: &Limits, metering: Metering) -> Result<Self, RuntimeError> {
        let failed = |error: &dyn fmt::Display| RuntimeError(error.to_string());
        let engine = Engine::new(&config(limits, metering)).map_err(|error| failed(&format!("{error:#}")))?;
        let ticker = Ticker::start(engine.clone()).map_err(|error| failed(&error))?;
        let mut digest = Digester(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut digest);
        let compatibility = digest.0.finalize().into();
        Ok(Self(Arc::new(Inner { engine, ticker, metering, limits: limits.clone(), compatibility })))
    }

    /// The bounds it was set up with.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Whether calls are counted exactly.
    pub fn metering(&self) -> Metering {
        self.0.metering
    }

    /// Which compiled code fits: version and settings of the compiler, and this machine's features.
    pub fn compatibility(&self) -> [u8; 32] {
        self.0.compatibility
    }

    /// Ticks of the deadline's clock since the start, for `doctor`.
    pub fn heartbeats(&self) -> u64 {
        self.0.ticker.beats()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn enter(&self) -> Flight<'_> {
        self.0.ticker.enter()
    }

    /// The imports of this world, and no others.
    pub(crate) fn linker(&self, world: World) -> wasmtime::Result<Linker<Guest>> {
        type Own = HasSelf<Guest>;
        let mut linker = Linker::new(self.engine());
        let all = &mut linker;
        wit::types::add_to_linker::<_, Own>(all, |guest| guest)?;
        wit::log::add_to_linker::<_, Own>(all, |guest| guest)?;
        wit::metrics::add_to_linker::<_, Own>(all, |guest| guest)?;
        wit::clock::add_to_linker::<_, Own>(all, |guest| guest)?;
        wit::identity::add_to_linker::<_, Own>(all, |guest| guest)?;
        wit::kv_read::add_to_linker::<_, Own>(all, |guest| guest)?;
        match world {
            World::Policy | World::BatchPolicy => {
                wit::context::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::quota::add_to_linker::<_, Own>(all, |guest| guest)?;
                return Ok(linker);
            }
            World::Handler | World::StatefulHandler => {
                wit::context::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::quota::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::random::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::peers::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::messages::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::files::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::transfers::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::shares::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::blobs::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::membership::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::versions::add_to_linker::<_, Own>(all, |guest| guest)?;
            }
            World::Discovery => {
                wit::random::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::candidates::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::datagrams::add_to_linker::<_, Own>(all, |guest| guest)?;
                wit::dns_sd::add_to_linker::<_, Own>(all, |guest| guest)?;
            }
            World::Observer => wit::messages::add_to_linker::<_, Own>(all, |guest| guest)?,
        }
        wit::timers::add_to_linker::<_, Own>(all, |guest| guest)?;
        wit::kv_write::add_to_linker::<_, Own>(all, |guest| guest)?;
        Ok(linker)
    }
}

/// What must be the same where code is compiled and where it runs.
fn config(limits: &Limits, metering: Metering) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    let instances = limits.plugin_instances_max;
    pool.total_component_instances(instances)
        .total_core_instances(instances * 4)
        .total_memories(instances)
        .total_tables(instances * 4)
        .max_core_instances_per_component(8)
        .max_memories_per_component(1)
        .max_tables_per_component(8)
        .table_elements(limits.plugin_table_elements_max as usize)
        .max_memory_size(limits.plugin_memory_reserved_bytes as usize);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .memory_reservation(u64::from(limits.plugin_memory_reserved_bytes))
        .memory_reservation_for_growth(0)
        .memory_guard_size(64 << 10)
        .max_wasm_stack(limits.plugin_stack_bytes as usize)
        .epoch_interruption(true)
        .consume_fuel(metering == Metering::Fuel)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(FRAMES));
    config
}

struct Digester(Sha256);

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
