//! The order, written down a second time and apart from the machines: reads what was started and what
//! ended, and rejects the first promise that does not rest on an earlier sync.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use base::points::Point;
use std::format;

/// What a step was about, without its details.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    SyncFile(u32),
    SetMeta(u32),
    /// A COMMITTING record: the files it lists, and whether it is the batch's last.
    Committing(Vec<u32>, bool),
    Done,
    SyncJournal,
    Rename(u32),
    Discard(u32),
    SetDirMeta(u32),
    SyncDir(u32),
    Reach(Point),
}

/// One line of a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Line {
    /// A step was given.
    Given(Deed),
    /// A step ended well.
    Held(Deed),
    /// A step failed.
    Failed(Deed),
}

/// What the batch holds.
#[derive(Clone, Default, Debug)]
pub(crate) struct Facts {
    /// Directory of each file.
    pub(crate) dir_of: Vec<u32>,
    /// Files whose content needs no sync.
    pub(crate) symlinks: BTreeSet<u32>,
    /// Files whose metadata is set by the batch.
    pub(crate) metas: BTreeSet<u32>,
    /// Directories that must be synced beside those of the files.
    pub(crate) directories: BTreeSet<u32>,
}

#[derive(Default)]
struct Seen {
    meta_set: BTreeSet<u32>,
    syncing: BTreeSet<u32>,
    synced: BTreeSet<u32>,
    listed: BTreeSet<u32>,
    listed_last: bool,
    journal_syncing: bool,
    journal_synced: bool,
    renaming: BTreeSet<u32>,
    renamed: BTreeSet<u32>,
    dir_synced: BTreeSet<u32>,
    dir_syncing: BTreeSet<u32>,
    poisoned: bool,
    done_given: bool,
    done: bool,
}

/// Checks a trace of a batch under a durability that syncs. `held`: its machine said so at the end.
pub(crate) fn check(facts: &Facts, trace: &[Line], held: bool) -> Result<(), String> {
    let mut seen = Seen::default();
    for (at, line) in trace.iter().enumerate() {
        let verdict = match line {
            Line::Given(deed) => given(facts, &mut seen, deed),
            Line::Held(deed) => ended(&mut seen, deed),
            Line::Failed(deed) => {
                failed(&mut seen, deed);
                Ok(())
            }
        };
        verdict.map_err(|why| format!("line {at}, {line:?}: {why}"))?;
    }
    if held {
        demand(!seen.poisoned, "a failed sync ended well")?;
        demand(seen.done || seen.listed.is_empty(), "no DONE at the end")?;
        demand(seen.renaming.is_empty(), "a rename was never answered")?;
        all_directories_synced(facts, &seen)?;
    }
    Ok(())
}

fn demand(holds: bool, why: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.into()) }
}

fn given(facts: &Facts, seen: &mut Seen, deed: &Deed) -> Result<(), String> {
    if seen.poisoned {
        return demand(matches!(deed, Deed::Discard(_)), "started after a failed sync");
    }
    match deed {
        Deed::SyncFile(f) => {
            demand(!facts.metas.contains(f) || seen.meta_set.contains(f), "synced before its metadata")?;
            seen.syncing.insert(*f);
        }
        Deed::Committing(files, last) => {
            for f in files {
                let safe = facts.symlinks.contains(f) || seen.synced.contains(f);
                demand(safe, "COMMITTING names a file that is not synced")?;
                demand(
                    !facts.metas.contains(f) || seen.meta_set.contains(f),
                    "committed before its metadata",
                )?;
            }
            demand(!seen.listed_last, "COMMITTING after its last piece")?;
            seen.listed.extend(files);
            seen.listed_last |= last;
            seen.journal_synced = false;
        }
        Deed::SyncJournal => seen.journal_syncing = true,
        Deed::Rename(f) => {
            demand(seen.listed.contains(f), "renamed without COMMITTING")?;
            demand(seen.listed_last && seen.journal_synced, "renamed before COMMITTING was synced")?;
            demand(seen.dir_syncing.is_empty(), "renamed after a directory's sync began")?;
            seen.renaming.insert(*f);
        }
        Deed::SetDirMeta(d) => {
            demand(seen.renaming.is_empty(), "directory metadata before the renames ended")?;
            demand(!seen.dir_syncing.contains(d), "directory metadata after its sync began")?;
        }
        Deed::SyncDir(d) => {
            demand(seen.renaming.is_empty(), "a directory's sync began before the renames ended")?;
            seen.dir_syncing.insert(*d);
        }
        Deed::Done => {
            demand(seen.listed_last && seen.journal_synced, "DONE without COMMITTING")?;
            all_directories_synced(facts, seen)?;
            seen.done_given = true;
        }
        Deed::Reach(point) => return reached(facts, seen, *point),
        Deed::SetMeta(_) | Deed::Discard(_) => {}
    }
    Ok(())
}

fn ended(seen: &mut Seen, deed: &Deed) -> Result<(), String> {
    match deed {
        Deed::SetMeta(f) => {
            seen.meta_set.insert(*f);
        }
        Deed::SyncFile(f) => {
            demand(seen.syncing.remove(f), "a sync ended that was not given")?;
            seen.synced.insert(*f);
        }
        Deed::SyncJournal => {
            demand(seen.journal_syncing, "a journal's sync ended that was not given")?;
            seen.journal_synced = true;
        }
        Deed::Rename(f) => {
            demand(seen.renaming.remove(f), "a rename ended that was not given")?;
            seen.renamed.insert(*f);
        }
        Deed::SyncDir(d) => {
            demand(seen.dir_syncing.contains(d), "a directory's sync ended that was not given")?;
            seen.dir_synced.insert(*d);
        }
        Deed::Done => seen.done = seen.done_given,
        Deed::Committing(..) | Deed::Discard(_) | Deed::SetDirMeta(_) | Deed::Reach(_) => {}
    }
    Ok(())
}

fn failed(seen: &mut Seen, deed: &Deed) {
    match deed {
        Deed::Rename(f) => {
            seen.renaming.remove(f);
        }
        Deed::SetMeta(_) | Deed::SetDirMeta(_) | Deed::Discard(_) => {}
        _ => seen.poisoned = true,
    }
}

fn all_directories_synced(facts: &Facts, seen: &Seen) -> Result<(), String> {
    for f in &seen.renamed {
        let dir = facts.dir_of[*f as usize];
        demand(seen.dir_synced.contains(&dir), "a touched directory is not synced")?;
    }
    demand(facts.directories.is_subset(&seen.dir_synced), "a new parent is not synced")
}

fn reached(facts: &Facts, seen: &Seen, point: Point) -> Result<(), String> {
    let holds = match point {
        Point::MetadataSet => !seen.meta_set.is_empty(),
        Point::MetadataSynced => seen.meta_set.iter().any(|f| seen.synced.contains(f)),
        Point::BatchFilesSynced => seen.syncing.is_empty() && seen.listed.is_empty(),
        Point::CommittingWritten => seen.listed_last && !seen.journal_synced,
        Point::CommittingSynced => seen.journal_synced && seen.renaming.is_empty() && seen.renamed.is_empty(),
        Point::RenamedFirst => !seen.renamed.is_empty(),
        Point::RenamedAll => seen.renaming.is_empty() && seen.dir_syncing.is_empty(),
        Point::DirectorySynced => {
            seen.renamed.iter().all(|f| seen.dir_synced.contains(&facts.dir_of[*f as usize]))
        }
        Point::ParentsSynced => !seen.done_given && facts.directories.is_subset(&seen.dir_synced),
        Point::DoneWritten => seen.done,
        _ => false,
    };
    demand(holds, "a point is passed out of place")
}
