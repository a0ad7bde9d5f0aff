//! Plugins of a state directory: what is installed, how it is installed, and how the daemon takes it in.
//!
//! ```text
//! STATE/plugin/node.key            0400: seals compiled code
//! STATE/plugin/lock                flock: one installs at a time
//! STATE/plugin/<owner>+<name>/     plugin.toml  plugin.wasm  code.xcw (0400)  installed.json
//! ```
//!
//! A plugin's directory is made beside and swapped in whole, so a daemon that reads meanwhile sees the old one or
//! the new one. Compiled code is made by the process that installs; the daemon only loads what that one sealed.

mod decide;
mod identity;
mod install;
mod load;
mod place;

pub use decide::Policies;
pub use identity::Known;
pub use install::{Approval, Package, grant, install, remove, show};
pub use load::{load, rows};
pub use place::{Installed, Place};
