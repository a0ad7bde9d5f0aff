//! What a plugin reaches of the engine: the imports of a component, or natively the test double.

#[cfg(target_arch = "wasm32")]
pub use crate::bindings::imports::xferd::plugin::{
    clock, context, identity, kv_read, kv_write, log, messages, metrics, quota, random, timers,
};
#[cfg(not(target_arch = "wasm32"))]
pub use crate::double::imports::{
    clock, context, identity, kv_read, kv_write, log, messages, metrics, quota, random, timers,
};

// These have no double: natively a call of theirs panics.
pub use crate::bindings::imports::xferd::plugin::{
    blobs, candidates, datagrams, dns_sd, files, membership, peers, shares, transfers, versions,
};
