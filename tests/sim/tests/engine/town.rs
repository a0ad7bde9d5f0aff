//! Who is who in the simulated world: one authority, a client and a daemon with certificates of it, and the
//! settings each of their cores runs under.

use base::ids::{DeviceId, RootId};
use base::io::Fd;
use base::limits::Limits;
use ed25519_dalek::SigningKey;
use proto::session::certificate::{Certificate, Claim, device_id, root_id};
use proto::session::handshake::{Config, TrustStore};
use proto::session::suite::Suite;
use proto::transfer::offer::Durability;
use shard::settings::{Settings, Share};
use sim::world::EndId;
use std::sync::Arc;

/// The port the daemon listens on.
pub(crate) const PORT: u16 = 7440;
/// What the daemon serves, on its disk.
pub(crate) const ROOT: &[u8] = b"srv/share";
/// Where each end keeps its journals.
pub(crate) const JOURNAL: &[u8] = b"var/journal";
/// Where the client's sources and destinations lie.
pub(crate) const HOME: &[u8] = b"home";

struct OneRoot([u8; 32]);

impl TrustStore for OneRoot {
    fn root(&self, id: RootId) -> Option<[u8; 32]> {
        (id == root_id(&self.0)).then_some(self.0)
    }

    fn is_revoked(&self, _certificate: &Certificate) -> bool {
        false
    }

    fn crl_version(&self) -> u64 {
        0
    }
}

fn authority() -> SigningKey {
    SigningKey::from_bytes(&[0xa0; 32])
}

pub(crate) fn key_of(end: EndId) -> SigningKey {
    SigningKey::from_bytes(&[0xd0 + end.0; 32])
}

pub(crate) fn device_of(end: EndId) -> DeviceId {
    device_id(&key_of(end).verifying_key().to_bytes())
}

pub(crate) fn root() -> RootId {
    root_id(&authority().verifying_key().to_bytes())
}

fn handshake(end: EndId, limits: &Limits) -> Arc<Config> {
    let key = key_of(end);
    let claim = Claim {
        serial: u64::from(end.0) + 1,
        public_key: key.verifying_key().to_bytes(),
        account: "alice".into(),
        not_before: 0,
        not_after: u64::MAX,
        root_epoch: 1,
    };
    let certificate = Certificate::issue(&authority(), claim).expect("a claim that may be certified");
    Arc::new(Config {
        signer: Box::new(key),
        certificate: Some(certificate),
        trust: Box::new(OneRoot(authority().verifying_key().to_bytes())),
        suites: vec![Suite::Aes256Gcm],
        listens: end == EndId::DAEMON,
        features: 0,
        limits: limits.clone(),
    })
}

/// Descriptors that one process opened before its cores start.
#[derive(Clone, Default)]
pub(crate) struct Opened {
    pub(crate) listener: Option<Fd>,
    pub(crate) journal: Option<Fd>,
    /// The daemon's share, or the client's home.
    pub(crate) root: Option<Fd>,
}

/// What one core is told.
pub(crate) fn settings(end: EndId, limits: &Limits, cores: u16, opened: &Opened) -> Arc<Settings> {
    let share = |root| Share {
        name: Arc::from(""),
        root,
        read_only: false,
        owners: false,
        durability_min: Durability::None,
    };
    Arc::new(Settings {
        limits: Arc::new(limits.clone()),
        listeners: opened.listener.into_iter().collect(),
        shares: if end == EndId::DAEMON { opened.root.map(share).into_iter().collect() } else { Vec::new() },
        handshake: handshake(end, limits),
        key: key_of(end),
        device: device_of(end),
        journal: opened.journal.expect("a journal directory"),
        umask: 0o022,
        cores,
        uncached_reads: false,
        uncached_writes: false,
        wire: Arc::default(),
    })
}
