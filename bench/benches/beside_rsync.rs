//! The real binaries beside rsync's daemon (plain, unencrypted, unverified), in one run.
//!
//! `XFERD_BENCH_QUICK=1` makes sizes small. Both ends of both contenders lie in /dev/shm where it has room, so
//! that the network path is measured and not a disk. Ours always encrypts and hashes; `--durability none`,
//! because rsync does not sync.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use xferd_bench::rounds::{Contender, interleaved, report};
use xferd_bench::rsyncd::Rsyncd;
use xferd_bench::{cpu, quick};
use xferd_e2e::compare::{differences, hash, snapshot};
use xferd_e2e::{Depth, Scratch, Seed, World, tree};

fn main() {
    build();
    let rounds = if quick() { 3 } else { 5 };
    let memory = Path::new("/dev/shm");
    let scratch = if memory.is_dir() { Scratch::below(memory) } else { Scratch::new() };
    let world = World::with(scratch, |start| start.arguments(["--durability", "none"]));
    let Some(rsyncd) = Rsyncd::start(&world.root, &world.client.folder) else {
        println!("rsync daemon: not run: rsync is not installed or does not start");
        return;
    };
    let results = [in_place(&world, &rsyncd, rounds), small_files(&world, &rsyncd, rounds)];
    keep(&Value::from(results.to_vec()));
}

/// The binaries of this source, in release, unless `XFERD_BIN_DIR` names others.
fn build() {
    if std::env::var_os("XFERD_BIN_DIR").is_some() {
        return;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(["build", "--release", "-p", "xferd", "--bins"]).status();
    assert!(status.is_ok_and(|status| status.success()), "cargo build --release -p xferd");
}

fn ours<'a>(
    world: &'a World,
    before: Box<dyn FnMut() + 'a>,
    arguments: Vec<String>,
    after: Box<dyn FnMut() + 'a>,
) -> Contender<'a> {
    let pid = world.daemon().id();
    Contender {
        name: "xfer",
        before,
        work: Box::new(move || {
            world.client.run(&arguments).ok();
        }),
        after,
        cpu: Box::new(move || cpu::of_children() + cpu::of_family(pid)),
    }
}

/// W1i: a large file over an existing one, in place. The two sources take turns, so that every run brings new content.
fn in_place(world: &World, rsyncd: &Rsyncd, rounds: usize) -> Value {
    let bytes: u64 = if quick() { 64 << 20 } else { 4 << 30 };
    let (source, target) = (world.local("big"), world.root.join("big"));
    let spare = world.local("spare");
    tree::file(&source, bytes, &mut Seed(1));
    tree::file(&spare, bytes, &mut Seed(2));
    tree::file(&target, bytes, &mut Seed(3));
    let turn = || {
        let third = world.local("third");
        for (from, to) in [(&source, &third), (&spare, &source), (&third, &spare)] {
            std::fs::rename(from, to).expect("sources take turns");
        }
    };
    let verify = || assert_eq!(hash(&source), hash(&target), "the copy differs");
    let arguments =
        ["copy", "--inplace", "--durability", "none", "big", "lab:/big"].map(str::to_owned).to_vec();
    let pid = rsyncd.id();
    let text = source.display().to_string();
    let mut contenders = [
        ours(world, Box::new(turn), arguments, Box::new(verify)),
        Contender {
            name: "rsync daemon",
            before: Box::new(turn),
            work: Box::new(|| {
                rsyncd.push(&["-t", "--inplace", "--whole-file", "--ignore-times"], &text, "big")
            }),
            after: Box::new(verify),
            cpu: Box::new(move || cpu::of_children() + cpu::of_family(pid)),
        },
    ];
    let times = interleaved(&mut contenders, rounds);
    for path in [&source, &spare, &target] {
        std::fs::remove_file(path).expect("removed");
    }
    report("W1i", bytes, 1, &times)
}

/// W2: many files of 4 KiB in 256 folders, into an empty folder.
fn small_files(world: &World, rsyncd: &Rsyncd, rounds: usize) -> Value {
    const FOLDERS: u64 = 256;
    let each = if quick() { 8 } else { 391 };
    let source = world.local("small");
    let mut seed = Seed(4);
    for folder in 0..FOLDERS {
        let folder = source.join(format!("{folder:03}"));
        std::fs::create_dir_all(&folder).expect("made");
        for file in 0..each {
            std::fs::write(folder.join(format!("{file:03}")), seed.bytes(4096)).expect("written");
        }
    }
    let target: PathBuf = world.root.join("small");
    let fresh = || {
        if target.exists() {
            std::fs::remove_dir_all(&target).expect("removed");
        }
    };
    let was = snapshot(&source);
    let verify = || {
        let found = differences(&was, &snapshot(&target), Depth::Copied);
        assert!(found.is_empty(), "{}", found.join("\n"));
    };
    let arguments =
        ["sync", "-a", "--durability", "none", "small/", "lab:/small"].map(str::to_owned).to_vec();
    let pid = rsyncd.id();
    let text = format!("{}/", source.display());
    let mut contenders = [
        ours(world, Box::new(fresh), arguments, Box::new(verify)),
        Contender {
            name: "rsync daemon",
            before: Box::new(fresh),
            work: Box::new(|| rsyncd.push(&["-a", "--whole-file"], &text, "small")),
            after: Box::new(verify),
            cpu: Box::new(move || cpu::of_children() + cpu::of_family(pid)),
        },
    ];
    let times = interleaved(&mut contenders, rounds);
    report("W2", FOLDERS * each * 4096, FOLDERS * each, &times)
}

/// Raw numbers, below `target/`.
fn keep(results: &Value) {
    let here = std::env::current_exe().expect("a bench has a path");
    let target = here.ancestors().nth(3).expect("a bench lies in target/<profile>/deps");
    let path = target.join("beside_rsync.json");
    std::fs::write(&path, format!("{results:#}\n")).expect("results can be written");
    println!("\nraw numbers: {}", path.display());
}
