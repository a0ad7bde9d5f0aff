//! One core's loop, generic over the world ([`base::io::Io`]) and the rest of its process
//! ([`base::hooks::Hooks`]).
//!
//! ```text
//!            turn                     the loop: completions, mail, replies, deadlines
//!     ops    links   control          operations in flight; connections; requests and jobs
//!            rx tx   send  receive    the two halves of a transfer
//! ```
//!
//! A transfer has a *home* on the core of its session's control link, which alone owns its entries, bitmap, journal,
//! credit and acknowledgements, and *lanes*, one per stream, which own buffers and move data.
//! Home and lane talk by [`Mail`](mailbox::Mail), also when they share a core.
#![forbid(unsafe_code)]

mod admission;
mod browse;
mod client;
mod closing;
pub mod command;
mod control;
mod counted;
mod decide;
mod digest;
mod dirs;
mod guard;
mod journal_file;
mod link;
mod links;
pub mod mailbox;
mod offer;
mod ops;
mod place;
#[cfg(feature = "planted")]
pub mod planted;
mod rate;
mod receive;
mod recover;
mod removal;
mod removing;
mod rx;
mod send;
pub mod settings;
mod shake;
mod squeeze;
mod steps;
mod times;
mod tools;
mod turn;
mod tx;
mod waits;

pub use turn::Shard;
