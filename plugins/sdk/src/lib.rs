//! What a plugin of xferd is written with.
//!
//! A plugin is a sandboxed WASM component. It reaches nothing but what this crate offers: facts about the call
//! ([`context`]), verified identities ([`identity`]), its own keys ([`kv`]), token buckets ([`quota`]), a coarse clock
//! ([`clock`]), log and metrics. All of it is memory: a policy answers on the core that moves the data.
//!
//! # A first policy in ten minutes
//!
//! ```text
//! xferd plugin new night-shift --world policy && cd night-shift
//! ```
//!
//! That unpacks a folder with all it needs, this crate included: nothing is downloaded. `src/lib.rs` holds the policy:
//!
//! ```
//! use xferd_plugin_sdk::context;
//! use xferd_plugin_sdk::policy::{Action, Decision, Policy, Request, abstain, deny};
//! use xferd_plugin_sdk::settings::Settings;
//!
//! struct NoPrograms {
//!     suffix: String,
//! }
//!
//! impl Policy for NoPrograms {
//!     fn configure(settings: &Settings) -> Result<Self, String> {
//!         Ok(Self { suffix: settings.text("suffix")?.to_owned() })
//!     }
//!
//!     fn decide(&self, request: &Request) -> Decision {
//!         let path = context::path().unwrap_or_default();
//!         match request.action {
//!             Action::Push if path.ends_with(&self.suffix) => {
//!                 deny("program").detail(format!("{path}: files ending in {} stay out", self.suffix))
//!             }
//!             _ => abstain(),
//!         }
//!     }
//! }
//! # #[cfg(feature = "policy")]
//! xferd_plugin_sdk::export_policy!(NoPrograms);
//!
//! // A test runs natively: `cargo test`.
//! use xferd_plugin_sdk::double::Double;
//! use xferd_plugin_sdk::policy::Effect;
//! let policy = NoPrograms::configure(&Settings::of([("suffix", ".exe")])).unwrap();
//! let mut world = Double::default();
//! world.fact("path", "setup.exe");
//! let request = Request { subject: Default::default(), action: Action::Push, root: "inbox".into() };
//! let decision = world.run(|| policy.decide(&request));
//! assert_eq!((decision.effect, decision.code.as_str()), (Effect::Deny, "program"));
//! ```
//!
//! In a plugin the crate's root begins with `#![cfg_attr(target_arch = "wasm32", no_std)]`, and its manifest says
//! `crate-type = ["rlib"]`; `String`, `Vec`, `format!` and the like come from [`prelude`]. Then:
//!
//! ```text
//! cargo test                        # natively, against the test double
//! xferd plugin build                # night-shift.wasm, a component
//! xferd plugin test                 # the cases in tests/*.toml, by the daemon's own host code
//! xferd plugin keygen night.key && xferd plugin sign night-shift.wasm --key night.key
//! xferd plugin install night-shift.wasm && xferd plugin reload
//! ```
//!
//! # What to know
//!
//! - Each decision gets a fresh instance: keep nothing between calls, and keep `configure` cheap.
//! - What was read is what the answer depends on: an equal question is answered from the cache until one of these
//!   facts changes. Reading the clock caps that at one second; taking from a bucket rules it out.
//! - Abstain where a policy has no opinion. One deny of any policy decides; if all abstain, the request is denied.
//! - A push of a tree is one decision: rules for single files go into [`policy::Obligation::Paths`], and the engine
//!   runs them.
//! - A panic's text is in the daemon's log under the plugin's name, and the request is denied with `policy-fault`.
//!
//! # Other worlds
//!
//! A [`handler`] serves a protocol that `xfer call` reaches, and may wait for [`task`]s; an [`observer`] reacts to what the
//! engine did; a [`discovery`] plugin finds peers. They live long, on a thread of their own, and may write keys
//! (`kv = { write = true }`). `xferd plugin new NAME --world handler` and `--world observer` unpack one.
//!
//! Exactly one feature, the plugin's world, has to be on: `policy`, `batch-policy`, `handler`, `discovery` or
//! `observer`.

#![cfg_attr(target_arch = "wasm32", no_std)]

#[doc(hidden)]
pub extern crate alloc;

#[doc(hidden)]
#[allow(
    missing_docs,
    unreachable_pub,
    unused_imports,
    unused_qualifications,
    clippy::all,
    clippy::unwrap_used
)]
pub mod bindings;
pub mod clock;
pub mod context;
pub mod discovery;
#[cfg(not(target_arch = "wasm32"))]
pub mod double;
#[doc(hidden)]
pub mod guest;
pub mod handler;
pub mod host;
pub mod identity;
pub mod kv;
pub mod log;
pub mod metrics;
pub mod observer;
pub mod policy;
pub mod quota;
pub mod settings;
pub mod task;
pub mod value;

/// Words of the standard library that a crate without it has to name: `use xferd_plugin_sdk::prelude::*`.
pub mod prelude {
    pub use alloc::borrow::ToOwned;
    pub use alloc::boxed::Box;
    pub use alloc::format;
    pub use alloc::string::{String, ToString};
    pub use alloc::vec;
    pub use alloc::vec::Vec;
}
