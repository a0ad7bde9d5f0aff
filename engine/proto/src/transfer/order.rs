//! The order in which the entries of one transfer travel, checked across batches in constant memory.
//!
//! Depth first, a directory before what is in it, siblings by bytes. So a receiver knows every parent
//! before its children, and no path twice. The transfer's destination itself (the empty path) may come
//! first; as a file or symlink it is then the only entry.
//!
//! ```text
//! a/   a/b   a/b/c   a/d   a.txt        `a/...` before `a.txt`: components compare, not whole strings
//! ```

use super::{Malformed, at_most};
use alloc::vec::Vec;
use base::entry::Kind;
use base::limits::Limits;
use base::name::{RelPath, is_reserved};
use core::cmp::Ordering;

/// Compares two relative paths as entries are ordered: component by component, each by bytes.
///
/// ```
/// # use proto::transfer::order::compare;
/// assert!(compare(b"a/b", b"a.txt").is_lt());
/// ```
pub fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let rank = |&byte: &u8| if byte == b'/' { 0 } else { byte };
    left.iter().map(rank).cmp(right.iter().map(rank))
}

/// Checks a path of a peer against the path rules and the bounds of `limits`.
///
/// # Errors
/// The rule it breaks.
pub fn check_path<'a>(path: &'a [u8], limits: &Limits) -> Result<RelPath<'a>, Malformed> {
    at_most("path", path.len() as u64, u64::from(limits.path_bytes_max))?;
    let path = RelPath::new(path)?;
    for (depth, name) in path.components().enumerate() {
        at_most("depth", depth as u64 + 1, u64::from(limits.path_depth_max))?;
        at_most("name", name.as_bytes().len() as u64, u64::from(limits.name_bytes_max))?;
        if is_reserved(name.as_bytes()) {
            return Err(Malformed::Reserved);
        }
    }
    Ok(path)
}

/// Where the entries of one transfer are: one per transfer, passed to each batch in turn.
#[derive(Clone, Debug, Default)]
pub struct Order {
    last: Option<(Vec<u8>, Kind)>,
    next_sequence: u32,
    next_file: u32,
    ended: bool,
}

impl Order {
    /// Before the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Index of the next entry: how many have been accepted.
    pub fn next_file(&self) -> u32 {
        self.next_file
    }

    /// Sequence of the next batch.
    pub fn next_sequence(&self) -> u32 {
        self.next_sequence
    }

    /// Whether the last batch was accepted.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Begins a new page of a listing: paths go on, numbers start again.
    pub fn next_page(&mut self) {
        self.next_sequence = 0;
        self.next_file = 0;
        self.ended = false;
    }

    /// Accepts the head of a batch.
    ///
    /// # Errors
    /// Not the next batch, or one after the end.
    pub(super) fn begin(&mut self, sequence: u32, first: u32, end: bool) -> Result<(), Malformed> {
        if self.ended || sequence != self.next_sequence || first != self.next_file {
            return Err(Malformed::Order);
        }
        self.next_sequence = self.next_sequence.checked_add(1).ok_or(Malformed::Order)?;
        self.ended = end;
        Ok(())
    }

    /// Accepts the next entry, whose path is already checked.
    ///
    /// # Errors
    /// It does not come after the last one, or its parent is not a directory that came.
    pub fn accept(&mut self, path: RelPath<'_>, kind: Kind) -> Result<(), Malformed> {
        let bytes = path.as_bytes();
        self.next_file = self.next_file.checked_add(1).ok_or(Malformed::Order)?;
        let parent = path.split().map(|(parent, _)| parent.as_bytes());
        match &mut self.last {
            None => {
                if parent.is_some_and(|parent| !parent.is_empty()) {
                    return Err(Malformed::Order);
                }
                self.last = Some((bytes.to_vec(), kind));
            }
            Some((last, last_kind)) => {
                let parent = parent.ok_or(Malformed::Order)?;
                if !compare(last, bytes).is_lt() || !holds(last, *last_kind, parent) {
                    return Err(Malformed::Order);
                }
                last.clear();
                last.extend_from_slice(bytes);
                *last_kind = kind;
            }
        }
        Ok(())
    }
}

/// Whether `parent` is `last` itself, as a directory, or one of the directories that lead to it.
fn holds(last: &[u8], last_kind: Kind, parent: &[u8]) -> bool {
    if last.len() == parent.len() {
        return last == parent && last_kind == Kind::Directory;
    }
    parent.is_empty() && !last.is_empty() || last.starts_with(parent) && last.get(parent.len()) == Some(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{Directory as D, File as F, Symlink as S};

    fn run(entries: &[(&str, Kind)]) -> Result<(), usize> {
        let mut order = Order::new();
        for (index, (path, kind)) in entries.iter().enumerate() {
            let path = RelPath::new(path.as_bytes()).expect("valid");
            order.accept(path, *kind).map_err(|_| index)?;
        }
        Ok(())
    }

    #[test]
    fn depth_first_and_by_bytes_is_accepted() {
        assert_eq!(
            run(&[("a", D), ("a/b", D), ("a/b/c", F), ("a/d", F), ("a-x", F), ("a.txt", S), ("b", F)]),
            Ok(())
        );
        assert_eq!(run(&[("", D), ("a", F), ("b", D), ("b/c", F)]), Ok(()));
        assert_eq!(run(&[("", F)]), Ok(()));
        assert_eq!(run(&[]), Ok(()));
    }

    #[test]
    fn any_other_order_is_refused_at_the_entry_that_breaks_it() {
        assert_eq!(run(&[("b", F), ("a", F)]), Err(1), "siblings by bytes");
        assert_eq!(run(&[("a", F), ("a", F)]), Err(1), "twice");
        assert_eq!(run(&[("a/b", F)]), Err(0), "no parent");
        assert_eq!(run(&[("a", F), ("a/b", F)]), Err(1), "parent is a file");
        assert_eq!(run(&[("a", S), ("a/b", F)]), Err(1), "parent is a symlink");
        assert_eq!(run(&[("a", D), ("a/b", F), ("a/b/c", F)]), Err(2), "parent is a file, deeper");
        assert_eq!(run(&[("a", D), ("a.txt", F), ("a/b", F)]), Err(2), "directory left already");
        assert_eq!(run(&[("a", D), ("b", D), ("b/c/d", F)]), Err(2), "parent never came");
        assert_eq!(run(&[("ab", D), ("ab/c", F), ("b", F), ("", D)]), Err(3), "root comes first");
        assert_eq!(run(&[("", F), ("a", F)]), Err(1), "root is a file");
        assert_eq!(run(&[("ab", D), ("abc/d", F)]), Err(1), "prefix is not a parent");
    }

    #[test]
    fn batches_come_one_after_the_other() {
        let mut order = Order::new();
        assert_eq!(order.begin(1, 0, false), Err(Malformed::Order));
        assert_eq!(order.begin(0, 0, false), Ok(()));
        assert_eq!(order.accept(RelPath::new(b"a").expect("valid"), F), Ok(()));
        assert_eq!(order.begin(1, 0, false), Err(Malformed::Order));
        assert_eq!(order.begin(1, 1, true), Ok(()));
        assert_eq!(order.begin(2, 1, true), Err(Malformed::Order));
        order.next_page();
        assert_eq!(order.begin(0, 0, false), Ok(()));
        assert!(order.accept(RelPath::new(b"a").expect("valid"), F).is_err());
    }

    #[test]
    fn paths_of_peers_keep_to_the_limits() {
        let tiny = Limits::TINY;
        assert_eq!(check_path(b"a/.xferd-00.part", &tiny), Err(Malformed::Reserved));
        assert_eq!(check_path(b".xferd-x/b", &tiny), Err(Malformed::Reserved));
        assert_eq!(check_path(b"a/.XferD-x", &tiny), Err(Malformed::Reserved), "in any case");
        assert!(check_path(b".xferd", &tiny).is_ok());
        assert!(matches!(check_path(b"../a", &tiny), Err(Malformed::Path(_))));
        assert!(check_path(&[b'a'; 64], &tiny).is_ok());
        assert!(matches!(check_path(&[b'a'; 65], &tiny), Err(Malformed::Over { field: "name", .. })));
        assert!(check_path(b"a/b/c/d/e/f/g/h", &tiny).is_ok());
        assert!(matches!(
            check_path(b"a/b/c/d/e/f/g/h/i", &tiny),
            Err(Malformed::Over { field: "depth", .. })
        ));
        assert!(matches!(check_path(&[b'/'; 257], &tiny), Err(Malformed::Over { field: "path", .. })));
    }
}
