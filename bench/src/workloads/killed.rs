//! W7: the client is killed (SIGKILL) when half of a large file has passed, and run again; the second run is timed.

use super::{Bench, Head, than};
use crate::ground::{Area, Spot, remove};
use crate::measure::{Contender, Extra};
use crate::report::{Table, Target};
use crate::tools::{How, Job, Tool};
use crate::{Outcome, data, judge, process, wire};
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use xferd_e2e::compare::hash;

/// W7.
pub(super) fn run(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let bytes = bench.size(4 << 30, 512 << 20);
    let from = bench.ground.sources(Area::Memory).join("big");
    let to = bench.ground.spot(Area::Memory, "big");
    data::file(&from, bytes, 9);
    let wanted = hash(&from);
    let case =
        Case { served: bench.ground.served(Area::Memory), from: &from, to: &to, wanted: &wanted, bytes };
    let mut contenders = Vec::new();
    for tool in bench.tools() {
        let job = Job::File { from: &from, to: &to, how: How::Resume };
        if tool.command(&job).is_some() && takes_part(tool) {
            // syq begins anew, which one round shows.
            let rounds = if tool.name() == "syq" { 1 } else { bench.rounds_of(tool) };
            contenders.push(case.contender(tool, job, rounds));
        }
    }
    let resent = Target::AtMost {
        ours: "xfer",
        what: "MB sent twice (a window of 16 MiB for each stream)",
        number: |sample, _| sample.extra.get("resent").copied().unwrap_or(0.0),
        bound: 4.0 * 16.777_216,
    };
    let head = Head {
        name: "W7",
        title: "the client killed at half of one large file in /dev/shm; the time of running it again".into(),
        bytes,
        files: 1,
        targets: vec![than("rsync daemon", 1.0), resent],
        has_peers: true,
        counts_files: false,
        columns: vec![("killed_at", "MB before the kill"), ("resent", "MB sent twice")],
    };
    let table = bench.table(head, &mut contenders, bench.rounds(80));
    drop(contenders);
    case.clear()?;
    remove(&from)?;
    Ok(vec![table])
}

/// rsync's way over ssh is the same as to its daemon, and slower.
fn takes_part(tool: &dyn Tool) -> bool {
    !["xfer, transport", "rsync + ssh"].contains(&tool.name().as_str())
}

struct Case<'a> {
    served: std::path::PathBuf,
    from: &'a Path,
    to: &'a Spot,
    wanted: &'a str,
    bytes: u64,
}

impl Case<'_> {
    fn contender<'a>(&'a self, tool: &'a dyn Tool, job: Job<'a>, rounds_max: usize) -> Contender<'a> {
        let whole = Cell::new(None);
        let first = Rc::new(Cell::new(0));
        let (of_work, wire_of_whole) = (Rc::clone(&first), Rc::new(Cell::new(0)));
        let of_before = Rc::clone(&wire_of_whole);
        Contender {
            name: tool.name(),
            kind: tool.kind(),
            rounds_max,
            before: Box::new(move || {
                if whole.get().is_none() {
                    whole.set(Some(self.undisturbed(tool)?));
                    of_before.set(whole.get().unwrap_or(0));
                }
                first.set(self.killed_at_half(tool)?);
                Ok(tool.far())
            }),
            work: Box::new(move || {
                let before = wire::bytes();
                process::run(&mut super::command(tool, &job)?)?;
                let (first, again) = (of_work.get(), wire::bytes() - before);
                let resent = (first + again) as f64 - wire_of_whole.get() as f64;
                Ok(Extra::from([("killed_at", first as f64 / 1e6), ("resent", resent.max(0.0) / 1e6)]))
            }),
            after: Box::new(move || judge::is_hash(self.wanted, &self.to.path)),
        }
    }

    /// Removes what any run left under any name.
    fn clear(&self) -> Outcome<()> {
        for entry in std::fs::read_dir(&self.served).into_iter().flatten().flatten() {
            remove(&entry.path())?;
        }
        Ok(())
    }

    fn begun(&self, tool: &dyn Tool) -> Outcome<std::process::Command> {
        super::command(tool, &Job::File { from: self.from, to: self.to, how: tool.begins_with() })
    }

    /// Bytes over lo of a run that nothing disturbs: what the tool's headers cost is not sent twice.
    fn undisturbed(&self, tool: &dyn Tool) -> Outcome<u64> {
        self.clear()?;
        let before = wire::bytes();
        process::run(&mut self.begun(tool)?)?;
        Ok(wire::bytes() - before)
    }

    /// Starts from nothing, kills at half; bytes over lo until the far end noticed.
    fn killed_at_half(&self, tool: &dyn Tool) -> Outcome<u64> {
        self.clear()?;
        let before = wire::bytes();
        let mut client = process::start(&mut self.begun(tool)?)?;
        let half = self.bytes / 2;
        let mut ended = false;
        process::until("half of the file passes", process::HANG, || {
            ended = !matches!(client.0.try_wait(), Ok(None));
            ended || wire::bytes() - before >= half
        })?;
        if ended {
            return Err("it ended before it could be killed".into());
        }
        drop(client);
        let far = tool.far();
        let settled = || far.iter().all(|pid| process::children(*pid).is_empty());
        process::until("the far end notices", Duration::from_secs(60), settled)?;
        Ok(wire::bytes() - before)
    }
}
