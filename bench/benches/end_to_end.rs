//! The real binaries beside rsync's daemon (plain, unencrypted, unverified), in one run: W1, W1f, W2, W3.
//!
//! `XFERD_BENCH_QUICK=1` makes sizes small. `cargo xtask bench --compare` runs these and more against more peers.

use std::path::Path;
use std::process::Command;
use xferd_bench::ground::Ground;
use xferd_bench::report::terminal;
use xferd_bench::tools::Toolbox;
use xferd_bench::workloads::{ALL, Bench, Plan};

const WORKLOADS: [&str; 4] = ["W1", "W1f", "W2", "W3"];

fn main() {
    let mut plan = Plan::of_cargo_bench(&["rsync daemon"]);
    plan.rounds = Some(2);
    let here = std::env::current_exe().expect("a bench has a path");
    let target = here.ancestors().nth(3).expect("a bench lies in target/<profile>/deps");
    build();
    let ground = Ground::new(&target.join("tmp")).expect("scratch folders can be made");
    let toolbox = Toolbox::start(&ground, &plan.only);
    for one in &toolbox.absent {
        println!("{}: not run: {}", one.name, one.reason);
    }
    let bench = Bench { plan: &plan, ground: &ground, toolbox: &toolbox };
    for workload in ALL.iter().filter(|workload| WORKLOADS.contains(&workload.name)) {
        for table in (workload.run)(&bench).expect("a workload runs") {
            println!("{}", terminal(&table));
        }
    }
}

/// The binaries of this source, in release, unless `XFERD_BIN_DIR` names others.
fn build() {
    if std::env::var_os("XFERD_BIN_DIR").is_some() {
        return;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(cargo);
    // The same selection as `cargo xtask bench`: with other features dependencies would be compiled once more.
    command.args(["build", "--release", "-p", "xferd", "-p", "xferd-bench", "-p", "xferd-load", "--bins"]);
    assert!(command.current_dir(workspace).status().is_ok_and(|status| status.success()), "cargo build");
}
