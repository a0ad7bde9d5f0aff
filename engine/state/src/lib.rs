//! Durable facts: the state directory and the database in it.
//!
//! [`StateDir`] is the directory one program keeps everything in: refused when others may look into it,
//! locked by the one daemon that uses it, every small file in it replaced atomically. [`Store`] holds what
//! must never roll back (tokens, devices, groups, bans, receipts) in SQLite, synced before it answers.
//! [`StoreThread`] owns the store; everybody else sends it work through a bounded queue.
//!
//! What it never does: speak to a peer, know a key or a certificate's bytes (they are opaque here), or run
//! SQL on any thread but the store's.
#![forbid(unsafe_code)]

mod audit;
mod bans;
mod devices;
mod dir;
mod error;
mod groups;
mod keys;
mod receipts;
mod schema;
mod store;
mod stored;
mod thread;
mod tokens;

pub use audit::AuditRecord;
pub use bans::{Ban, Banned};
pub use devices::Device;
pub use dir::{DirError, StateDir};
pub use error::StoreError;
pub use groups::{Group, GroupChange, GroupError, Member};
pub use keys::{KeyChange, KeyRow, PluginKeys};
pub use receipts::Kept;
pub use store::Store;
pub use stored::{Counted, StoredFile, StoredSum, Unsettled};
pub use thread::{AskError, Gone, Pending, StoreHandle, StoreThread};
pub use tokens::{Grant, Issued, Joiner, NewToken, Redeemed, TokenError};
