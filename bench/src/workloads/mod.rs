//! What is done, and by whom; each workload gives one or more tables.

mod clients;
mod inserted;
mod killed;
mod large;
mod policies;
mod sessions;
mod small_files;
mod source_tree;

use crate::ground::Ground;
use crate::measure::{Contender, Extra, Kind};
use crate::process;
use crate::report::{Table, Target};
use crate::rounds::{Rounds, interleaved};
use crate::tools::{Absent, Job, Share, Tool, Toolbox};
use crate::{Outcome, quick};
use std::process::Command;
use std::time::Duration;

/// What is run, and how thoroughly.
pub struct Plan {
    /// Small sizes and few rounds.
    pub quick: bool,
    /// So many rounds instead of what each workload takes.
    pub rounds: Option<usize>,
    /// Only tools whose names contain one of these.
    pub only: Vec<String>,
}

/// One run of the comparison.
pub struct Bench<'a> {
    /// What is run.
    pub plan: &'a Plan,
    /// Where files lie.
    pub ground: &'a Ground,
    /// Who takes part.
    pub toolbox: &'a Toolbox,
}

/// One workload.
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&Bench<'_>) -> Outcome<Vec<Table>>,
}

/// Every workload, in the order in which they are run.
pub const ALL: &[Workload] = &[
    Workload { name: "W1", run: large::new_file },
    Workload { name: "W1i", run: large::in_place },
    Workload { name: "W1f", run: large::on_disk },
    Workload { name: "W2", run: small_files::run },
    Workload { name: "W2m", run: small_files::million },
    Workload { name: "W3", run: source_tree::run },
    Workload { name: "W4", run: inserted::run },
    Workload { name: "W7", run: killed::run },
    Workload { name: "W8", run: clients::sixteen },
    Workload { name: "W8n", run: sessions::run },
    Workload { name: "W10", run: policies::run },
    Workload { name: "W11", run: clients::cores },
];

impl Plan {
    /// From the environment of `cargo bench`.
    pub fn of_cargo_bench(only: &[&str]) -> Self {
        Self { quick: quick(), rounds: None, only: only.iter().map(|word| (*word).to_owned()).collect() }
    }
}

impl<'a> Bench<'a> {
    /// This size, or the small one.
    fn size(&self, full: u64, small: u64) -> u64 {
        if self.plan.quick { small } else { full }
    }

    /// At most five rounds and at least three, within `seconds`; fewer in a quick run.
    fn rounds(&self, seconds: u64) -> Rounds {
        let (least, most, budget) = if self.plan.quick { (1, 3, seconds.min(15)) } else { (3, 5, seconds) };
        let (least, most) = self.plan.rounds.map_or((least, most), |rounds| (rounds, rounds));
        Rounds { least, most, budget: Duration::from_secs(budget) }
    }

    /// Rounds that a tool takes part in, at most.
    fn rounds_of(&self, tool: &dyn Tool) -> usize {
        match tool.share() {
            Share::Every => usize::MAX,
            Share::Once => 1,
        }
    }

    fn tools(&self) -> impl Iterator<Item = &'a dyn Tool> {
        self.toolbox.tools.iter().map(AsRef::as_ref)
    }

    /// Those of these tools that are here, as not run with files by the thousand.
    fn too_slow(&self, names: &[&str]) -> Vec<Absent> {
        let reason = "a round trip for each file: longer than all the others together";
        let here = self.tools().map(Tool::name).filter(|name| names.contains(&name.as_str()));
        here.map(|name| Absent { name, reason: reason.into() }).collect()
    }

    /// Runs the contenders and makes the table.
    fn table(&self, head: Head, contenders: &mut [Contender<'_>], rounds: Rounds) -> Table {
        println!("\n{}: {}", head.name, head.title);
        let series = interleaved(contenders, &rounds);
        let absent: Vec<Absent> = if head.has_peers { self.toolbox.absent.clone() } else { Vec::new() };
        Table::new(head, self.plan.quick, series, absent)
    }
}

/// What a table is about.
pub struct Head {
    /// Its name, such as `W1`; also of its files.
    pub name: &'static str,
    /// One sentence.
    pub title: String,
    /// Bytes of content that every run moves.
    pub bytes: u64,
    /// Files that every run moves.
    pub files: u64,
    /// What was set out to be reached.
    pub targets: Vec<Target>,
    /// Whether others than ours can do it.
    pub has_peers: bool,
    /// Whether files a second say more than bytes a second.
    pub counts_files: bool,
    /// Numbers of this workload alone: key and head of the column.
    pub columns: Vec<(&'static str, &'static str)>,
}

/// Does a job, with a far end for it where the tool needs one.
fn job_done(tool: &dyn Tool, job: &Job<'_>, receiver: &mut Option<process::Kept>) -> Outcome<Extra> {
    let mut command = command(tool, job)?;
    process::run(&mut command)?;
    if let Some(mut far) = receiver.take() {
        let status = process::wait(&mut far.0)?;
        process::verdict("the far end", status, &mut far.0)?;
    }
    Ok(Extra::new())
}

fn command(tool: &dyn Tool, job: &Job<'_>) -> Outcome<Command> {
    tool.command(job).ok_or_else(|| format!("{} cannot do this", tool.name()))
}

/// Starts the far end of a job, where it has one; every process of the far end.
fn far_end(tool: &dyn Tool, job: &Job<'_>, receiver: &mut Option<process::Kept>) -> Outcome<Vec<u32>> {
    *receiver = None;
    let mut far = tool.far();
    if let Some((mut command, port)) = tool.receiver(job) {
        let started = process::start(&mut command)?;
        far.push(started.0.id());
        *receiver = Some(started);
        process::until("the far end listens", Duration::from_secs(20), || process::listens(port))?;
    }
    Ok(far)
}

/// A tool doing one job again and again: `ready` before each run, `verified` after it.
fn contender<'a>(
    bench: &Bench<'_>,
    tool: &'a dyn Tool,
    job: Job<'a>,
    ready: impl Fn() -> Outcome<()> + 'a,
    verified: impl Fn() -> Outcome<()> + 'a,
) -> Contender<'a> {
    let receiver = std::rc::Rc::new(std::cell::RefCell::new(None));
    let (of_work, of_job) = (std::rc::Rc::clone(&receiver), job.clone());
    Contender {
        name: tool.name(),
        kind: tool.kind(),
        rounds_max: bench.rounds_of(tool),
        before: Box::new(move || {
            ready()?;
            far_end(tool, &of_job, &mut receiver.borrow_mut())
        }),
        work: Box::new(move || job_done(tool, &job, &mut of_work.borrow_mut())),
        after: Box::new(move || if tool.keeps_content() { verified() } else { Ok(()) }),
    }
}

/// The targets against rsync's daemon and the best encrypted peer.
fn than(peer: &'static str, ratio: f64) -> Target {
    Target::Faster { ours: "xfer", than: peer, kind: None, ratio }
}

fn than_best_encrypted(ratio: f64) -> Target {
    Target::Faster { ours: "xfer", than: "the best encrypted peer", kind: Some(Kind::Encrypted), ratio }
}
