//! Events of a command, owned, so that they can cross threads.

use base::codes::Code;
use base::entry::Kind;
use base::hooks::{FileAction, Stage};
use base::ids::Value;

/// What a transfer is about to do.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Start {
    pub command: &'static str,
    /// `push` or `pull`; empty for neither.
    pub direction: &'static str,
    /// Hexadecimal id, where there is a transfer.
    pub transfer: String,
    pub sources: Vec<Vec<u8>>,
    pub destination: Vec<u8>,
    pub streams: Option<u16>,
    pub io: String,
}

/// One event.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Told {
    Start(Start),
    File {
        path: Vec<u8>,
        kind: Option<Kind>,
        action: FileAction,
        size: u64,
        root: Option<Value>,
        bytes_sent: u64,
        bytes_resumed: u64,
        /// Content taken from the older file.
        bytes_reused: u64,
        code: Option<Code>,
    },
    Progress {
        bytes: u64,
        bytes_total: u64,
        files: u64,
        files_total: u64,
        limiting: Option<Stage>,
    },
    Warning {
        code: Code,
        message: String,
        path: Option<Vec<u8>>,
    },
    Retry {
        /// `link` or `request`.
        what: &'static str,
        attempt: u32,
        wait_ms: u64,
        code: Code,
    },
    /// One row of a listing, of devices, of remotes: fields for JSON, a line for a person.
    Row {
        event: &'static str,
        fields: serde_json::Map<String, serde_json::Value>,
        line: String,
    },
}

impl Told {
    pub(super) fn is_unchanged(&self) -> bool {
        matches!(self, Self::File { action: FileAction::Unchanged, .. })
    }
}

/// Name of a kind in JSON.
pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symlink",
    }
}
