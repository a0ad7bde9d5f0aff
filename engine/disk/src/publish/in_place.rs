//! `--inplace`: chunks over the old content, guarded by a mark.

use super::checkpoint::append;
use super::{FileRef, JournalRef, Outcome, Step, StepId, poison_code};
use crate::journal::Writer;
use base::entry::Meta;
use base::ids::Value;
use base::io::Errno;
use base::points::Point;

/// Marks a file torn before its first byte changes, and whole again after its last is synced.
///
/// ```text
/// TORN written -> synced -> [writes; is_open] -> close(): data synced -> metadata -> fsync -> WHOLE written
///   -> synced
/// ```
///
/// The data is synced before the metadata is set: a comparison by size and time must never take a file for
/// whole whose time survived a loss of power and whose data did not.
///
/// Without durability nothing is synced, but the marks are written: a killed process still finds a torn
/// file. Steps come one at a time; any failure ends it poisoned.
#[derive(Clone, Debug)]
pub struct InPlace {
    file: FileRef,
    inode: u64,
    syncs: bool,
    closing: Option<(Value, Meta)>,
    given: u32,
    waiting: bool,
    outcome: Option<Outcome>,
}

const OPEN: u32 = 3;

impl InPlace {
    /// Begins to mark; `syncs` is [`super::Durability::syncs`].
    pub fn new(file: FileRef, inode: u64, syncs: bool) -> Self {
        Self { file, inode, syncs, closing: None, given: 0, waiting: false, outcome: None }
    }

    /// Whether bytes may be written over the old content.
    pub fn is_open(&self) -> bool {
        self.given == OPEN && !self.waiting && self.closing.is_none() && self.outcome.is_none()
    }

    /// Every write is done and the content is what was signed.
    ///
    /// # Panics
    /// It was not open.
    pub fn close(&mut self, root: Value, meta: Meta) {
        assert!(self.is_open(), "a file is closed once, after it was marked");
        self.closing = Some((root, meta));
    }

    /// The next step; `None` while one is in flight, while it is open, and at the end.
    pub fn next(&mut self, part: &mut Writer) -> Option<(StepId, Step<'static>)> {
        while !self.waiting && self.outcome.is_none() {
            let id = StepId(self.given);
            let step = match (self.given, &self.closing) {
                (0, _) => Some(append(JournalRef::Part, part.torn(self.inode))),
                (1, _) => self.syncs.then_some(Step::SyncJournal(JournalRef::Part)),
                (2, _) => Some(Step::Reach(Point::TornMarked)),
                (OPEN, None) => return None,
                (OPEN, Some(_)) => self.syncs.then_some(Step::SyncData(self.file)),
                (4, Some((_, meta))) => Some(Step::SetMeta { file: self.file, meta: *meta }),
                (5, _) => Some(Step::Reach(Point::MetadataSet)),
                (6, _) => self.syncs.then_some(Step::SyncFull(self.file)),
                (7, _) => self.syncs.then_some(Step::Reach(Point::MetadataSynced)),
                (8, Some((root, _))) => Some(append(JournalRef::Part, part.whole(root))),
                (9, _) => self.syncs.then_some(Step::SyncJournal(JournalRef::Part)),
                (10, _) => Some(Step::Reach(Point::TornCleared)),
                _ => {
                    self.outcome = Some(Outcome::Held);
                    return None;
                }
            };
            self.given += 1;
            if let Some(step) = step {
                self.waiting = !matches!(step, Step::Reach(_));
                return Some((id, step));
            }
        }
        None
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
