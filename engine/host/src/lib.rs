//! The plugin host: policies and other plugins as sandboxed WASM components.
//!
//! A plugin reaches nothing but the imports of its world (`wit/xferd.wit`), all of them in memory; it has no WASI.
//! It is bounded in time (epochs), memory, stack, host calls and bytes, and a fault of it is told as what it was.
//!
//! ```text
//! xferd plugin     component ─ inspect ─▶ Shape     fits its world? grants? what is missing, by name
//!                  component ─ compile ─▶ Compiled ─ seal ─▶ file
//! xferd            file ─ load_sealed ─▶ Loaded ─┬▶ PolicySet ─▶ one Decider per core ─▶ Verdict
//!                                                └▶ Lane ─▶ Lanes, the plugin thread ─▶ Answer, Deeds
//! ```
//!
//! What it never does: open a file or a socket, block a core, or load code that this node did not seal. wasmtime
//! lives in this room only.

mod api;
mod batch;
mod bindings;
mod breaker;
mod buckets;
mod cache;
mod compile;
mod decide;
mod decision;
mod effects;
mod gauges;
mod guest;
mod identity;
mod imports;
mod instance;
mod kv;
mod lane;
mod lanes;
mod manifest;
mod plugin;
mod policy;
mod read;
mod runtime;
mod sealed;
mod shape;
mod ticker;
mod value;

pub use batch::Entry;
pub use buckets::Buckets;
pub use compile::CompileError;
pub use decide::{CONTEXT_KEYS, Decider};
pub use decision::{
    Answered, CODE_FAULT, CODE_NO_ANSWER, CODE_OBLIGATION, Effect, Lifetime, Obligation, Opinion, PathRule,
    Request, Verdict,
};
pub use effects::{Candidate, Deed};
pub use gauges::Snapshot;
pub use guest::{Level, LogLine};
pub use identity::Identity;
pub use kv::{Kv, KvEntry};
pub use lane::{Called, Happening, Invocation, Lane, LaneError, Outcome, Spec, Watch, covers};
pub use lanes::{Answer, Around, Full, Lanes, LanesHandle, Next, Reply};
pub use manifest::{
    BucketGrant, Grants, Instance, Kind, KvGrant, Manifest, ManifestError, MessageGrant, Per, Problem,
    Setting, SettingError, VERSION, World,
};
pub use plugin::{Fault, PluginError, PluginStatus};
pub use policy::{PolicySet, PolicySource};
pub use read::Read;
pub use runtime::{Loaded, Metering, Runtime, RuntimeError};
pub use sealed::{Compiled, SealError, wasm_digest};
pub use shape::{Items, Mismatch, Shape, ShapeError, inspect};
pub use value::Value;
