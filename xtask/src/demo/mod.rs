//! The whole of it on real data: push, pull, sync again, kill in the middle, resume, verify, a push that the policy
//! `acl` denies, table.
//!
//! Everything is verified against hashes that the engine had no part in: BLAKE3 over a walk of our own, and
//! `b3sum` where it is installed.

mod data;
mod judge;
mod policy;
mod report;
mod world;

use crate::shell::{Outcome, cargo, find, shown, taken, target};
use crate::{plugins, setup};
use report::{Report, Row};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use world::World;

/// `cargo xtask demo`, with a large file of this size.
pub(crate) fn run(big_bytes: u64) -> Outcome<()> {
    setup::ensure();
    shown(cargo().args(["build", "--release", "-p", "xferd", "--bins"]))?;
    let acl = plugins::package("acl")?;
    let mut rustc = Command::new("rustc");
    let tree = PathBuf::from(taken(rustc.args(["--print", "sysroot"]))?).join("lib");
    let scratch = data::Scratch::new(&target())?;
    let tree_bytes = judge::size(&tree)?;
    data::check_space(scratch.path(), 2 * tree_bytes + 4 * big_bytes + (256 << 20))?;

    let mut report = Report::default();
    let outcome = play(scratch.path(), &acl, &tree, big_bytes, &mut report);
    report.print();
    drop(scratch);
    outcome?;
    println!("demo: everything held, and one push was denied by the policy acl");
    Ok(())
}

fn play(scratch: &Path, acl: &Path, tree: &Path, big_bytes: u64, report: &mut Report) -> Outcome<()> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    policy::install(scratch, acl)?;
    let mut world = World::start(scratch, cores)?;
    println!("demo: xferd listens on {}, io={}, cores={cores}", world.address(), world.io());
    world.join()?;

    let tree_source = format!("{}/", tree.display());
    push_and_pull(&mut world, scratch, tree, &tree_source, report)?;

    let big = scratch.join("big");
    data::random_file(&big, big_bytes)?;
    let copied = world.measured("push a file", &["copy", &text(&big), "demo:/big"])?;
    judge::same_file(&big, &world.root().join("big"))?;
    judge::root_is(&copied, &big)?;
    report.add(copied);
    let back = scratch.join("big.back");
    report.add(world.measured("pull a file", &["copy", "demo:/big", &text(&back)])?);
    judge::same_file(&big, &back)?;
    data::remove(&back)?;
    data::remove(&world.root().join("big"))?;

    report.add(killed_and_resumed(&mut world, &big, big_bytes)?);
    judge::same_file(&big, &world.root().join("resumed"))?;
    judge::no_partial_files(&world.root())?;
    if find("b3sum").is_some() {
        judge::b3sum_agrees(&big, &world.root().join("resumed"))?;
    } else {
        println!("demo: skipped: b3sum is not installed; compared with our own BLAKE3 only");
    }
    policy::denied(&world, &big)?;
    world.stop()
}

fn push_and_pull(
    world: &mut World,
    scratch: &Path,
    tree: &Path,
    source: &str,
    report: &mut Report,
) -> Outcome<()> {
    report.add(world.measured("push a tree", &["sync", "-a", source, "demo:/tree"])?);
    judge::same_tree(tree, &world.root().join("tree"))?;
    let again = world.measured("the same again", &["sync", "-a", source, "demo:/tree"])?;
    if again.bytes_sent != 0 {
        return Err(format!("an unchanged tree was sent again: {} bytes", again.bytes_sent));
    }
    report.add(again);
    let back = scratch.join("tree.back");
    report.add(world.measured("pull a tree", &["sync", "-a", "demo:/tree/", &text(&back)])?);
    judge::same_tree(tree, &back)?;
    data::remove(&back)?;
    data::remove(&world.root().join("tree"))
}

/// Pushes, kills the daemon once its journal names a quarter of the file, starts it again on the same port and
/// state, and lets the transfer complete.
fn killed_and_resumed(world: &mut World, big: &Path, big_bytes: u64) -> Outcome<Row> {
    let arguments = ["copy", &text(big), "demo:/resumed"];
    let before = Instant::now();
    let mut client = world.start_client(&arguments)?;
    let journalled = world.journal_reaches(&mut client, big_bytes / 4)?;
    world.kill_and_restart()?;
    println!("demo: killed xferd with about {} MiB journalled; started again", journalled >> 20);
    let mut row = client.end("killed, resumed", before, || world.daemon_cpu());
    if row.is_err() {
        // A client that gave up is run again, as a person would.
        row = world.measured("killed, resumed", &arguments);
    }
    let row = row?;
    if row.bytes_resumed == 0 {
        return Err("the transfer began from nothing after the kill: bytes_resumed is 0".into());
    }
    println!(
        "demo: kept {} MiB, sent {} MiB again or for the first time",
        row.bytes_resumed >> 20,
        row.bytes_sent >> 20
    );
    Ok(row)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// How long a step may take before the demo calls it hung.
const HANG: Duration = Duration::from_secs(600);
