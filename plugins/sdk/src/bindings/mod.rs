//! What `wit-bindgen` makes of `wit/xferd.wit`, checked in so that a plugin builds without a registry.
//! `plugins/builder/tests/bindings.rs` compares it with the text and writes it again.

#[rustfmt::skip]
pub mod imports;

#[cfg(feature = "batch-policy")]
#[rustfmt::skip]
pub mod batch_policy;
#[cfg(feature = "discovery")]
#[rustfmt::skip]
pub mod discovery;
#[cfg(feature = "handler")]
#[rustfmt::skip]
pub mod handler;
#[cfg(feature = "observer")]
#[rustfmt::skip]
pub mod observer;
#[cfg(feature = "policy")]
#[rustfmt::skip]
pub mod policy;
