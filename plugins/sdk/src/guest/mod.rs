//! What a guest has in the place of a standard library: memory, the way out of a panic, and a place for the plugin
//! itself. The only handwritten `unsafe` of the SDK.

#[cfg(target_arch = "wasm32")]
mod allocator;
#[cfg(target_arch = "wasm32")]
mod panic;
pub mod rt;
mod slot;

pub use slot::Slot;
