//! What `wit-bindgen` makes of `wit/xferd.wit`, checked in so that a plugin builds without a registry:
//! one file for each interface.
//! `plugins/builder/tests/bindings.rs` compares it with the text and writes it again.

pub mod imports;

#[cfg(feature = "batch-policy")]
pub mod batch_policy;
#[cfg(feature = "discovery")]
pub mod discovery;
#[cfg(feature = "handler")]
pub mod handler;
#[cfg(feature = "observer")]
pub mod observer;
#[cfg(feature = "policy")]
pub mod policy;
