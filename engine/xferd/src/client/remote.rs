//! Remotes: whom a name means, where it is reached, and who we are there.

use super::run::Who;
use crate::escape::shown;
use crate::failure::{Failure, plain};
use crate::report::{Outcome, Reporter, Told};
use crate::settings::Identity;
use base::codes::{Code, exit};
use base::limits::Limits;
use identity::{Address, DeviceKey, FileError, Remote, RemoteError, Trust, TrustError, TrustStore};
use serde_json::json;
use shard::settings::Destination;
use state::{DirError, StateDir};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

/// An opened state directory and who this device is.
pub(super) struct Device {
    pub(super) state: Arc<StateDir>,
    pub(super) key: DeviceKey,
}

/// A remote, ready to be connected to.
pub(super) struct Known {
    pub(super) device: Device,
    pub(super) trust: Trust,
    pub(super) destination: Destination,
    pub(super) root: base::ids::RootId,
}

impl Known {
    /// Who this device is at that remote.
    pub(super) fn who(&self) -> Who<'_> {
        let certificate = self.trust.certificate(self.root);
        let identity = Identity { key: &self.device.key, certificate, trust: &self.trust };
        Who { device: &self.device, identity }
    }
}

/// Opens the state directory; makes it when there is none.
///
/// # Errors
/// It is loose, foreign or cannot be used: exit 5.
pub(super) fn open_state(path: &Path) -> Result<Arc<StateDir>, Failure> {
    StateDir::open_shared(path).map(Arc::new).map_err(|error| crate::server::open::refused_dir(&error))
}

/// Finds a remote by name.
///
/// # Errors
/// There is none: exit 3, with the nearest or all names. Its files or keys cannot be used: exit 5.
pub(super) fn find(path: &Path, name: &str, retries: u32) -> Result<Known, Failure> {
    let limits = &Limits::DEFAULT;
    let state = open_state(path)?;
    let Some(remote) = Remote::read(path, name, limits).map_err(|error| refused_remote(&error))? else {
        return Err(unknown(path, name));
    };
    let Some(key) = DeviceKey::load(path).map_err(|error| refused_file(&error))? else {
        let message = format!("{} is missing", path.join(DeviceKey::FILE).display());
        return Err(Failure::start(Code::NotFound, message, "restore it, or join again with another token"));
    };
    let store = TrustStore::open(path, limits).map_err(|error| refused_trust(&error))?;
    let trust = store.picture().only(remote.root);
    if trust.certificate(remote.root).is_none() {
        let message = format!("this device has no certificate for {}", shown(name));
        return Err(Failure::new(Code::AuthRequired, message, "join it again with another token"));
    }
    let addresses = resolve(&remote.addresses)?;
    let destination = Destination { addresses, device: remote.hub, root: remote.root, retries };
    Ok(Known { device: Device { state, key }, trust, destination, root: remote.root })
}

fn unknown(path: &Path, name: &str) -> Failure {
    let names = Remote::names(path).unwrap_or_default();
    let next = match (crate::config::nearest(name, names.iter().map(String::as_str)), names.is_empty()) {
        (Some(near), _) => format!("did you mean {near}? Or join it: xfer join TOKEN --name {}", shown(name)),
        (None, true) => format!("join it: xfer join TOKEN --name {}", shown(name)),
        (None, false) => {
            format!("known are {}; or join it: xfer join TOKEN --name {}", names.join(", "), shown(name))
        }
    };
    Failure {
        exit: exit::FILE_SELECTION,
        ..Failure::new(Code::NotFound, format!("no remote is called {}", shown(name)), next)
    }
}

/// Every socket address of every address, in order.
///
/// # Errors
/// None could be resolved: exit 10.
pub(super) fn resolve(addresses: &[Address]) -> Result<Vec<SocketAddr>, Failure> {
    let mut found = Vec::new();
    let mut last = None;
    for address in addresses {
        match address.as_str().to_socket_addrs() {
            Ok(resolved) => found.extend(resolved),
            Err(error) => last = Some(format!("{address}: {}", plain(&error))),
        }
    }
    match (found.is_empty(), last) {
        (false, _) => Ok(found),
        (true, why) => Err(Failure::new(
            Code::Unavailable,
            why.unwrap_or_else(|| "the remote has no address".to_owned()),
            "check the name, or edit the addresses in the state directory's remotes/",
        )),
    }
}

/// `xfer remotes`.
///
/// # Errors
/// The state directory cannot be read.
pub fn remotes(path: &Path, reporter: &mut Reporter) -> Result<Outcome, Failure> {
    if !path.exists() {
        return Ok(Outcome::ok());
    }
    let remotes = Remote::list(path, &Limits::DEFAULT).map_err(|error| refused_remote(&error))?;
    for remote in &remotes {
        let addresses: Vec<&str> = remote.addresses.iter().map(Address::as_str).collect();
        let fields = json!({"name": remote.name, "account": remote.account, "addresses": addresses,
            "device": remote.hub.to_string(), "root": remote.root.to_string()});
        let line = format!(
            "{:<16}  {:<16}  {}  {}",
            shown(&remote.name),
            shown(&remote.account),
            remote.hub.short(),
            shown(&addresses.join(" "))
        );
        let fields = fields.as_object().cloned().unwrap_or_default();
        reporter.tell(&Told::Row { event: "remote", fields, line });
    }
    Ok(Outcome::ok())
}

pub(super) fn refused_file(error: &FileError) -> Failure {
    Failure::start(Code::Io, error.to_string(), "")
}

pub(super) fn refused_trust(error: &TrustError) -> Failure {
    Failure::start(Code::Io, error.to_string(), "")
}

pub(super) fn refused_remote(error: &RemoteError) -> Failure {
    match error {
        RemoteError::Name(_) => Failure::usage(error.to_string(), ""),
        _ => Failure::new(Code::Io, error.to_string(), ""),
    }
}

pub(super) fn refused_write(error: &DirError) -> Failure {
    Failure::new(Code::Io, error.to_string(), "")
}
