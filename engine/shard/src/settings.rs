//! What a core is told at its start, and what a reload replaces.

use base::ids::{DeviceId, RootId};
use base::io::Fd;
use base::limits::Limits;
use core::net::SocketAddr;
use ed25519_dalek::SigningKey;
use proto::session::handshake::Config;
use proto::transfer::offer::Durability;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// One share: a directory that peers see under a name.
#[derive(Clone, Debug)]
pub struct Share {
    /// Its name; empty when it is mounted at `/` and the only one.
    pub name: Arc<str>,
    /// The directory, held open. Shared by all cores and closed by none of them.
    pub root: Fd,
    /// Nothing is written.
    pub read_only: bool,
    /// Owners and setuid bits are applied.
    pub owners: bool,
    /// The least durability a transfer into it reaches.
    pub durability_min: Durability,
}

/// What a core is told.
#[derive(Clone)]
pub struct Settings {
    /// Every bound.
    pub limits: Arc<Limits>,
    /// Listening sockets of this core.
    pub listeners: Vec<Fd>,
    /// What is served; empty for a client.
    pub shares: Vec<Share>,
    /// This device in handshakes: key, certificate, suites.
    pub handshake: Arc<Config>,
    /// The device key, for seals and receipts.
    pub key: SigningKey,
    /// This device.
    pub device: DeviceId,
    /// STATE/journal, held open.
    pub journal: Fd,
    /// umask of the process before it was cleared: modes of new files without `-p`.
    pub umask: u32,
    /// How many cores carry data.
    pub cores: u16,
    /// Large cold reads leave no trace in the page cache.
    pub uncached_reads: bool,
    /// Large writes leave no trace in the page cache.
    pub uncached_writes: bool,
    /// Bytes that all cores sent and received, for summaries.
    pub wire: Arc<AtomicU64>,
}

/// Where a client connects to and whom it expects there.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Tried in order.
    pub addresses: Vec<SocketAddr>,
    /// The device that must answer.
    pub device: DeviceId,
    /// The root that must have signed it; zero while joining.
    pub root: RootId,
    /// Further tries of the first connection.
    pub retries: u32,
}
