//! W2: many files of 4 KiB in 256 folders, into an empty folder in /dev/shm.

use super::{Bench, Head, contender, than};
use crate::ground::{Area, remove};
use crate::report::Table;
use crate::tools::Job;
use crate::{Outcome, data, judge};
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
        if tool.command(&job).is_none() || tool.name() == "xfer, transport" {
            continue;
        }
        let (was, to) = (&was, &to);
        let verified = move || {
            judge::same_tree(was, &to.path, tool.depth())?;
            remove(&to.path)
        };
        let mut one = contender(tool, job, ready, verified);
        // Those that take a round trip for each file need longer than all the others together.
        one.rounds_max = bench.rounds_of(tool, 1);
        contenders.push(one);
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
    let table = bench.table(head, &mut contenders, bench.rounds(180));
    drop(contenders);
    remove(&from)?;
    Ok(vec![table])
}
