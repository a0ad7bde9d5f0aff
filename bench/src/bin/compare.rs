//! Every workload beside every tool that is here: `cargo xtask bench --compare` builds and runs this.

#![forbid(unsafe_code)]

use clap::Parser;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use xferd_bench::ground::Ground;
use xferd_bench::report::{Conditions, keep, keep_index, terminal};
use xferd_bench::tools::Toolbox;
use xferd_bench::workloads::{ALL, Bench, Plan};
use xferd_bench::{Outcome, machine, process, wire};

/// Beside peers, side by side.
#[derive(Parser)]
struct Arguments {
    /// Workloads; all of them when none is named
    workloads: Vec<String>,
    /// Small sizes and few rounds
    #[arg(long)]
    quick: bool,
    /// So many rounds of each
    #[arg(long)]
    rounds: Option<usize>,
    /// Only peers whose name contains this
    #[arg(long)]
    only: Vec<String>,
    /// Where results are written
    #[arg(long)]
    out: PathBuf,
    /// Where files on disk are made
    #[arg(long)]
    scratch: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    process::end_children_on_panic();
    let network = wire::enter_own_network();
    match run(&arguments, network) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, network: wire::Network) -> Outcome<()> {
    let known: Vec<&str> = ALL.iter().map(|workload| workload.name).collect();
    if let Some(unknown) = arguments.workloads.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("no workload {unknown}; there are {}", known.join(" ")));
    }
    let plan = Plan { quick: arguments.quick, rounds: arguments.rounds, only: arguments.only.clone() };
    let ground = Ground::new(&arguments.scratch)?;
    let toolbox = Toolbox::start(&ground, &plan.only);
    let conditions = Conditions {
        machine: machine::describe(),
        commit: commit(),
        wire: network.describe(),
        versions: toolbox.versions(),
    };
    println!("{}\nwire: {}", conditions.machine, conditions.wire);
    println!("tools: {}", conditions.versions.join("; "));
    for one in &toolbox.absent {
        println!("{}: not run: {}", one.name, one.reason);
    }
    let bench = Bench { plan: &plan, ground: &ground, toolbox: &toolbox };
    let mut summary = Vec::new();
    for workload in ALL {
        if !arguments.workloads.is_empty() && !arguments.workloads.iter().any(|name| name == workload.name) {
            continue;
        }
        for table in (workload.run)(&bench)? {
            println!("{}", terminal(&table));
            keep(&arguments.out, &table, &conditions)?;
            summary.extend(table.verdicts().into_iter().map(|line| format!("{}: {line}", table.head.name)));
        }
    }
    keep_index(&arguments.out, &known, &conditions)?;
    println!("\n{}\n\nresults: {}", summary.join("\n"), arguments.out.display());
    Ok(())
}

/// The commit of this source, and whether it was changed since.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let out = Command::new("git").args(arguments).output().ok().filter(|out| out.status.success())?;
        Some(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".into());
    let changed =
        git(&["status", "--porcelain", "--", ":!bench/results"]).is_some_and(|text| !text.is_empty());
    if changed { format!("{head}, changed since") } else { head }
}
