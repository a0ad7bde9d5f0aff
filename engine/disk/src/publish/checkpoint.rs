//! Step 5: received chunks become durable.

use super::{FileRef, JournalRef, Outcome, Step, StepId, poison_code};
use crate::journal::{Append, Writer};
use base::io::Errno;
use base::points::Point;

/// Syncs a part, names what it holds in its journal, syncs that: only then are the chunks durable.
///
/// Begun when every write of the chunks it shall cover is done, their RECEIVED records are written, and
/// [`crate::manifest::ChunkMap::begin_checkpoint`] said there is something to cover. One step at a time,
/// in the order of [`Checkpoint::next`]; any failure ends it poisoned.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    file: FileRef,
    through: u64,
    given: u32,
    waiting: bool,
    outcome: Option<Outcome>,
}

impl Checkpoint {
    /// Over everything the part's journal names so far.
    pub fn new(file: FileRef, part: &Writer) -> Self {
        Self { file, through: part.sequence(), given: 0, waiting: false, outcome: None }
    }

    /// The next step; `None` while one is in flight, and at the end.
    pub fn next(&mut self, part: &mut Writer) -> Option<(StepId, Step<'static>)> {
        if self.waiting || self.outcome.is_some() {
            return None;
        }
        let id = StepId(self.given);
        let step = match self.given {
            0 => Step::SyncData(self.file),
            1 => Step::Reach(Point::DataSynced),
            2 => append(JournalRef::Part, part.durable(self.through)),
            3 => Step::Reach(Point::JournalAppended),
            4 => Step::SyncJournal(JournalRef::Part),
            5 => Step::Reach(Point::JournalDurable),
            _ => {
                self.outcome = Some(Outcome::Held);
                return None;
            }
        };
        self.given += 1;
        self.waiting = !matches!(step, Step::Reach(_));
        Some((id, step))
    }

    /// A step ended.
    ///
    /// # Panics
    /// It was not in flight.
    pub fn on_done(&mut self, id: StepId, result: Result<(), Errno>) {
        assert!(self.waiting && id.0 + 1 == self.given, "a step ends once, after it was given");
        self.waiting = false;
        if let Err(errno) = result {
            self.outcome = Some(Outcome::Poisoned(poison_code(errno)));
        }
    }

    /// How it ended; `None` while it runs.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }
}

/// An append as a step.
pub(super) fn append(journal: JournalRef, append: Append) -> Step<'static> {
    Step::Append { journal, offset: append.offset, bytes: append.bytes }
}
