//! The order of every publication: sync, commit, rename, sync, done.
//!
//! A machine is asked for its next step and told how each step ended:
//!
//! ```text
//! loop { while let Some((id, step)) = machine.next(journals..) { start it }   // several may be in flight
//!        machine.on_done(id, result) for each that ended }                    // until outcome() is Some
//! ```
//!
//! [`Checkpoint`] makes received chunks durable (step 5 of the durable receive, ARCHITECTURE.md). [`TreePublication`] gives a batch
//! its final names under any durability. [`InPlace`] guards a file written over its old content.
//!
//! Order within a batch; each arrow waits for everything before it:
//!
//! ```text
//! metadata, sync of each file -> COMMITTING written -> synced -> first rename -> renames
//!   -> directory metadata -> sync of touched directories -> of new parents -> DONE written
//! ```
//!
//! A failed sync or journal write poisons the batch: nothing after it is started, nothing is acknowledged,
//! and the transfer ends, because after a failed fsync the kernel may report the next one clean. Whatever
//! else fails, fails its own file.

mod checkpoint;
mod in_place;
mod tree;

#[cfg(test)]
pub(crate) mod model;
#[cfg(test)]
mod order;
#[cfg(test)]
mod tests;

pub use checkpoint::Checkpoint;
pub use in_place::InPlace;
pub use tree::{Full, Publish, TreePublication};

use crate::paths::ReservedName;
use alloc::vec::Vec;
use base::codes::Code;
use base::entry::Meta;
use base::io::{Errno, RenameHow};
use base::name::Name;
use base::points::Point;

/// A staged file of one machine, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileRef(pub u32);

/// A directory of one machine, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DirRef(pub u32);

/// Names a step in flight within its machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StepId(pub u32);

/// Which journal a step is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JournalRef {
    /// `.xj` of the file.
    Part,
    /// `.xt` of the transfer.
    Transfer,
}

pub use base::durability::Durability;

/// What to do next. Each but [`Step::Reach`] is answered exactly once by `on_done` under its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// fdatasync of a staged file.
    SyncData(FileRef),
    /// fsync of a staged file, with its metadata.
    SyncFull(FileRef),
    /// Sets metadata of a staged file by its descriptor.
    SetMeta {
        /// Which.
        file: FileRef,
        /// What.
        meta: Meta,
    },
    /// Sets metadata of a directory by its descriptor. Its mode may lock its owner out: the directory is
    /// opened at the first step that names it and kept open until the machine is over.
    SetDirMeta {
        /// Which.
        dir: DirRef,
        /// What.
        meta: Meta,
    },
    /// Writes bytes in full at an offset of a journal. Not synced.
    Append {
        /// Which journal.
        journal: JournalRef,
        /// Where.
        offset: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// fdatasync of a journal. It must begin after this step was given, never joined to one in flight.
    SyncJournal(JournalRef),
    /// Renames a staged name within its directory.
    Rename {
        /// Which file.
        file: FileRef,
        /// The directory of both names.
        dir: DirRef,
        /// Staged name.
        temp: ReservedName,
        /// Final name.
        name: Name<'a>,
        /// `Replace` or `NoReplace`.
        how: RenameHow,
    },
    /// Links the staged name to its final one, where the file system has no rename that spares an existing
    /// name.
    Link {
        /// Which file.
        file: FileRef,
        /// The directory of both names.
        dir: DirRef,
        /// Staged name.
        temp: ReservedName,
        /// Final name.
        name: Name<'a>,
    },
    /// Removes a staged name. That it is gone already is no failure.
    Discard {
        /// Which file.
        file: FileRef,
        /// Its directory.
        dir: DirRef,
        /// Staged name.
        temp: ReservedName,
    },
    /// fsync of a directory.
    SyncDir(DirRef),
    /// A crash point is passed: report it, answer nothing.
    Reach(Point),
}

/// How a machine ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Everything that did not fail by itself is where it should be, as durable as asked.
    Held,
    /// Nothing may be acknowledged; the transfer ends with this code.
    Poisoned(Code),
}

/// What a failed sync or journal write means: no space is told apart, all else is IO.
fn poison_code(errno: Errno) -> Code {
    match Code::from_errno(errno) {
        Code::NoSpace => Code::NoSpace,
        _ => Code::Io,
    }
}
