//! Why a state directory cannot be used, in words that say what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a state directory, or a file in it, cannot be used.
#[derive(Debug)]
pub enum DirError {
    /// The operating system refused.
    Io {
        /// What was tried, as in "cannot {doing} {path}".
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Its answer.
        error: io::Error,
    },
    /// Others than its owner may enter it.
    Loose {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another user owns it.
    NotOurs {
        /// Which.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// It holds something that no state directory holds.
    Foreign {
        /// Which.
        path: PathBuf,
        /// A name in it.
        name: String,
    },
    /// A later release made it.
    Newer {
        /// Which.
        path: PathBuf,
        /// Its layout.
        found: u32,
        /// The latest known here.
        known: u32,
    },
    /// Its `format` file is not a number.
    Format {
        /// Which.
        path: PathBuf,
    },
    /// A daemon uses it.
    Locked {
        /// Which.
        path: PathBuf,
        /// That daemon's process, where it can be read.
        pid: Option<u32>,
    },
    /// A file in it is larger than it may be.
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Most bytes.
        bytes_max: u64,
    },
}

impl fmt::Display for DirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, path, error } => write!(f, "cannot {doing} {path:?}: {error}"),
            Self::Loose { path, mode } => {
                write!(
                    f,
                    "state directory {path:?} is open to others (mode {mode:04o}): run `chmod 700 {path:?}`"
                )
            }
            Self::NotOurs { path, owner, us } => write!(
                f,
                "state directory {path:?} belongs to user {owner} and this process is user {us}: \
                 run it as that user, or choose another directory with --state"
            ),
            Self::Foreign { path, name } => write!(
                f,
                "{path:?} is not a state directory (it holds {name:?}): choose an empty or absent one with --state"
            ),
            Self::Newer { path, found, known } => write!(
                f,
                "state directory {path:?} has format {found}, this release knows up to {known}: \
                 use the release that made it, or a later one"
            ),
            Self::Format { path } => {
                write!(f, "{path:?} does not hold a format number: restore the state directory from a backup")
            }
            Self::Locked { path, pid: Some(pid) } => write!(
                f,
                "state directory {path:?} is in use by process {pid}: stop it, or choose another with --state"
            ),
            Self::Locked { path, pid: None } => write!(
                f,
                "state directory {path:?} is in use by another process: stop it, or choose another with --state"
            ),
            Self::TooLarge { path, bytes_max } => {
                write!(f, "{path:?} is larger than {bytes_max} bytes: restore it from a backup")
            }
        }
    }
}

impl std::error::Error for DirError {}
