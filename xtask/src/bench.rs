//! Benches, in release.

use crate::setup;
use crate::shell::{Outcome, cargo, shown, target, workspace};
use std::path::PathBuf;
use std::process::Command;

/// What of the comparison is wanted.
#[derive(clap::Args)]
pub(crate) struct Bench {
    /// Beside other tools, each workload of the table; without it `cargo bench`
    #[arg(long)]
    compare: bool,
    /// The same work on our ring, other runtimes and blocking threads (4 GiB, five rounds; quick: 1 GiB, two)
    #[arg(long, conflicts_with = "compare")]
    runtimes: bool,
    /// Workloads, such as W1 W2; all of them when none is named
    #[arg(requires = "compare")]
    workloads: Vec<String>,
    /// Small sizes: to see that it works, not how fast
    #[arg(long)]
    quick: bool,
    /// So many rounds of each workload
    #[arg(long, requires = "compare")]
    rounds: Option<usize>,
    /// Only peers whose name contains this; may be given again
    #[arg(long, value_name = "NAME", requires = "compare")]
    only: Vec<String>,
    /// Where results are written [default: bench/results; with --quick target/bench-quick]
    #[arg(long, value_name = "DIR", requires = "compare")]
    out: Option<PathBuf>,
}

/// `cargo xtask bench`.
pub(crate) fn run(bench: &Bench) -> Outcome<()> {
    if bench.runtimes {
        return runtimes(bench.quick);
    }
    setup::ensure();
    // Together: built one after the other, each with features of its own, they would compile wasmtime twice.
    let programs = ["-p", "xferd", "-p", "xferd-bench", "-p", "xferd-load", "--bins"];
    shown(cargo().args(["build", "--release"]).args(programs))?;
    if bench.compare {
        return compare(bench);
    }
    let mut command = cargo();
    command.arg("bench").env("XFERD_BIN_DIR", target().join("release"));
    if bench.quick {
        command.env("XFERD_BENCH_QUICK", "1");
    }
    shown(&mut command)
}

fn compare(bench: &Bench) -> Outcome<()> {
    setup::ensure_peers();
    if bench.workloads.is_empty() || bench.workloads.iter().any(|name| name == "W10") {
        // Without a toolchain for them the rows of W10 say that they are missing.
        if let Err(reason) = crate::plugins::run() {
            println!("{reason}");
        }
    }
    let kept = if bench.quick { target().join("bench-quick") } else { workspace().join("bench/results") };
    let mut command = Command::new(target().join("release/compare"));
    command.current_dir(workspace()).env("XFERD_BIN_DIR", target().join("release"));
    command.env("XFERD_BENCH_PEERS", target().join("peers/bin"));
    command.args(&bench.workloads).args(bench.quick.then_some("--quick"));
    command.args(bench.rounds.map(|rounds| format!("--rounds={rounds}")));
    command.args(bench.only.iter().map(|name| format!("--only={name}")));
    command.arg("--out").arg(bench.out.as_ref().unwrap_or(&kept)).arg("--scratch").arg(target().join("tmp"));
    shown(&mut command)
}

/// A workspace of its own, so it is built into a folder of its own.
fn runtimes(quick: bool) -> Outcome<()> {
    let folder = target().join("runtimes");
    let mut build = cargo();
    build.args(["build", "--release", "--manifest-path"]).arg(workspace().join("bench/runtimes/Cargo.toml"));
    shown(build.arg("--target-dir").arg(&folder))?;
    let mut command = Command::new(folder.join("release/xferd-runtimes"));
    shown(command.args(if quick { ["1", "2"] } else { ["4", "5"] }))
}
