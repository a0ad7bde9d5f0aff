//! Crash points that a push, a sync or a first start passes, each killed once: run again, it completes.
// proves: O9

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use xferd_e2e::compare::{differences, snapshot, without_parts};
use xferd_e2e::daemon::Start;
use xferd_e2e::{Client, Depth, Scratch, Seed, World, program, tree};

/// The variable that the feature `crash-points` answers to.
const VARIABLE: &str = concat!("XFERD", "_CRASH");

/// Points that a receiver of files passes, whichever program it is.
const RECEIVER: &[&str] = &[
    "part-created",
    "part-reserved",
    "chunk-written",
    "journal-received",
    "data-synced",
    "journal-appended",
    "journal-durable",
    "seal-verified",
    "metadata-set",
    "metadata-synced",
    "batch-files-synced",
    "committing-written",
    "committing-synced",
    "renamed-first",
    "renamed-all",
    "directory-synced",
    "done-written",
    "receipt-signed",
    "receipt-synced",
    "receipt-sent",
];

/// Whether the binaries under test answer to the variable.
fn has_crash_points() -> bool {
    let bytes = std::fs::read(program::binary("xferd")).expect("a binary can be read");
    bytes.windows(VARIABLE.len()).any(|window| window == VARIABLE.as_bytes())
}

fn skip(test: &str) -> bool {
    let skip = !has_crash_points();
    if skip {
        println!("skipped: {test}: the binaries were built without the feature crash-points");
    }
    skip
}

/// A file whose journal is made durable before its end, small ones, packs, folders, links.
fn source(world: &World) -> std::path::PathBuf {
    let source = world.local("tree");
    tree::make(&source, 30, 5);
    tree::file(&source.join("journalled"), 80 << 20, &mut Seed(1));
    source
}

/// Asserts that a copy is complete. What a batch that was never committed staged stays hidden until it is swept.
fn assert_complete(source: &std::path::Path, copy: &std::path::Path, point: &str) {
    let found = differences(&snapshot(source), &without_parts(snapshot(copy)), Depth::Archive);
    assert!(found.is_empty(), "after {point}: {}", found.join("\n"));
}

/// Asserts what a crash may leave visible: old or new, whole.
fn assert_old_or_new(source: &std::path::Path, copy: &std::path::Path, point: &str) {
    let (was, is) = (snapshot(source), snapshot(copy));
    for (path, node) in is.iter().filter(|(path, node)| node.kind == 'f' && !is_part(path)) {
        assert_eq!(
            was.get(path).map(|node| &node.root),
            Some(&node.root),
            "{point}: {} is a mix",
            path.escape_ascii()
        );
    }
}

fn is_part(path: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').next().is_some_and(|name| name.starts_with(b".xferd-"))
}

#[test]
fn a_daemon_killed_at_each_point_of_a_push_completes_afterwards() {
    if skip("a_daemon_killed_at_each_point_of_a_push_completes_afterwards") {
        return;
    }
    let mut passed = BTreeMap::new();
    for point in RECEIVER.iter().chain(&["parents-synced"]) {
        let mut world = World::new();
        let source = source(&world);
        let address = world.daemon().addr;
        world.terminate();
        let plain = world.start.clone();
        world.start = plain.clone().environment(VARIABLE, &format!("{point}:1"));
        world.start_again(Some(address));
        let from = format!("{}/", source.display());
        let running = world.client.start(["sync", "-a", &from, "lab:/tree", "--json"]);
        let status = world.wait_or_terminate(running);
        passed.insert(*point, status.signal() == Some(9));
        assert_old_or_new(&source, &world.root.join("tree"), point);
        world.start = plain;
        world.start_again(Some(address));
        world.push(&source, "/tree");
        assert_complete(&source, &world.root.join("tree"), point);
    }
    let missed: Vec<_> = passed.iter().filter(|(_, passed)| !**passed).map(|(point, _)| *point).collect();
    assert!(missed.is_empty(), "no push passed {missed:?}");
}

#[test]
fn a_daemon_killed_while_deleting_or_overwriting_completes_afterwards() {
    if skip("a_daemon_killed_while_deleting_or_overwriting_completes_afterwards") {
        return;
    }
    let cases: &[(&str, &[&str])] = &[
        ("delete-first", &["sync", "-a", "--delete"]),
        ("delete-all", &["sync", "-a", "--delete"]),
        ("torn-marked", &["sync", "-a", "--inplace"]),
        ("torn-cleared", &["sync", "-a", "--inplace"]),
    ];
    for (point, command) in cases {
        let mut world = World::new();
        let source = source(&world);
        world.push(&source, "/tree");
        let delete = command.contains(&"--delete");
        for name in ["extra-1", "extra-2"].iter().filter(|_| delete) {
            std::fs::write(world.root.join("tree").join(name), name).expect("written");
        }
        if !delete {
            tree::file(&source.join("journalled"), 81 << 20, &mut Seed(2));
        }
        let address = world.daemon().addr;
        world.terminate();
        let plain = world.start.clone();
        world.start = plain.clone().environment(VARIABLE, &format!("{point}:1"));
        world.start_again(Some(address));
        let from = format!("{}/", source.display());
        let arguments: Vec<&str> = command.iter().copied().chain([from.as_str(), "lab:/tree"]).collect();
        let running = world.client.start(arguments.iter().copied().chain(["--json"]));
        let status = world.wait_or_terminate(running);
        assert_eq!(status.signal(), Some(9), "{point} was not passed");
        world.start = plain;
        world.start_again(Some(address));
        world.client.json(arguments).ok();
        assert_complete(&source, &world.root.join("tree"), point);
    }
}

#[test]
fn a_first_start_killed_at_each_point_is_made_whole_by_the_next() {
    if skip("a_first_start_killed_at_each_point_is_made_whole_by_the_next") {
        return;
    }
    for point in ["key-written", "root-written"] {
        let scratch = Scratch::new();
        let plain = Start::new(&scratch.join("daemon")).root(&scratch.dir("root"));
        println!("{point}");
        let (status, log) = plain.clone().environment(VARIABLE, &format!("{point}:1")).refused();
        assert_eq!(status.signal(), Some(9), "{point} was not passed: {log}");
        let daemon = plain.ready();
        let client = Client::joined(&scratch.join("client"), &scratch.dir("folder"), &daemon, "alice", "lab");
        client.run(["ls", "lab:/"]).ok();
    }
}
