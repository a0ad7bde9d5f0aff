//! How a command ended.

use crate::failure::Failure;
use base::hooks::{Stage, StageTimes};

/// Names by what became of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)]
pub struct Files {
    pub created: u64,
    pub replaced: u64,
    pub unchanged: u64,
    pub deleted: u64,
    pub failed: u64,
}

/// The one result of a command; the counts come from the receipt.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Exit status.
    pub exit: u8,
    /// Why not 0.
    pub failure: Option<Failure>,
    /// Content bytes moved.
    pub bytes: u64,
    /// Bytes on the wire.
    pub bytes_wire: u64,
    /// Content bytes kept from earlier runs.
    pub bytes_resumed: u64,
    /// Content bytes taken from older files.
    pub bytes_reused: u64,
    /// Names.
    pub files: Files,
    /// Seconds from start to end.
    pub seconds: f64,
    /// CPU seconds here.
    pub cpu_local_s: f64,
    /// CPU seconds at the peer, where it said.
    pub cpu_remote_s: Option<f64>,
    /// Time by stage.
    pub stages: StageTimes,
    /// Level reached; empty without a transfer.
    pub durability: &'static str,
    /// What was compared: `full` or `transport`; empty without a transfer.
    pub verify: &'static str,
    /// Written over the old content.
    pub inplace: bool,
    /// A rehearsal: nothing was written.
    pub dry_run: bool,
    /// Where the receipt is kept.
    pub receipt: Option<std::path::PathBuf>,
    /// Whether there was a transfer at all, which a summary is worth.
    pub transfer: bool,
    /// What a command without a transfer answers, for JSON.
    pub data: Option<serde_json::Value>,
}

impl Outcome {
    /// Success.
    pub fn ok() -> Self {
        Self::default()
    }

    /// A failure before anything moved.
    pub fn failed(failure: Failure) -> Self {
        Self { exit: failure.exit, failure: Some(failure), ..Self::default() }
    }

    /// The stage with the most time.
    pub fn limiting(&self) -> Option<Stage> {
        self.stages.limiting()
    }
}
