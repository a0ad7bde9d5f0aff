//! Why the store could not do something.

use crate::dir::DirError;
use base::codes::Code;
use std::fmt;
use std::path::PathBuf;

/// Why the store could not do something. Nothing was changed then.
#[derive(Debug)]
pub enum StoreError {
    /// SQLite refused: the disk, a damaged file, or our own SQL.
    Sql(rusqlite::Error),
    /// A database could not be opened.
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        error: rusqlite::Error,
    },
    /// A later release made a database.
    Newer {
        /// Which.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The latest known here.
        known: u32,
    },
    /// A file beside the database.
    Dir(DirError),
    /// A table is at its bound.
    Full {
        /// The bound, by its name in `Limits`.
        limit: &'static str,
        /// Its value.
        most: u64,
    },
}

impl StoreError {
    /// What a peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::Sql(error) | Self::Open { error, .. } => match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => Code::NoSpace,
                Some(rusqlite::ErrorCode::ReadOnly) => Code::ReadOnly,
                Some(
                    rusqlite::ErrorCode::SystemIoFailure
                    | rusqlite::ErrorCode::DatabaseCorrupt
                    | rusqlite::ErrorCode::NotADatabase
                    | rusqlite::ErrorCode::CannotOpen,
                ) => Code::Io,
                _ => Code::InternalError,
            },
            Self::Newer { .. } => Code::Version,
            Self::Dir(_) => Code::Io,
            Self::Full { .. } => Code::TooLarge,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(error) => write!(f, "the state database refused: {error}"),
            Self::Open { path, error } => {
                write!(f, "cannot open {path:?}: {error}; if it is damaged, restore it from a backup")
            }
            Self::Newer { path, found, known } => write!(
                f,
                "{path:?} has schema {found}, this release knows up to {known}: use the release that made it, or a \
                 later one"
            ),
            Self::Dir(error) => error.fmt(f),
            Self::Full { limit, most } => write!(f, "{limit} = {most} is reached: raise it, or remove some"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<DirError> for StoreError {
    fn from(error: DirError) -> Self {
        Self::Dir(error)
    }
}
