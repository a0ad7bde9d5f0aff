//! The directories that are served, held open for as long as the daemon runs.

use crate::config::{Durability, Share};
use crate::failure::{Failure, plain};
use base::codes::Code;
use base::io::Fd;
use proto::transfer::offer;
use std::path::PathBuf;

/// Open directories by path. Cores may work in one that a reload took away, so none is closed before the end.
#[derive(Default)]
pub struct Held(Vec<(PathBuf, Fd)>);

impl Held {
    /// Opens the directory of every share.
    ///
    /// # Errors
    /// One is missing, no directory, or closed to us: exit 5.
    pub fn open(shares: &[Share]) -> Result<Self, Failure> {
        let mut held = Self::default();
        held.add(shares)?;
        Ok(held)
    }

    /// Opens those that are not open yet; on a failure nothing changes.
    ///
    /// # Errors
    /// As [`Held::open`].
    pub fn add(&mut self, shares: &[Share]) -> Result<(), Failure> {
        let mut more: Vec<(PathBuf, Fd)> = Vec::new();
        for share in shares {
            if self.find(&share.path).is_none() && !more.iter().any(|(path, _)| *path == share.path) {
                more.push((share.path.clone(), open(share)?));
            }
        }
        self.0.extend(more);
        Ok(())
    }

    /// The shares as cores know them.
    ///
    /// # Panics
    /// One was not opened.
    pub fn shares(&self, shares: &[Share]) -> Vec<shard::settings::Share> {
        let share = |share: &Share| shard::settings::Share {
            name: share.name.as_str().into(),
            root: self.find(&share.path).expect("every share was opened before"),
            read_only: share.read_only,
            owners: share.owners,
            durability_min: durability(share.durability_min),
        };
        shares.iter().map(share).collect()
    }

    fn find(&self, path: &PathBuf) -> Option<Fd> {
        self.0.iter().find(|(held, _)| held == path).map(|(_, fd)| *fd)
    }
}

fn open(share: &Share) -> Result<Fd, Failure> {
    ring::open_root(&share.path).map_err(|error| {
        let what = if share.name.is_empty() { "root".to_owned() } else { format!("share {}", share.name) };
        let (code, next) = match error.kind() {
            std::io::ErrorKind::NotFound => (Code::NotFound, "make the directory, or name another"),
            std::io::ErrorKind::NotADirectory => (Code::Conflict, "name a directory"),
            std::io::ErrorKind::PermissionDenied => {
                (Code::AccessDenied, "let this user enter it, or name another")
            }
            _ => (Code::Io, "name another"),
        };
        let message =
            format!("cannot serve {} ({what}, {}): {}", share.path.display(), share.origin, plain(&error));
        Failure::start(code, message, next)
    })
}

/// A level as the protocol names it.
pub fn durability(level: Durability) -> offer::Durability {
    match level {
        Durability::None => offer::Durability::None,
        Durability::File => offer::Durability::File,
        Durability::Tree => offer::Durability::Tree,
    }
}
