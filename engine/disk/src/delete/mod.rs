//! Which names `--delete` removes, and in which order.
//!
//! [`extraneous`] compares one directory's listing with the names the sender has there. [`DeleteWalk`]
//! removes what was found, whole directories from the inside out, and reports every name by itself. Nothing
//! at all is removed when the sender could not read part of its tree: what it did not see is not extraneous.
//! Names of our own and names a filter protects stay, and so does every directory that keeps one.
//!
//! A dry run is the same walk, whose removals are answered without being done.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use base::codes::Code;
use base::entry::Kind;
use base::io::Errno;
use base::limits::Limits;
use base::name::{Name, RelPath, is_reserved};
use base::points::Point;

use crate::publish::StepId;

/// Whether a filter protects a path: `(path below the destination, is a directory)`.
pub type Protect<'f> = dyn FnMut(&[u8], bool) -> bool + 'f;

/// A name that goes; of a directory also what is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Doomed {
    /// Path below the destination.
    pub path: Vec<u8>,
    /// What the listing says it is.
    pub kind: Option<Kind>,
}

impl Doomed {
    fn is_directory(&self) -> bool {
        self.kind == Some(Kind::Directory)
    }
}

/// Names of `listing` that the sender does not have in directory `dir`. `received` is sorted by bytes;
/// `listing` holds (kind, name) as `Batch::names_of` gives them, in any order and in as many calls as the
/// listing takes.
pub fn extraneous<'n>(
    dir: RelPath<'_>,
    received: &[impl AsRef<[u8]>],
    listing: impl IntoIterator<Item = (u8, &'n [u8])>,
    protect: &mut Protect<'_>,
    doomed: &mut Vec<Doomed>,
) {
    debug_assert!(received.is_sorted_by(|left, right| left.as_ref() <= right.as_ref()), "received is sorted");
    for (kind, name) in listing {
        if is_reserved(name) || received.binary_search_by(|other| other.as_ref().cmp(name)).is_ok() {
            continue;
        }
        let found = Doomed { path: below(dir.as_bytes(), name), kind: Kind::from_byte(kind) };
        if !protect(&found.path, found.is_directory()) {
            doomed.push(found);
        }
    }
}

/// What to do next. Each but [`DeleteStep::Reach`] is answered exactly once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeleteStep<'a> {
    /// The next names of a directory, at most `bytes_max` of them; asked again after `more`, the listing
    /// goes on where it was: `on_listed`.
    List {
        /// The directory, below the destination.
        dir: RelPath<'a>,
        /// Most bytes of names at once.
        bytes_max: u32,
    },
    /// Removes a name: `on_removed`.
    Remove {
        /// Its directory, below the destination.
        dir: RelPath<'a>,
        /// The name.
        name: Name<'a>,
        /// It is a directory, empty by now; its listing is over.
        directory: bool,
    },
    /// A crash point is passed: report it, answer nothing.
    Reach(Point),
}

/// What became of one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Removed {
    /// Path below the destination.
    pub path: Vec<u8>,
    /// What it was, where that is known.
    pub kind: Option<Kind>,
    /// `Err`: it is still there, and why.
    pub result: Result<(), Code>,
}

/// Removes doomed names, at most `delete_max` of them, each name in a directory counted; several removals
/// of one directory are in flight at once. Memory: one portion of names per level, together at most
/// `directory_names_bytes_max`.
#[derive(Clone, Debug)]
pub struct DeleteWalk {
    limits: Limits,
    levels: Vec<Level>,
    in_flight: BTreeMap<u32, InFlight>,
    next_id: u32,
    left: u64,
    removed: u64,
    over_limit: u64,
    /// Names of our own go too.
    own: bool,
    points: VecDeque<Point>,
    reports: VecDeque<Removed>,
    over: bool,
}

/// One directory being emptied; the lowest stands for the doomed names themselves.
#[derive(Clone, Debug)]
struct Level {
    path: Vec<u8>,
    /// Below `path`.
    todo: Vec<Doomed>,
    in_flight: u32,
    listing: Listing,
    kept: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Listing {
    Wanted,
    UnderWay,
    Over,
}

#[derive(Clone, Debug)]
enum InFlight {
    List { level: usize },
    Remove { level: usize, doomed: Doomed },
}

impl DeleteWalk {
    /// Removes `doomed`, unless the sender reported failed reads: then it is over at once. `delete_max`
    /// bounds how many names go.
    pub fn new(
        mut doomed: Vec<Doomed>,
        sender_failed: bool,
        delete_max: Option<u64>,
        limits: &Limits,
    ) -> Self {
        if sender_failed {
            doomed.clear();
        }
        doomed.sort_unstable_by(|a, b| b.cmp(a));
        let over = doomed.is_empty();
        let bottom =
            Level { path: Vec::new(), todo: doomed, in_flight: 0, listing: Listing::Over, kept: true };
        Self {
            limits: limits.clone(),
            levels: alloc::vec![bottom],
            in_flight: BTreeMap::new(),
            next_id: 0,
            left: delete_max.unwrap_or(u64::MAX),
            removed: 0,
            over_limit: 0,
            own: false,
            points: VecDeque::new(),
            reports: VecDeque::new(),
            over,
        }
    }

    /// Names of our own go too: somebody asked for the whole directory to go.
    #[must_use]
    pub fn with_own_names(self) -> Self {
        Self { own: true, ..self }
    }

    /// The next step; `None` while nothing more can be started, and at the end.
    #[expect(
        clippy::should_implement_trait,
        reason = "a step borrows the machine; an Iterator's item cannot"
    )]
    pub fn next(&mut self) -> Option<(StepId, DeleteStep<'_>)> {
        loop {
            if let Some(point) = self.points.pop_front() {
                return Some((StepId(0), DeleteStep::Reach(point)));
            }
            if self.over || self.in_flight.len() >= self.limits.acts_per_batch_max as usize {
                return None;
            }
            let top = self.levels.len() - 1;
            let level = &mut self.levels[top];
            if let Some(doomed) = level.todo.pop() {
                if let Some(id) = self.begin(top, doomed) {
                    return Some((StepId(id), self.remove_step(id)?));
                }
            } else if level.in_flight > 0 || level.listing == Listing::UnderWay {
                return None;
            } else if level.listing == Listing::Wanted {
                level.listing = Listing::UnderWay;
                let id = self.give(InFlight::List { level: top });
                let bytes_max = self.list_bytes_max();
                return Some((
                    StepId(id),
                    DeleteStep::List { dir: path_of(&self.levels[top].path), bytes_max },
                ));
            } else if let Some(id) = self.leave() {
                return Some((StepId(id), self.remove_step(id)?));
            }
        }
    }

    /// Names of a directory came, or it could not be listed. `protect` keeps names.
    ///
    /// # Panics
    /// The step was not a listing in flight.
    pub fn on_listed<'n>(
        &mut self,
        id: StepId,
        listed: Result<impl IntoIterator<Item = (u8, &'n [u8])>, Errno>,
        more: bool,
        protect: &mut Protect<'_>,
    ) {
        let Some(InFlight::List { level }) = self.in_flight.remove(&id.0) else {
            panic!("a listing ends once, after it was asked for");
        };
        let level = &mut self.levels[level];
        level.listing = if more && listed.is_ok() { Listing::Wanted } else { Listing::Over };
        let names = match listed {
            Ok(names) => names,
            // It is gone, so its removal comes to nothing.
            Err(Errno::NOENT) => return,
            Err(errno) => {
                level.kept = true;
                let (path, kind) = (level.path.clone(), Some(Kind::Directory));
                return self.reports.push_back(Removed { path, kind, result: Err(Code::from_errno(errno)) });
            }
        };
        for (kind, name) in names {
            let kind = Kind::from_byte(kind);
            let path = below(&level.path, name);
            if is_reserved(name) && !self.own || protect(&path, kind == Some(Kind::Directory)) {
                level.kept = true;
            } else {
                level.todo.push(Doomed { path: name.to_vec(), kind });
            }
        }
    }

    /// A removal ended.
    ///
    /// # Panics
    /// The step was not a removal in flight.
    pub fn on_removed(&mut self, id: StepId, result: Result<(), Errno>) {
        let Some(InFlight::Remove { level, doomed }) = self.in_flight.remove(&id.0) else {
            panic!("a removal ends once, after it was asked for");
        };
        let level = &mut self.levels[level];
        level.in_flight -= 1;
        let result = match result {
            Ok(()) | Err(Errno::NOENT) => {
                self.removed += 1;
                if self.removed == 1 {
                    self.points.push_back(Point::DeleteFirst);
                }
                Ok(())
            }
            // A listing that does not tell kinds: it is a directory after all.
            Err(Errno::ISDIR) if !doomed.is_directory() => {
                self.left = self.left.saturating_add(1);
                let start = if level.path.is_empty() { 0 } else { level.path.len() + 1 };
                let path = doomed.path[start..].to_vec();
                return level.todo.push(Doomed { path, kind: Some(Kind::Directory) });
            }
            Err(errno) => {
                level.kept = true;
                self.left = self.left.saturating_add(1);
                Err(Code::from_errno(errno))
            }
        };
        self.reports.push_back(Removed { path: doomed.path, kind: doomed.kind, result });
    }

    /// What became of a name, once; taken after each `on_listed` and `on_removed`.
    pub fn report(&mut self) -> Option<Removed> {
        self.reports.pop_front()
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.over && self.points.is_empty() && self.reports.is_empty()
    }

    /// How many names are gone.
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// How many names `delete_max` spared, not counting what is inside spared directories.
    pub fn over_limit(&self) -> u64 {
        self.over_limit
    }

    fn list_bytes_max(&self) -> u32 {
        (self.limits.directory_names_bytes_max / u64::from(self.limits.path_depth_max)) as u32
    }

    /// Starts on one name of a level: a removal in flight, or a level of its own.
    fn begin(&mut self, level: usize, doomed: Doomed) -> Option<u32> {
        if self.left == 0 {
            self.over_limit += 1;
            self.levels[level].kept = true;
            return None;
        }
        let (path, kind) = (below(&self.levels[level].path, &doomed.path), doomed.kind);
        if !fits(&path, &self.limits) {
            self.levels[level].kept = true;
            self.reports.push_back(Removed { path, kind, result: Err(Code::BadPath) });
            return None;
        }
        if kind != Some(Kind::Directory) {
            return Some(self.give_removal(level, Doomed { path, kind }));
        }
        self.levels.push(Level {
            path,
            todo: Vec::new(),
            in_flight: 0,
            listing: Listing::Wanted,
            kept: false,
        });
        None
    }

    /// The top level is empty or keeps something: its directory goes, or stays with its parents.
    fn leave(&mut self) -> Option<u32> {
        let level = self.levels.pop()?;
        let Some(parent) = self.levels.len().checked_sub(1) else {
            self.over = true;
            if self.removed > 0 {
                self.points.push_back(Point::DeleteAll);
            }
            return None;
        };
        if self.left == 0 && !level.kept {
            self.over_limit += 1;
        }
        if level.kept || self.left == 0 {
            self.levels[parent].kept = true;
            return None;
        }
        Some(self.give_removal(parent, Doomed { path: level.path, kind: Some(Kind::Directory) }))
    }

    fn give_removal(&mut self, level: usize, doomed: Doomed) -> u32 {
        self.left -= 1;
        self.levels[level].in_flight += 1;
        self.give(InFlight::Remove { level, doomed })
    }

    fn give(&mut self, step: InFlight) -> u32 {
        self.next_id = self.next_id.wrapping_add(1);
        self.in_flight.insert(self.next_id, step);
        self.next_id
    }

    fn remove_step(&self, id: u32) -> Option<DeleteStep<'_>> {
        let Some(InFlight::Remove { doomed, .. }) = self.in_flight.get(&id) else { return None };
        let (dir, name) = path_of(&doomed.path).split()?;
        Some(DeleteStep::Remove { dir, name, directory: doomed.is_directory() })
    }
}

/// Whether a path is one that may be walked, and that a peer takes in a report.
fn fits(path: &[u8], limits: &Limits) -> bool {
    path.len() <= limits.path_bytes_max as usize
        && RelPath::new(path).is_ok_and(|path| {
            path.components().count() <= limits.path_depth_max as usize
                && path.components().all(|name| name.as_bytes().len() <= limits.name_bytes_max as usize)
        })
}

fn below(dir: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(dir.len() + 1 + name.len());
    path.extend_from_slice(dir);
    if !dir.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

fn path_of(path: &[u8]) -> RelPath<'_> {
    RelPath::new(path).expect("only checked paths are walked")
}

#[cfg(test)]
mod tests;
