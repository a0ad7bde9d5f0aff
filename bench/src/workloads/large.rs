//! W1, W1i, W1f: one large file to the far end, under a new name, over an old one, onto a disk.

use super::{Bench, Head, contender, than, than_best_encrypted};
use crate::ground::{Area, flush, remove};
use crate::report::{Table, Target};
use crate::tools::{How, Job, Tool};
use crate::{Outcome, data, judge};
use std::cell::Cell;
use xferd_e2e::compare::hash;

const FULL: u64 = 4 << 30;
const QUICK: u64 = 512 << 20;

/// W1: into /dev/shm, each tool at its default.
pub(super) fn new_file(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let targets = vec![than_best_encrypted(1.5), than("rsync daemon", 1.3)];
    let title = "one large file in /dev/shm, to a new name; each tool at its default";
    fresh(bench, "W1", title, Area::Memory, &[How::Fresh], targets, 150)
}

/// Who W1f is between.
const OF_DISK: [&str; 3] = ["xfer", "xfer, durable", "rsync daemon"];

/// W1f: into a fresh file on disk.
pub(super) fn on_disk(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let targets = vec![than("rsync daemon", 3.0)];
    let title = "one large file from /dev/shm to a fresh file on disk; each tool at its default";
    fresh(bench, "W1f", title, Area::Disk, &[How::Fresh, How::Synced], targets, 150)
}

fn fresh(
    bench: &Bench<'_>,
    name: &'static str,
    title: &str,
    area: Area,
    hows: &[How],
    targets: Vec<Target>,
    seconds: u64,
) -> Outcome<Vec<Table>> {
    let bytes = bench.size(FULL, QUICK);
    let from = bench.ground.sources(Area::Memory).join("big");
    let to = bench.ground.spot(area, "big");
    data::file(&from, bytes, 1);
    let wanted = hash(&from);
    let ready = || {
        remove(&to.path)?;
        flush(bench.ground.desk());
        Ok(())
    };
    let verified = || {
        judge::is_hash(&wanted, &to.path)?;
        remove(&to.path)
    };
    let mut contenders = Vec::new();
    for how in hows {
        for tool in bench.tools() {
            let job = Job::File { from: &from, to: &to, how: *how };
            let again = *how == How::Synced && tool.name() != "rsync daemon";
            if tool.command(&job).is_none() || left_out(tool) || again {
                continue;
            }
            let mut one = contender(bench, tool, job, ready, verified);
            // What no target is stated against waits longest for the disk.
            if area == Area::Disk && !OF_DISK.contains(&tool.name().as_str()) {
                one.rounds_max = 1;
            }
            if *how == How::Synced {
                one.name.push_str(" --fsync");
            }
            contenders.push(one);
        }
    }
    let head = Head {
        name,
        title: title.into(),
        bytes,
        files: 1,
        targets,
        has_peers: true,
        counts_files: false,
        columns: Vec::new(),
    };
    let table = bench.table(head, &mut contenders, bench.rounds(seconds));
    drop(contenders);
    remove(&from)?;
    Ok(vec![table])
}

/// The way without a hash on our side belongs to W1i alone.
fn left_out(tool: &dyn Tool) -> bool {
    tool.name() == "xfer, transport"
}

/// W1i: over an existing file, in place. Before every run each page of the source changes, so that nothing of what is
/// there can be kept.
pub(super) fn in_place(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let bytes = bench.size(FULL, QUICK);
    let from = bench.ground.sources(Area::Memory).join("big");
    let to = bench.ground.spot(Area::Memory, "big");
    data::file(&from, bytes, 1);
    data::file(&to.path, bytes, 2);
    let turn = Cell::new(3);
    let ready = || {
        turn.set(turn.get() + 1);
        data::touch_every_page(&from, turn.get())
    };
    let verified = || judge::same_file(&from, &to.path);
    let mut contenders = Vec::new();
    for tool in bench.tools() {
        let job = Job::File { from: &from, to: &to, how: How::InPlace };
        if tool.command(&job).is_some() {
            contenders.push(contender(bench, tool, job, ready, verified));
        }
    }
    let transport = Target::Faster { ours: "xfer, transport", than: "rsync daemon", kind: None, ratio: 1.8 };
    let head = Head {
        name: "W1i",
        title: "one large file in /dev/shm over an existing one, in place".into(),
        bytes,
        files: 1,
        targets: vec![than("rsync daemon", 1.25), transport],
        has_peers: true,
        counts_files: false,
        columns: Vec::new(),
    };
    let table = bench.table(head, &mut contenders, bench.rounds(110));
    drop(contenders);
    remove(&from)?;
    remove(&to.path)?;
    Ok(vec![table])
}
