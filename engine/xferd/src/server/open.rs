//! Opens a state directory as the daemon does: lock, identity, store.

use super::enrol::Enrol;
use crate::clock::utc_ms;
use crate::failure::Failure;
use base::codes::Code;
use base::limits::Limits;
use identity::{DeviceKey, Hub, HubError, Trust};
use proto::session::certificate::{Certificate, is_account_name};
use state::{Device, DirError, StateDir, Store, StoreError};
use std::path::Path;
use std::sync::Arc;

/// The account in this hub's own certificate; nobody is invited to it.
pub const HUB_ACCOUNT: &str = "xferd";

/// An opened state directory.
pub struct Opened {
    /// The directory, locked.
    pub dir: Arc<StateDir>,
    /// The databases.
    pub store: Store,
    /// What enrols.
    pub enrol: Enrol,
    /// The device key.
    pub key: DeviceKey,
    /// This device's certificate under its own root.
    pub certificate: Certificate,
    /// Whom it believes.
    pub trust: Trust,
}

/// Opens or makes everything, each step durable before the next.
///
/// # Errors
/// Another daemon uses it, a key is loose or lost, or the system refuses: exit 5.
pub fn open(path: &Path, limits: &Limits) -> Result<Opened, Failure> {
    let dir = Arc::new(StateDir::open(path).map_err(|error| refused_dir(&error))?);
    let now_ms = utc_ms();
    let name = hub_name();
    let mut hub = Hub::open_or_create(path, &name, now_ms, limits, &crate::crash::reach)
        .map_err(|error| refused_hub(&error))?;
    let mut store = Store::open(dir.clone(), limits).map_err(|error| refused_store(&error))?;
    certify_if_due(&mut hub, &mut store, &name, now_ms, limits)?;
    let Some(certificate) = hub.certificate() else {
        return Err(Failure::start(Code::InternalError, "this daemon has no certificate of its own", ""));
    };
    let enrol = Enrol::new(hub.authority, hub.key.device_id(), name, limits.clone());
    Ok(Opened { dir, store, enrol, key: hub.key, certificate, trust: hub.trust.picture() })
}

/// Whether the hub made itself a new certificate.
fn certify_if_due(
    hub: &mut Hub,
    store: &mut Store,
    name: &str,
    now_ms: u64,
    limits: &Limits,
) -> Result<bool, Failure> {
    if !hub.certificate_due(now_ms) {
        return Ok(false);
    }
    let serial = store.next_serial().map_err(|error| refused_store(&error))?;
    let certificate =
        hub.certify(serial, HUB_ACCOUNT, now_ms, limits).map_err(|error| refused_hub(&error))?;
    store.put_device(&own_row(&certificate, name, now_ms)).map_err(|error| refused_store(&error))?;
    Ok(true)
}

/// Who a daemon that runs is from now on.
pub struct Renewed {
    /// The device key.
    pub key: DeviceKey,
    /// This device's certificate.
    pub certificate: Certificate,
    /// Whom it believes.
    pub trust: Trust,
}

/// Certifies the hub anew once its certificate is in the last twelfth of its life; on the thread of the store. `None`: it
/// is not.
///
/// # Errors
/// The state directory cannot be read or written.
pub fn renew(
    path: &Path,
    store: &mut Store,
    now_ms: u64,
    limits: &Limits,
) -> Result<Option<Renewed>, Failure> {
    let name = hub_name();
    let mut hub = Hub::open_or_create(path, &name, now_ms, limits, &crate::crash::reach)
        .map_err(|error| refused_hub(&error))?;
    if !certify_if_due(&mut hub, store, &name, now_ms, limits)? {
        return Ok(None);
    }
    let certificate = hub.certificate();
    let trust = hub.trust.picture();
    Ok(certificate.map(|certificate| Renewed { key: hub.key, certificate, trust }))
}

fn own_row(certificate: &Certificate, name: &str, now_ms: u64) -> Device {
    let claim = certificate.claim();
    Device {
        device: certificate.device(),
        account: HUB_ACCOUNT.to_owned(),
        name: name.to_owned(),
        serial: claim.serial,
        certificate: certificate.encode().to_vec(),
        not_after_ms: claim.not_after,
        enrolled_ms: now_ms,
        revoked_ms: None,
    }
}

/// This machine's host name, where it can be shown.
fn hub_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if is_account_name(name) { name.to_owned() } else { "xferd".to_owned() }
}

/// Why a state directory cannot be used.
pub fn refused_dir(error: &DirError) -> Failure {
    let (code, next) = match error {
        DirError::Locked { .. } => {
            (Code::Busy, "stop that daemon (xferd stop), or name another directory with --state")
        }
        DirError::Loose { .. } | DirError::NotOurs { .. } => (Code::AccessDenied, ""),
        DirError::Newer { .. } => (Code::Version, ""),
        DirError::Foreign { .. } => (Code::Conflict, ""),
        _ => (Code::Io, "name a directory that this user may write with --state"),
    };
    Failure::start(code, error.to_string(), next)
}

fn refused_hub(error: &HubError) -> Failure {
    Failure::start(Code::Io, error.to_string(), "")
}

fn refused_store(error: &StoreError) -> Failure {
    Failure::start(error.code(), error.to_string(), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_start_makes_an_identity_and_a_second_finds_it() {
        let home = tempfile::tempdir().expect("temporary directory");
        let path = home.path().join("state");
        let first = open(&path, &Limits::DEFAULT).expect("made");
        let (device, serial) = (first.enrol.device(), first.certificate.claim().serial);
        let locked = open(&path, &Limits::DEFAULT).err().expect("a second daemon is refused");
        assert_eq!((locked.exit, locked.code), (5, Code::Busy));
        drop(first);
        let second = open(&path, &Limits::DEFAULT).expect("found");
        assert_eq!((second.enrol.device(), second.certificate.claim().serial), (device, serial));
    }

    #[test]
    fn a_certificate_is_renewed_while_the_daemon_runs_and_only_when_it_is_due() {
        let home = tempfile::tempdir().expect("temporary directory");
        let path = home.path().join("state");
        let limits = &Limits::DEFAULT;
        let mut opened = open(&path, limits).expect("made");
        let now_ms = utc_ms();
        assert!(renew(&path, &mut opened.store, now_ms, limits).expect("read").is_none());
        let late_ms = opened.certificate.claim().not_after - 1000;
        let renewed = renew(&path, &mut opened.store, late_ms, limits).expect("read").expect("due");
        let (old, new) = (opened.certificate.claim(), renewed.certificate.claim());
        assert_eq!(renewed.certificate.device(), opened.certificate.device());
        assert!(new.serial > old.serial && new.not_after > old.not_after);
        assert!(renew(&path, &mut opened.store, late_ms, limits).expect("read").is_none(), "once");
    }
}
