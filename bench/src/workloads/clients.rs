//! W8 and W11: many clients that pull at once, each a file of its own.

use super::{Bench, Head, than};
use crate::ground::{Area, Spot, remove};
use crate::measure::{Contender, Extra};
use crate::report::{Table, Target};
use crate::tools::{Job, Tool, Xfer};
use crate::{Outcome, data, judge, process};
use std::path::PathBuf;
use std::time::Instant;
use xferd_e2e::compare::hash;

/// One client's file.
struct Pull {
    from: Spot,
    to: PathBuf,
    wanted: String,
}

/// W8: 16 clients each pulling 256 MiB.
pub(super) fn sixteen(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let pulls = pulls(bench, 16, bench.size(256 << 20, 32 << 20));
    let mut contenders = Vec::new();
    for tool in bench.tools().filter(|tool| tool.name() != "xfer, transport") {
        if tool.command(&pulls[0].job(0)).is_some() {
            contenders.push(contender(
                tool,
                &pulls,
                if tool.name() == "syq" { 1 } else { bench.rounds_of(tool) },
            ));
        }
    }
    let fair = Target::AtMost {
        ours: "xfer",
        what: "slowest client / fastest client",
        number: |sample, _| sample.extra.get("unfairness").copied().unwrap_or(0.0),
        bound: 1.2,
    };
    let table = table(bench, "W8", &pulls, vec![than("rsync daemon", 1.2), fair], &mut contenders);
    drop(contenders);
    gone(&pulls)?;
    Ok(vec![table])
}

/// W11: the same with 8 clients, and one alone, against a daemon of one core and of two.
pub(super) fn cores(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let pulls = pulls(bench, 8, bench.size(256 << 20, 32 << 20));
    let ways = [("xfer, 2 cores", 2), ("xfer, 1 core", 1)];
    let tools: Vec<Xfer> =
        ways.iter().map(|(name, cores)| Xfer::on_cores(name, bench.ground, *cores)).collect();
    let target = || Target::Faster { ours: "xfer, 2 cores", than: "xfer, 1 core", kind: None, ratio: 1.0 };
    let mut tables = Vec::new();
    for (name, pulls) in [("W11-eight", &pulls[..]), ("W11-one", &pulls[..1])] {
        let mut contenders: Vec<Contender<'_>> =
            tools.iter().map(|tool| contender(tool as &dyn Tool, pulls, usize::MAX)).collect();
        tables.push(table(bench, name, pulls, vec![target()], &mut contenders));
    }
    gone(&pulls)?;
    Ok(tables)
}

fn pulls(bench: &Bench<'_>, clients: usize, bytes: u64) -> Vec<Pull> {
    (0..clients)
        .map(|index| {
            let from = bench.ground.spot(Area::Memory, &format!("pull-{index:02}"));
            data::file(&from.path, bytes, 100 + index as u64);
            let to = bench.ground.sources(Area::Memory).join(format!("pulled-{index:02}"));
            Pull { wanted: hash(&from.path), from, to }
        })
        .collect()
}

fn gone(pulls: &[Pull]) -> Outcome<()> {
    for pull in pulls {
        remove(&pull.from.path)?;
        remove(&pull.to)?;
    }
    Ok(())
}

fn table(
    bench: &Bench<'_>,
    name: &'static str,
    pulls: &[Pull],
    targets: Vec<Target>,
    contenders: &mut [Contender<'_>],
) -> Table {
    let each = std::fs::metadata(&pulls[0].from.path).map_or(0, |stat| stat.len());
    let clients = pulls.len() as u64;
    let head = Head {
        name,
        title: format!(
            "{clients} client{} at once, each pulling {} MiB, /dev/shm on both ends",
            if clients == 1 { "" } else { "s" },
            each >> 20
        ),
        bytes: each * clients,
        files: clients,
        targets,
        has_peers: name == "W8",
        counts_files: false,
        columns: vec![("unfairness", "slowest/fastest")],
    };
    bench.table(head, contenders, bench.rounds(if name == "W8" { 75 } else { 20 }))
}

impl Pull {
    fn job(&self, client: usize) -> Job<'_> {
        Job::Fetch { from: &self.from, to: &self.to, client }
    }
}

fn contender<'a>(tool: &'a dyn Tool, pulls: &'a [Pull], rounds_max: usize) -> Contender<'a> {
    Contender {
        name: tool.name(),
        kind: tool.kind(),
        rounds_max,
        before: Box::new(move || {
            for pull in pulls {
                remove(&pull.to)?;
            }
            Ok(tool.far())
        }),
        work: Box::new(move || at_once(tool, pulls)),
        after: Box::new(move || {
            for pull in pulls {
                judge::is_hash(&pull.wanted, &pull.to)?;
                remove(&pull.to)?;
            }
            Ok(())
        }),
    }
}

/// Starts all, waits for all; how much longer the last took than the first.
fn at_once(tool: &dyn Tool, pulls: &[Pull]) -> Outcome<Extra> {
    let mut clients = Vec::new();
    for (index, pull) in pulls.iter().enumerate() {
        let began = Instant::now();
        clients.push((began, process::start(&mut super::command(tool, &pull.job(index))?)?));
    }
    let times: Vec<Outcome<f64>> = std::thread::scope(|scope| {
        let waiting: Vec<_> = clients
            .into_iter()
            .map(|(began, mut client)| {
                scope.spawn(move || {
                    let status = process::wait(&mut client.0)?;
                    let seconds = began.elapsed().as_secs_f64();
                    process::verdict("a client", status, &mut client.0)?;
                    Ok(seconds)
                })
            })
            .collect();
        waiting
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| Err("a thread panicked".into())))
            .collect()
    });
    let times: Vec<f64> = times.into_iter().collect::<Outcome<_>>()?;
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let fastest = times.iter().copied().fold(f64::MAX, f64::min);
    Ok(Extra::from([("unfairness", slowest / fastest)]))
}
