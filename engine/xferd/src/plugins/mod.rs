//! Plugins of a state directory: what is installed, how it is installed, and how the daemon takes it in.
//!
//! ```text
//! STATE/plugin/node.key            0400: seals compiled code
//! STATE/plugin/lock                flock: one installs at a time
//! STATE/plugin/<owner>+<name>/     plugin.toml  plugin.wasm  code.xcw (0400)  installed.json
//! ```
//!
//! Policies decide on the cores ([`Policies`]); handlers, observers and discovery plugins run on one thread of their
//! own ([`PluginThread`]).
//!
//! A plugin's directory is made beside and swapped in whole, so a daemon that reads meanwhile sees the old one or
//! the new one. Compiled code is made by the process that installs; the daemon only loads what that one sealed.

mod around;
mod decide;
mod identity;
mod install;
mod keys;
mod lanes;
mod load;
mod place;

pub use decide::Policies;
pub use identity::Known;
pub use install::{Approval, Package, grant, install, remove, show};
pub use keys::{KeysChange, change_keys, keys};
pub use lanes::{PluginThread, Refused};
pub use load::{Keys, lane_sources, load, rows};
pub use place::{Installed, Place};
