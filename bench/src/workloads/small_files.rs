//! W2: many files of 4 KiB in 256 folders, into an empty folder in /dev/shm. W2m: a million of 1 KiB, for the memory.

use super::{Bench, Head, contender, than};
use crate::ground::{Area, remove};
use crate::report::{Table, Target};
use crate::rounds::Rounds;
use crate::tools::Job;
use crate::{Outcome, data, judge};
use std::time::Duration;
use xferd_e2e::compare::snapshot;

const FOLDERS: u64 = 256;

/// W2.
pub(super) fn run(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let files = FOLDERS * bench.size(391, 40);
    let from = bench.ground.sources(Area::Memory).join("small");
    let to = bench.ground.spot(Area::Memory, "small");
    data::small_files(&from, FOLDERS, files / FOLDERS, 4096)?;
    let was = snapshot(&from);
    let ready = || remove(&to.path);
    let mut contenders = Vec::new();
    for tool in bench.tools() {
        let job = Job::Tree { from: &from, to: &to };
        if tool.command(&job).is_none() || ["xfer, transport", "rclone sftp"].contains(&tool.name().as_str())
        {
            continue;
        }
        let (was, to) = (&was, &to);
        let verified = move || {
            judge::same_tree(was, &to.path, tool.depth())?;
            remove(&to.path)
        };
        contenders.push(contender(bench, tool, job, ready, verified));
    }
    let head = Head {
        name: "W2",
        title: format!("{files} files of 4 KiB in {FOLDERS} folders in /dev/shm, into an empty folder"),
        bytes: files * 4096,
        files,
        targets: vec![than("rsync daemon", 2.5), than("tar | nc tar", 1.0)],
        has_peers: true,
        counts_files: true,
        columns: Vec::new(),
    };
    let mut table = bench.table(head, &mut contenders, bench.rounds(150));
    table.absent.extend(bench.too_slow(&["rclone sftp"]));
    drop(contenders);
    remove(&from)?;
    Ok(vec![table])
}

/// Peak memory of each end, whatever the number of files.
const RSS_MIB_MAX: f64 = 256.0;

/// W2m: once, and only our way: what is asked is the memory of both ends.
pub(super) fn million(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let folders = bench.size(1000, 20);
    let from = bench.ground.sources(Area::Memory).join("million");
    let to = bench.ground.spot(Area::Memory, "million");
    data::small_files(&from, folders, 1000, 1024)?;
    let was = snapshot(&from);
    let mut contenders = Vec::new();
    for tool in bench.tools().filter(|tool| tool.name() == "xfer") {
        let (was, to) = (&was, &to);
        let job = Job::Tree { from: &from, to };
        let verified = move || {
            judge::same_tree(was, &to.path, tool.depth())?;
            remove(&to.path)
        };
        contenders.push(contender(bench, tool, job, || remove(&to.path), verified));
    }
    let most = |what, number| Target::AtMost { ours: "xfer", what, number, bound: RSS_MIB_MAX };
    let head = Head {
        name: "W2m",
        title: format!(
            "{} files of 1 KiB in {folders} folders in /dev/shm, into an empty folder",
            folders * 1000
        ),
        bytes: folders * 1000 * 1024,
        files: folders * 1000,
        targets: vec![
            most("MiB of memory at the near end", |run, _| run.rss_near as f64 / f64::from(1 << 20)),
            most("MiB of memory at the far end", |run, _| run.rss_far as f64 / f64::from(1 << 20)),
        ],
        has_peers: false,
        counts_files: true,
        columns: Vec::new(),
    };
    let table = bench.table(head, &mut contenders, Rounds { least: 1, most: 1, budget: Duration::ZERO });
    drop(contenders);
    remove(&from)?;
    Ok(vec![table])
}
