//! What nobody will ask for again.

use crate::journal::Begin;
use crate::paths::{ReservedKind, ReservedName};
use base::entry::{FileTime, Stat};
use base::limits::Limits;

const DAY_MS: u64 = 24 * 3_600_000;

/// Whether nothing changed for `journal_idle_days`. A time in the future is not idle.
pub fn is_idle(mtime: FileTime, now_utc_ms: u64, limits: &Limits) -> bool {
    let then_ms = i128::from(mtime.seconds) * 1000 + i128::from(mtime.nanos / 1_000_000);
    i128::from(now_utc_ms) - then_ms >= i128::from(u64::from(limits.journal_idle_days) * DAY_MS)
}

/// What becomes of a part journal at start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sweep {
    /// It stays.
    Keep,
    /// The journal goes; nothing is staged by it.
    Journal,
    /// The part goes first, then its journal.
    PartAndJournal,
}

/// Decides about a part journal that no transfer has locked. `begin` is its first record, `part` the stat
/// of what it stages (under the part's name, or the destination when written in place), `journal_mtime`
/// its own last change. A destination is never removed.
pub fn sweep_part_journal(
    begin: Option<&Begin>,
    part: Option<&Stat>,
    journal_mtime: FileTime,
    now_utc_ms: u64,
    limits: &Limits,
) -> Sweep {
    let idle = is_idle(journal_mtime, now_utc_ms, limits);
    match (begin, part) {
        (None, _) => Sweep::Journal,
        (Some(_), None) => Sweep::Journal,
        // Its time is set after its data is synced, so a file that has it is whole, whatever the last mark says.
        (Some(begin), Some(part)) if begin.in_place => {
            let entry = &begin.entry;
            match idle || (part.size, part.mtime) == (entry.size, entry.mtime) {
                true => Sweep::Journal,
                false => Sweep::Keep,
            }
        }
        // mtime may be the sender's; the inode's own last change is ours.
        (Some(_), Some(part)) if idle && is_idle(part.ctime, now_utc_ms, limits) => Sweep::PartAndJournal,
        (Some(_), Some(_)) => Sweep::Keep,
    }
}

/// Whose a staged name is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// A journal or a live transfer names it.
    Live,
    /// It belonged to a transfer that is over.
    Finished,
    /// Nobody here knows it.
    Unknown,
}

/// Whether a name of our own, met in a listing, is removed. Kept versions are the store's business.
pub fn sweep_staged(
    name: &ReservedName,
    stat: &Stat,
    known: Known,
    now_utc_ms: u64,
    limits: &Limits,
) -> bool {
    match (name.kind(), known) {
        (ReservedKind::Old, _) | (_, Known::Live) => false,
        (ReservedKind::Temp, Known::Finished) => true,
        (ReservedKind::Temp | ReservedKind::Part, _) => is_idle(stat.ctime, now_utc_ms, limits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::entry::{Entry, Kind};
    use std::vec::Vec;

    const DAY_S: i64 = 24 * 3600;
    const NOW_MS: u64 = 100 * DAY_MS;

    fn day(days: i64) -> FileTime {
        FileTime { seconds: days * DAY_S, nanos: 0 }
    }

    fn stat(mtime: FileTime, ctime: FileTime) -> Stat {
        Stat {
            kind: Some(Kind::File),
            mode: 0o600,
            uid: 0,
            gid: 0,
            links: 1,
            device: 0,
            inode: 1,
            size: 1,
            allocated: 1,
            mtime,
            ctime,
        }
    }

    fn begin(in_place: bool) -> Begin {
        let entry = Entry {
            kind: Kind::File,
            chunk_log2: 20,
            mode: 0,
            uid: 0,
            gid: 0,
            size: 1,
            allocated: 1,
            mtime: day(1),
            path: b"x".to_vec(),
            target: Vec::new(),
        };
        Begin { anchor: Vec::new(), entry, in_place }
    }

    #[test]
    fn seven_days_without_a_change_are_idle() {
        let limits = Limits::DEFAULT;
        assert!(is_idle(day(93), NOW_MS, &limits));
        assert!(!is_idle(FileTime { seconds: 93 * DAY_S, nanos: 1_000_000 }, NOW_MS, &limits));
        assert!(!is_idle(day(1000), NOW_MS, &limits));
        assert!(is_idle(FileTime { seconds: i64::MIN, nanos: 0 }, NOW_MS, &limits));
    }

    #[test]
    fn idle_parts_go_with_their_journals_and_destinations_never() {
        let limits = Limits::DEFAULT;
        let (old, young) = (stat(day(1), day(1)), stat(day(99), day(99)));
        let staged = begin(false);
        let ask =
            |begin: Option<&Begin>, part, mtime| sweep_part_journal(begin, part, mtime, NOW_MS, &limits);
        assert_eq!(ask(Some(&staged), Some(&old), day(1)), Sweep::PartAndJournal);
        assert_eq!(ask(Some(&staged), Some(&young), day(1)), Sweep::Keep);
        assert_eq!(ask(Some(&staged), Some(&old), day(99)), Sweep::Keep);
        assert_eq!(ask(Some(&staged), None, day(99)), Sweep::Journal);
        assert_eq!(ask(None, Some(&old), day(99)), Sweep::Journal);
        let in_place = begin(true);
        assert_eq!(ask(Some(&in_place), Some(&young), day(1)), Sweep::Journal);
        assert_eq!(ask(Some(&in_place), Some(&young), day(99)), Sweep::Keep);
        assert_eq!(ask(Some(&in_place), Some(&old), day(99)), Sweep::Journal);
    }

    #[test]
    fn staged_names_go_by_the_inodes_own_age() {
        let limits = Limits::DEFAULT;
        let temp = ReservedName::new(ReservedKind::Temp, [1; 16]);
        let part = ReservedName::new(ReservedKind::Part, [1; 16]);
        let old_version = ReservedName::new(ReservedKind::Old, [1; 16]);
        let fresh = stat(day(1), day(99));
        let idle = stat(day(99), day(1));
        let ask = |name, stat, known| sweep_staged(name, stat, known, NOW_MS, &limits);
        assert!(!ask(&temp, &fresh, Known::Unknown));
        assert!(ask(&temp, &fresh, Known::Finished));
        assert!(!ask(&part, &fresh, Known::Finished));
        assert!(ask(&part, &idle, Known::Unknown) && ask(&temp, &idle, Known::Unknown));
        assert!(!ask(&part, &idle, Known::Live));
        assert!(!ask(&old_version, &idle, Known::Finished));
    }
}
