//! Harness for tests that drive the real binaries.
//!
//! It starts `xferd` and `xfer` as anybody would, reads only what they document (the ready line, NDJSON, exit
//! codes, files), and judges with means of its own: a walk, BLAKE3, a proxy that counts bytes. It never waits for a
//! time: it waits for an event, with a deadline against hanging. Only `peer` uses the protocol's own code, to say
//! what no honest client says.

#![forbid(unsafe_code)]

pub mod bundled;
pub mod client;
pub mod compare;
pub mod crash;
pub mod daemon;
pub mod hostile;
pub mod package;
pub mod peer;
pub mod program;
pub mod proxy;
pub mod scratch;
pub mod seed;
pub mod sharing_disk;
pub mod slow_disk;
pub mod small_disk;
pub mod tree;
pub mod world;

pub use client::{Client, Run};
pub use compare::{Depth, Snapshot, differences};
pub use daemon::Daemon;
pub use peer::Peer;
pub use proxy::{Direction, Proxy};
pub use scratch::Scratch;
pub use seed::Seed;
pub use small_disk::SmallDisk;
pub use world::World;
