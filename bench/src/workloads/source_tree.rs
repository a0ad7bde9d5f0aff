//! W3: a tree like a project's source in /dev/shm: copied, copied again unchanged, and with every 20th file changed.

use super::{Bench, Head, contender, than};
use crate::ground::{Area, Spot, remove};
use crate::report::{Table, Target};
use crate::rounds::Rounds;
use crate::tools::{Job, Tool};
use crate::{Outcome, data, judge, process};
use std::path::{Path, PathBuf};
use xferd_e2e::Snapshot;
use xferd_e2e::compare::snapshot;

/// A source as it is, and what it is.
struct Version {
    path: PathBuf,
    was: Snapshot,
}

/// W3.
pub(super) fn run(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let files = bench.size(40_000, 6_000);
    let sources = bench.ground.sources(Area::Memory);
    let (old, new) = (sources.join("old"), sources.join("new"));
    let bytes = data::source_tree(&old, files)?;
    data::changed_tree(&old, &new, 20)?;
    let old = Version { was: snapshot(&old), path: old };
    let new = Version { was: snapshot(&new), path: new };
    // Every tool keeps a copy of its own, so that it meets what it made itself.
    let places: Vec<(&dyn Tool, Spot)> = bench
        .tools()
        .enumerate()
        .map(|(index, tool)| (tool, bench.ground.spot(Area::Memory, &format!("tree-{index}"))))
        .filter(|(tool, to)| {
            tool.command(&Job::Tree { from: &old.path, to }).is_some()
                && tool.name() != "xfer, transport"
                && !SLOW.contains(&tool.name().as_str())
        })
        .collect();
    let again: Vec<&(&dyn Tool, Spot)> = places.iter().filter(|(tool, _)| tool.is_incremental()).collect();

    let head = |name, what: &str, targets: Vec<Target>| Head {
        name,
        title: format!("a source tree of {files} files in /dev/shm, {what}"),
        bytes,
        files,
        targets,
        has_peers: true,
        counts_files: true,
        columns: Vec::new(),
    };
    let mut first =
        first_copy(bench, head("W3-first", "first copy", vec![than("rsync daemon", 2.0)]), &places, &old);
    let targets = vec![than("rsync daemon", 2.0)];
    let unchanged = unchanged(bench, head("W3-unchanged", "nothing changed since", targets), &again, &old);
    let targets = vec![than("rsync daemon", 1.5)];
    let changed = changed(bench, head("W3-changed", "5 % of the files changed", targets), &again, &old, &new);
    first.absent.extend(bench.too_slow(&SLOW));
    for (_, to) in &places {
        remove(&to.path)?;
    }
    remove(&old.path)?;
    remove(&new.path)?;
    Ok(vec![first, unchanged, changed])
}

/// With one tree after the other.
const SLOW: [&str; 2] = ["sftp", "rclone sftp"];

fn rounds(bench: &Bench<'_>) -> Rounds {
    bench.rounds(40)
}

fn first_copy(bench: &Bench<'_>, head: Head, places: &[(&dyn Tool, Spot)], old: &Version) -> Table {
    let mut contenders = Vec::new();
    for (tool, to) in places {
        let job = Job::Tree { from: &old.path, to };
        let verified = || judge::same_tree(&old.was, &to.path, tool.depth());
        let one = contender(bench, *tool, job, || remove(&to.path), verified);
        contenders.push(one);
    }
    bench.table(head, &mut contenders, rounds(bench))
}

fn unchanged(bench: &Bench<'_>, head: Head, places: &[&(&dyn Tool, Spot)], old: &Version) -> Table {
    let mut contenders = Vec::new();
    for (tool, to) in places {
        let job = Job::Tree { from: &old.path, to };
        let verified = || judge::same_tree(&old.was, &to.path, tool.depth());
        let one = contender(bench, *tool, job, || Ok(()), verified);
        contenders.push(one);
    }
    bench.table(head, &mut contenders, rounds(bench))
}

fn changed(
    bench: &Bench<'_>,
    head: Head,
    places: &[&(&dyn Tool, Spot)],
    old: &Version,
    new: &Version,
) -> Table {
    let mut contenders = Vec::new();
    for (tool, to) in places {
        let job = Job::Tree { from: &new.path, to };
        let verified = || judge::same_tree(&new.was, &to.path, tool.depth());
        let one = contender(bench, *tool, job, || put_back(*tool, &old.path, to), verified);
        contenders.push(one);
    }
    bench.table(head, &mut contenders, rounds(bench))
}

/// Makes the copy the old tree again, by the tool's own means.
fn put_back(tool: &dyn Tool, old: &Path, to: &Spot) -> Outcome<()> {
    let mut command = super::command(tool, &Job::Tree { from: old, to })?;
    process::run(&mut command)
}
