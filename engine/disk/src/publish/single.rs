//! One large file: its last checkpoint, then its publication as a batch of one.

use super::{Checkpoint, FileRef, Outcome, Step, StepId, TreePublication};
use crate::journal::Writer;
use base::codes::Code;
use base::io::Errno;

/// Steps 5 to 9 for one file with a journal of its own; the file is `FileRef(0)`.
///
/// After [`Outcome::Held`] without a [`failure`](Self::failure) the part has its final name and its `.xj`
/// is no longer needed.
#[derive(Clone, Debug)]
pub struct FilePublication {
    checkpoint: Option<Checkpoint>,
    publication: TreePublication,
}

impl FilePublication {
    /// `publication` holds exactly the one file. With `part`, what its journal names is made durable first;
    /// without, the file's own sync before COMMITTING carries it.
    ///
    /// # Panics
    /// The batch holds another number of files.
    pub fn new(publication: TreePublication, part: Option<&Writer>) -> Self {
        assert!(publication.len() == 1, "the publication of a file is a batch of one");
        Self { checkpoint: part.map(|part| Checkpoint::new(FileRef(0), part)), publication }
    }

    /// The next step; `None` while nothing more can be started, and at the end.
    pub fn next(&mut self, part: &mut Writer, transfer: &mut Writer) -> Option<(StepId, Step<'_>)> {
        if let Some(checkpoint) = &mut self.checkpoint {
            if let Some(step) = checkpoint.next(part) {
                return Some(step);
            }
            if checkpoint.outcome() != Some(Outcome::Held) {
                return None;
            }
            self.checkpoint = None;
        }
        self.publication.next(transfer)
    }

    /// A step ended.
    ///
    /// # Panics
    /// It was not in flight.
    pub fn on_done(&mut self, id: StepId, result: Result<(), Errno>) {
        match &mut self.checkpoint {
            Some(checkpoint) => checkpoint.on_done(id, result),
            None => self.publication.on_done(id, result),
        }
    }

    /// How it ended; `None` while it runs.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.checkpoint {
            Some(checkpoint) => checkpoint.outcome().filter(|outcome| *outcome != Outcome::Held),
            None => self.publication.outcome(),
        }
    }

    /// Whether the checkpoint is over: its chunks are durable and may be acknowledged so.
    pub fn is_durable(&self) -> bool {
        self.checkpoint.is_none()
    }

    /// Why the file failed by itself.
    pub fn failure(&self) -> Option<Code> {
        self.publication.failures().first().map(|(_, code)| *code)
    }

    /// The batch of one: its names and directories.
    pub fn batch(&self) -> &TreePublication {
        &self.publication
    }
}
