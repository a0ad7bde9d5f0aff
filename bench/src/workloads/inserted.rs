//! W4: a file on disk whose far copy lacks 1 MiB at a tenth of its length: everything behind it has moved.

use super::{Bench, Head, contender, than};
use crate::ground::{Area, flush, remove};
use crate::report::{Table, Target};
use crate::tools::{How, Job};
use crate::{Outcome, data, judge};
use std::path::Path;
use xferd_e2e::compare::hash;

const INSERTED: u64 = 1 << 20;

/// W4.
pub(super) fn run(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let bytes = bench.size(2 << 30, 256 << 20);
    let sources = bench.ground.sources(Area::Disk);
    let (old, new) = (sources.join("old"), sources.join("new"));
    data::file(&old, bytes - INSERTED, 7);
    data::with_insertion(&old, &new, (bytes - INSERTED) / 10, INSERTED, 8)?;
    let to = bench.ground.spot(Area::Disk, "grown");
    let wanted = hash(&new);
    let ready = || {
        remove(&to.path)?;
        copy(&old, &to.path)?;
        flush(bench.ground.desk());
        Ok(())
    };
    let verified = || judge::is_hash(&wanted, &to.path);
    let mut contenders = Vec::new();
    for tool in bench.tools() {
        let job = Job::File { from: &new, to: &to, how: How::Delta };
        if tool.command(&job).is_some() && tool.name() != "xfer, transport" {
            contenders.push(contender(bench, tool, job, ready, verified));
        }
    }
    let wire = Target::AtMost {
        ours: "xfer",
        what: "% of the content on the wire",
        number: |sample, bytes| sample.wire as f64 / bytes as f64 * 100.0,
        bound: 0.2,
    };
    let head = Head {
        name: "W4",
        title: format!("a file of {} MiB on disk, 1 MiB inserted at a tenth of it", bytes >> 20),
        bytes,
        files: 1,
        targets: vec![than("rsync daemon", 1.3), wire],
        has_peers: true,
        counts_files: false,
        columns: Vec::new(),
    };
    let table = bench.table(head, &mut contenders, bench.rounds(75));
    drop(contenders);
    for path in [&old, &new, &to.path] {
        remove(path)?;
    }
    Ok(vec![table])
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    std::fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", to.display()))
}
