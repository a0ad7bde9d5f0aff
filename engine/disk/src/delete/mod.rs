//! Which names `--delete` removes, and in which order.
//!
//! [`extraneous`] compares one directory's listing with the names the sender has there. [`DeleteWalk`]
//! removes what was found, whole directories from the inside out. Nothing at all is removed when the
//! sender could not read part of its tree: what it did not see is not extraneous. Names of our own and
//! names a filter protects stay, and so does every directory that keeps one.

use crate::paths::is_reserved;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use base::codes::Code;
use base::io::Errno;
use base::limits::Limits;
use base::name::{Name, RelPath};
use base::points::Point;

use crate::publish::StepId;

/// Kind byte of a directory in a listing (`Batch::names_of`).
const LISTED_DIRECTORY: u8 = 2;

/// Whether a filter protects a path: `(path below the destination, is a directory)`.
pub type Protect<'f> = dyn FnMut(&[u8], bool) -> bool + 'f;

/// A name that goes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Doomed {
    /// Path below the destination.
    pub path: Vec<u8>,
    /// It is a directory and goes with what is in it.
    pub directory: bool,
}

/// Names of `listing` that the sender does not have in directory `dir`. `received` is sorted by bytes;
/// `listing` holds (kind, name) as `Batch::names_of` gives them, in any order and in as many calls as the
/// listing takes.
pub fn extraneous<'n>(
    dir: RelPath<'_>,
    received: &[&[u8]],
    listing: impl IntoIterator<Item = (u8, &'n [u8])>,
    protect: &mut Protect<'_>,
    doomed: &mut Vec<Doomed>,
) {
    debug_assert!(received.is_sorted(), "received names are sorted");
    for (kind, name) in listing {
        if is_reserved(name) || received.binary_search(&name).is_ok() {
            continue;
        }
        let path = below(dir.as_bytes(), name);
        let directory = kind == LISTED_DIRECTORY;
        if RelPath::new(&path).is_ok() && !protect(&path, directory) {
            doomed.push(Doomed { path, directory });
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
    /// It was a directory.
    pub directory: bool,
    /// `Err`: it is still there, and why.
    pub result: Result<(), Code>,
}

/// Removes doomed names, at most `delete_max` of them; several removals of one directory are in flight at
/// once. Memory: one portion of names per level, together at most `directory_names_bytes_max`.
#[derive(Clone, Debug)]
pub struct DeleteWalk {
    levels: Vec<Level>,
    in_flight: BTreeMap<u32, InFlight>,
    in_flight_max: usize,
    list_bytes_max: u32,
    depth_max: usize,
    next_id: u32,
    left: u64,
    removed: u64,
    over_limit: u64,
    points: VecDeque<Point>,
    over: bool,
}

/// One directory being emptied; the lowest stands for the doomed names themselves.
#[derive(Clone, Debug)]
struct Level {
    path: Vec<u8>,
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
            levels: alloc::vec![bottom],
            in_flight: BTreeMap::new(),
            in_flight_max: limits.acts_per_batch_max as usize,
            list_bytes_max: (limits.directory_names_bytes_max / u64::from(limits.path_depth_max)) as u32,
            depth_max: limits.path_depth_max as usize,
            next_id: 0,
            left: delete_max.unwrap_or(u64::MAX),
            removed: 0,
            over_limit: 0,
            points: VecDeque::new(),
            over,
        }
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
            if self.over || self.in_flight.len() >= self.in_flight_max {
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
                let dir = path_of(&self.levels[top].path);
                return Some((StepId(id), DeleteStep::List { dir, bytes_max: self.list_bytes_max }));
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
        let Ok(names) = listed else {
            level.kept = true;
            return;
        };
        for (kind, name) in names {
            let path = below(&level.path, name);
            let directory = kind == LISTED_DIRECTORY;
            if is_reserved(name) || RelPath::new(&path).is_err() || protect(&path, directory) {
                level.kept = true;
            } else {
                level.todo.push(Doomed { path, directory });
            }
        }
    }

    /// A removal ended: what to report of it. `None`: nothing yet, it turned out to be a directory, or
    /// one that still holds what was kept.
    ///
    /// # Panics
    /// The step was not a removal in flight.
    pub fn on_removed(&mut self, id: StepId, result: Result<(), Errno>) -> Option<Removed> {
        let Some(InFlight::Remove { level, doomed }) = self.in_flight.remove(&id.0) else {
            panic!("a removal ends once, after it was asked for");
        };
        let level = &mut self.levels[level];
        level.in_flight -= 1;
        match result {
            Ok(()) | Err(Errno::NOENT) => {
                self.removed += 1;
                if self.removed == 1 {
                    self.points.push_back(Point::DeleteFirst);
                }
                Some(Removed { path: doomed.path, directory: doomed.directory, result: Ok(()) })
            }
            // A listing that does not tell kinds: it is a directory after all.
            Err(Errno::ISDIR) if !doomed.directory => {
                self.left = self.left.saturating_add(1);
                level.todo.push(Doomed { directory: true, ..doomed });
                None
            }
            Err(errno) => {
                level.kept = true;
                self.left = self.left.saturating_add(1);
                let kept = doomed.directory && matches!(errno, Errno::NOTEMPTY | Errno::EXIST);
                let result = Err(Code::from_errno(errno));
                (!kept).then_some(Removed { path: doomed.path, directory: doomed.directory, result })
            }
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.over && self.points.is_empty()
    }

    /// How many names are gone.
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// How many names `delete_max` spared, not counting what is inside spared directories; above 0 the exit
    /// is 25.
    pub fn over_limit(&self) -> u64 {
        self.over_limit
    }

    /// Starts on one name: a removal in flight, or a level of its own.
    fn begin(&mut self, level: usize, doomed: Doomed) -> Option<u32> {
        if self.left == 0 {
            self.over_limit += 1;
            self.levels[level].kept = true;
            return None;
        }
        if !doomed.directory {
            return Some(self.give_removal(level, doomed));
        }
        if self.levels.len() > self.depth_max {
            self.levels[level].kept = true;
            return None;
        }
        let path = doomed.path;
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
        Some(self.give_removal(parent, Doomed { path: level.path, directory: true }))
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
        Some(DeleteStep::Remove { dir, name, directory: doomed.directory })
    }
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
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;
    use std::vec;

    /// Paths of a destination; a directory ends in `/`.
    type Tree = BTreeSet<Vec<u8>>;

    fn tree(paths: &[&str]) -> Tree {
        paths.iter().map(|path| path.as_bytes().to_vec()).collect()
    }

    /// Names directly below a directory, two at a time would be `more`: all at once here.
    fn listing(tree: &Tree, dir: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut start = dir.to_vec();
        if !dir.is_empty() {
            start.push(b'/');
        }
        let below =
            tree.iter().filter_map(|path| path.strip_prefix(&start[..])).filter(|rest| !rest.is_empty());
        let direct = below.filter_map(|rest| match rest.iter().position(|&b| b == b'/') {
            None => Some((1, rest.to_vec())),
            Some(at) if at + 1 == rest.len() => Some((2, rest[..at].to_vec())),
            Some(_) => None,
        });
        direct.collect()
    }

    enum Flying {
        List(Vec<u8>),
        Remove(Vec<u8>, bool),
    }

    struct Ran {
        tree: Tree,
        reports: Vec<Removed>,
        points: Vec<Point>,
        walk: DeleteWalk,
    }

    /// Walks in some order; `unknown`: the listing does not tell kinds.
    fn run(mut tree: Tree, mut walk: DeleteWalk, protect: &[u8], unknown: bool, seed: u64) -> Ran {
        let (mut reports, mut points, mut dice) = (Vec::new(), Vec::new(), seed);
        let mut flying = Vec::new();
        loop {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match walk.next() {
                Some((_, DeleteStep::Reach(point))) => points.push(point),
                Some((id, DeleteStep::List { dir, .. })) => {
                    flying.push((id, Flying::List(dir.as_bytes().to_vec())));
                }
                Some((id, DeleteStep::Remove { dir, name, directory })) => {
                    flying.push((id, Flying::Remove(below(dir.as_bytes(), name.as_bytes()), directory)));
                }
                None if flying.is_empty() => break,
                None => {
                    let (id, step) = flying.swap_remove((dice >> 33) as usize % flying.len());
                    let dir = match step {
                        Flying::List(dir) => dir,
                        Flying::Remove(path, directory) => {
                            let result = remove(&mut tree, &path, directory);
                            reports.extend(walk.on_removed(id, result));
                            continue;
                        }
                    };
                    let names = listing(&tree, &dir);
                    let names = names.iter().map(|(kind, name)| (if unknown { 0 } else { *kind }, &name[..]));
                    let mut keep = |path: &[u8], _: bool| path.ends_with(protect) && !protect.is_empty();
                    walk.on_listed(id, Ok(names), false, &mut keep);
                }
            }
        }
        assert!(walk.is_over());
        Ran { tree, reports, points, walk }
    }

    fn remove(tree: &mut Tree, path: &[u8], directory: bool) -> Result<(), Errno> {
        let slashed = [path, b"/"].concat();
        if directory {
            assert!(tree.contains(&slashed), "a directory is removed as one");
            let full = tree.iter().any(|other| other.starts_with(&slashed) && *other != slashed);
            if full {
                return Err(Errno::NOTEMPTY);
            }
            tree.remove(&slashed);
            return Ok(());
        }
        if tree.contains(&slashed) {
            return Err(Errno::ISDIR);
        }
        if tree.remove(path) { Ok(()) } else { Err(Errno::NOENT) }
    }

    fn doomed(path: &str, directory: bool) -> Doomed {
        Doomed { path: path.as_bytes().to_vec(), directory }
    }

    fn sample() -> Tree {
        tree(&["keep", "old", "gone/", "gone/a", "gone/b.tmp", "gone/sub/", "gone/sub/c"])
    }

    fn walk(delete_max: Option<u64>) -> DeleteWalk {
        DeleteWalk::new(vec![doomed("old", false), doomed("gone", true)], false, delete_max, &Limits::TINY)
    }

    #[test]
    fn only_names_the_sender_does_not_have_go() {
        // proves: L3
        let listing: [(u8, &[u8]); 5] =
            [(1, b"a"), (2, b"b"), (1, b".xferd-00.tmp"), (1, b"z.tmp"), (2, b"c")];
        let mut found = Vec::new();
        let mut protect = |path: &[u8], _: bool| path.ends_with(b".tmp");
        let dir = RelPath::new(b"d").expect("valid");
        extraneous(dir, &[b"a", b"x"], listing, &mut protect, &mut found);
        assert_eq!(found, [doomed("d/b", true), doomed("d/c", true)]);
    }

    #[test]
    fn directories_go_from_the_inside_out() {
        for (unknown, seed) in [(false, 1), (true, 2), (false, 3), (true, 4)] {
            let ran = run(sample(), walk(None), b"", unknown, seed);
            assert_eq!(ran.tree, tree(&["keep"]));
            assert_eq!((ran.walk.removed(), ran.walk.over_limit()), (6, 0));
            assert_eq!(ran.reports.len(), 6);
            assert!(ran.reports.iter().all(|removed| removed.result.is_ok()));
            assert_eq!(ran.points, [Point::DeleteFirst, Point::DeleteAll]);
        }
    }

    #[test]
    fn what_a_filter_protects_stays_with_its_directories() {
        let ran = run(sample(), walk(None), b".tmp", false, 1);
        assert_eq!(ran.tree, tree(&["keep", "gone/", "gone/b.tmp"]));
        let mut with_part = sample();
        with_part.insert(b"gone/sub/.xferd-00.part".to_vec());
        let ran = run(with_part, walk(None), b"", false, 1);
        assert_eq!(ran.tree, tree(&["keep", "gone/", "gone/sub/", "gone/sub/.xferd-00.part"]));
        assert!(
            ran.reports.iter().all(|removed| removed.result.is_ok()),
            "what stays on purpose is no failure"
        );
    }

    #[test]
    fn nothing_goes_when_the_sender_could_not_read() {
        let all = vec![doomed("old", false), doomed("gone", true)];
        let ran = run(sample(), DeleteWalk::new(all, true, None, &Limits::TINY), b"", false, 1);
        assert_eq!((ran.tree, ran.points), (sample(), vec![]));
    }

    #[test]
    fn a_list_error_keeps_the_directory_and_a_removal_error_is_reported() {
        let mut walk = walk(None);
        let mut reports = Vec::new();
        while let Some((id, step)) = walk.next() {
            match step {
                DeleteStep::Reach(_) => {}
                DeleteStep::List { .. } => {
                    walk.on_listed(id, Err::<[(u8, &[u8]); 0], _>(Errno::ACCES), false, &mut |_, _| false);
                }
                DeleteStep::Remove { directory, .. } => {
                    assert!(!directory);
                    reports.extend(walk.on_removed(id, Err(Errno::PERM)));
                }
            }
        }
        let failed = Removed { path: b"old".to_vec(), directory: false, result: Err(Code::AccessDenied) };
        assert_eq!((reports, walk.removed()), (vec![failed], 0));
    }

    proptest! {
        #[test]
        fn a_limit_is_never_exceeded_and_always_used_up(most in 0u64..8, seed in any::<u64>(), unknown in any::<bool>()) {
            let ran = run(sample(), walk(Some(most)), b"", unknown, seed);
            prop_assert_eq!(ran.walk.removed(), most.min(6));
            prop_assert_eq!(ran.tree.len() as u64, 7 - most.min(6));
            prop_assert_eq!(ran.walk.over_limit() > 0, most < 6);
        }
    }
}
