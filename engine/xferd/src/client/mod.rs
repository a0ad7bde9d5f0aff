//! The client: one command, one session, one result.
//!
//! ```text
//!   core threads ── events, end of job ──▶ main thread: reporter ──▶ stdout, stderr
//!   signal thread ── signals ────────────▶
//! ```

mod hooks;
mod join;
mod place;
mod remote;
mod requests;
mod run;
mod signals;
mod transfer;
mod verify;

pub use join::join;
pub use remote::remotes;
pub use requests::{ProtocolCall, call, list, remove, status};
pub use transfer::transfer;
pub use verify::verify;

use crate::config::{Durability, IoChoice};
use crate::xfer_cli::Ends;
use std::path::PathBuf;

/// How this process works.
#[derive(Clone, Debug)]
pub struct Engine {
    /// State directory.
    pub state: PathBuf,
    /// Core threads; `None`: as many as the streams need.
    pub cores: Option<u16>,
    /// How the kernel is asked.
    pub io: IoChoice,
    /// Further tries of the first connection.
    pub retries: u32,
}

/// One include or exclude rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// It keeps names instead of leaving them out.
    pub include: bool,
    /// rsync's pattern.
    pub pattern: Vec<u8>,
}

/// Flags of a transfer, read.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct TransferOptions {
    pub owner: bool,
    pub group: bool,
    pub checksum: bool,
    pub dry_run: bool,
    pub inplace: bool,
    pub whole_file: bool,
    pub compress: bool,
    pub streams: Option<u16>,
    pub durability: Durability,
    pub verify_transport: bool,
    pub filters: Vec<Filter>,
    pub bytes_per_second: Option<u64>,
    pub delete: bool,
    pub delete_max: Option<u64>,
}

/// As `cp -r`, or making equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransferKind {
    /// Into a destination directory.
    Copy,
    /// The destination becomes equal.
    Sync,
}

/// One transfer.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Copy or sync.
    pub kind: TransferKind,
    /// From where to where.
    pub ends: Ends,
    /// How.
    pub options: TransferOptions,
}
