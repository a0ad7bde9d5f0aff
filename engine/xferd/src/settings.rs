//! What every core is told alike, in daemon and client.

use crate::failure::Failure;
use base::io::Fd;
use base::limits::Limits;
use identity::{DeviceKey, Trust};
use proto::session::certificate::Certificate;
use proto::session::handshake;
use proto::session::suite::Suite;
use shard::settings::Settings;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Who this process is in handshakes.
pub struct Identity<'a> {
    /// Its key; every core gets a copy that it erases itself.
    pub key: &'a DeviceKey,
    /// Its certificate; none before it joined.
    pub certificate: Option<&'a Certificate>,
    /// Whom it believes.
    pub trust: &'a Trust,
}

/// What all cores of one process share.
#[derive(Clone)]
pub struct Common {
    /// Bounds.
    pub limits: Arc<Limits>,
    /// STATE/journal, held open.
    pub journal: Fd,
    /// umask of the process before it was cleared.
    pub umask: u32,
    /// How many cores.
    pub cores: u16,
    /// Bytes on the wire, of all cores together.
    pub wire: Arc<AtomicU64>,
}

impl Identity<'_> {
    /// This device in the handshakes of one core.
    pub fn handshake(&self, limits: &Limits, listens: bool) -> Arc<handshake::Config> {
        Arc::new(handshake::Config {
            signer: Box::new(self.key.copy()),
            certificate: self.certificate.cloned(),
            trust: Box::new(self.trust.clone()),
            suites: Suite::default_for(has_aes()).to_vec(),
            listens,
            features: 0,
            limits: limits.clone(),
        })
    }

    /// Settings of one core, without listeners and shares.
    pub fn settings(&self, common: &Common, listens: bool) -> Settings {
        Settings {
            limits: common.limits.clone(),
            listeners: Vec::new(),
            shares: Vec::new(),
            handshake: self.handshake(&common.limits, listens),
            key: self.key.signing_key(),
            device: self.key.device_id(),
            journal: common.journal,
            umask: common.umask,
            cores: common.cores,
            uncached_reads: false,
            uncached_writes: true,
            wire: common.wire.clone(),
        }
    }
}

/// Opens a directory of the state for all cores.
///
/// # Errors
/// It cannot be opened: exit 5.
pub fn open_directory(path: &Path) -> Result<Fd, Failure> {
    ring::open_root(path).map_err(|error| {
        let failure = Failure::io(path.display(), &error);
        Failure { exit: base::codes::exit::START, ..failure }
    })
}

/// Whether this CPU has AES instructions.
fn has_aes() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}
