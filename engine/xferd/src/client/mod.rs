//! The client: one command, one session, one result.

use crate::config::{Durability, IoChoice};
use crate::failure::Failure;
use crate::report::{Outcome, Reporter};
use crate::xfer_cli::{Ends, RemotePath};
use base::codes::Code;
use std::path::{Path, PathBuf};

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
    pub streams: Option<u16>,
    pub durability: Durability,
    pub verify_transport: bool,
    pub filters: Vec<Filter>,
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

fn waiting() -> Failure {
    Failure::new(Code::Unavailable, "this build has no engine", "build a later one")
}

/// Copies or syncs.
///
/// # Errors
/// Nothing was moved.
pub fn transfer(_: &Engine, _: Transfer, _: &mut Reporter) -> Result<Outcome, Failure> {
    Err(waiting())
}

/// Lists a remote directory.
///
/// # Errors
/// It could not be listed.
pub fn list(_: &Engine, _: &RemotePath, _: bool, _: &mut Reporter) -> Result<Outcome, Failure> {
    Err(waiting())
}

/// Removes remote names.
///
/// # Errors
/// Something is still there.
pub fn remove(_: &Engine, _: &[RemotePath], _: bool, _: &mut Reporter) -> Result<Outcome, Failure> {
    Err(waiting())
}

/// Asks a remote about itself.
///
/// # Errors
/// It did not answer.
pub fn status(_: &Engine, _: &str, _: &mut Reporter) -> Result<Outcome, Failure> {
    Err(waiting())
}

/// Lists remotes.
///
/// # Errors
/// The state directory cannot be read.
pub fn remotes(_: &Path, _: &mut Reporter) -> Result<Outcome, Failure> {
    Err(waiting())
}

/// Joins.
///
/// # Errors
/// It did not succeed.
pub fn join(_: &Engine, _: &str, _: &str, _: &mut Reporter) -> Result<Outcome, Failure> {
    Err(waiting())
}

/// Compares with a receipt.
///
/// # Errors
/// Receipt or directory cannot be used.
pub fn verify(_: &Path, _: &Path, _: &Path, _: &mut Reporter) -> Result<Outcome, Failure> {
    Err(waiting())
}
