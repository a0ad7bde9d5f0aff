//! Either end killed, the wire cut, bytes rotten on disk: the same command again completes.
// proves: O8, O9, C7

use rustix::process::Signal;
use std::os::unix::fs::FileExt;
use xferd_e2e::compare::assert_equal;
use xferd_e2e::{Depth, Direction, Proxy, Run, Scratch, Seed, World, tree};

const SIZE: u64 = 160 << 20;
/// What may travel again after a kill: one window or chunk, and what was sealed into records but not yet seen.
const AGAIN_MAX: u64 = 17 << 20;

fn world() -> (World, Proxy) {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    tree::file(&world.local("big"), SIZE, &mut Seed(8));
    (world, proxy)
}

/// What an interrupted and a completing run sent more than the file holds.
fn assert_little_again(proxy: &Proxy, before: u64) {
    let carried = proxy.total(Direction::Up) - before;
    let allowed = SIZE + SIZE / 500 + AGAIN_MAX;
    assert!(carried <= allowed, "{carried} bytes travelled for a file of {SIZE}");
}

fn rerun(world: &World) -> Run {
    let run = world.client.json(["copy", "--streams", "1", "big", "lab:/big"]).ok();
    assert_equal(&world.local("big"), &world.root.join("big"), Depth::Copied);
    world.assert_no_leftovers();
    run
}

#[test]
fn a_client_killed_at_any_moment_completes_when_run_again() {
    let (world, proxy) = world();
    let mut seed = Seed(17);
    for round in 0..5 {
        let before = proxy.total(Direction::Up);
        let at = before + 1000 + seed.below(SIZE * 9 / 10);
        let running = world.client.start(["copy", "--streams", "1", "big", "lab:/big", "--json"]);
        assert!(proxy.wait_for(Direction::Up, at));
        running.kill();
        assert!(!world.root.join("big").exists(), "round {round}: a partial file is visible");
        let run = rerun(&world);
        if at - before > 40 << 20 {
            assert!(run.number("bytes_resumed") > 0, "round {round}: nothing was kept");
        }
        assert_little_again(&proxy, before);
        std::fs::remove_file(world.root.join("big")).expect("removed");
    }
}

#[test]
fn a_daemon_killed_at_any_moment_completes_when_it_is_back() {
    let (mut world, proxy) = world();
    let mut seed = Seed(18);
    for round in 0..5 {
        let before = proxy.total(Direction::Up);
        let at = before + 1000 + seed.below(SIZE * 9 / 10);
        let running = world.client.start(["copy", "--streams", "1", "big", "lab:/big", "--json"]);
        assert!(proxy.wait_for(Direction::Up, at));
        world.kill();
        assert!(!world.root.join("big").exists(), "round {round}: a partial file is visible");
        let addr = world.start_again(None).addr;
        proxy.retarget(addr);
        // The client may reconnect by itself, or give up and be run again.
        let run = running.end();
        assert!([0, 10, 12].contains(&run.code()), "exit {}: {}", run.code(), run.stderr);
        rerun(&world);
        assert_little_again(&proxy, before);
        std::fs::remove_file(world.root.join("big")).expect("removed");
    }
}

#[test]
fn a_pull_survives_too() {
    let (world, proxy) = world();
    std::fs::rename(world.local("big"), world.root.join("big")).expect("moved");
    let before = proxy.total(Direction::Down);
    let running = world.client.start(["copy", "--streams", "1", "lab:/big", "big", "--json"]);
    assert!(proxy.wait_for(Direction::Down, before + SIZE / 2));
    running.kill();
    assert!(!world.local("big").exists(), "a partial file is visible");
    let run = world.client.json(["copy", "--streams", "1", "lab:/big", "big"]).ok();
    assert!(run.number("bytes_resumed") > 0);
    assert_equal(&world.root.join("big"), &world.local("big"), Depth::Copied);
    let carried = proxy.total(Direction::Down) - before;
    assert!(carried <= SIZE + SIZE / 500 + AGAIN_MAX, "{carried} bytes travelled");
}

#[test]
fn exactly_the_rotten_chunk_is_sent_again() {
    a_chunk_rots("full");
}

/// The receiver did not hash what came, and hashes all the same what it goes on from.
#[test]
fn a_rotten_chunk_is_sent_again_where_only_the_transport_was_verified() {
    a_chunk_rots("transport");
}

fn a_chunk_rots(verify: &str) {
    let (mut world, proxy) = world();
    let copy = ["copy", "--streams", "1", "--verify", verify, "big", "lab:/big", "--json"];
    let running = world.client.start(copy);
    assert!(proxy.wait_for(Direction::Up, SIZE / 2));
    running.kill();
    world.terminate();
    let names = xferd_e2e::compare::names(&world.root);
    let part = names.iter().find(|name| name.to_string_lossy().ends_with(".part")).expect("a part is kept");
    let file = std::fs::File::options().read(true).write(true).open(world.root.join(part)).expect("opened");
    let mut byte = [0];
    file.read_exact_at(&mut byte, 5_000_000).expect("read");
    file.write_all_at(&[byte[0] ^ 1], 5_000_000).expect("written");
    drop(file);
    let addr = world.start_again(None).addr;
    proxy.retarget(addr);
    let run = world.client.run(copy).ok();
    assert_equal(&world.local("big"), &world.root.join("big"), Depth::Copied);
    assert_eq!(run.result()["verify"], verify);
    assert_eq!(run.number("bytes") + run.number("bytes_resumed"), SIZE);
    assert!(run.number("bytes_resumed") >= SIZE / 2 - AGAIN_MAX, "more than the rotten chunk was lost");
}

#[test]
fn a_signal_ends_a_client_in_order() {
    let (world, proxy) = world();
    let mut running = world.client.start(["copy", "--streams", "1", "big", "lab:/big", "--json"]);
    assert!(proxy.wait_for(Direction::Up, SIZE / 4));
    running.signal(Signal::INT);
    let run = running.end();
    assert_eq!(run.code(), 20);
    assert_eq!(run.result()["exit"], 20, "a signal still ends with a result");
    assert!(!world.root.join("big").exists());
    rerun(&world);
}

#[test]
fn a_tree_killed_midway_shows_old_or_new_and_completes() {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    let source = world.local("tree");
    tree::make(&source, 600, 61);
    let before = proxy.total(Direction::Up);
    for share in [10, 3, 2] {
        let from = format!("{}/", source.display());
        let total: u64 = xferd_e2e::compare::snapshot(&source).values().map(|node| node.allocated).sum();
        let running = world.client.start(["sync", "-a", &from, "lab:/tree", "--json"]);
        proxy.wait_for(Direction::Up, before + total / share);
        running.kill();
        for (path, node) in xferd_e2e::compare::snapshot(&world.root) {
            let name = String::from_utf8_lossy(&path).into_owned();
            let Some(inner) = name.strip_prefix("tree/").filter(|_| node.kind == 'f') else { continue };
            if name.contains(".xferd-") {
                continue;
            }
            assert_eq!(node.root, xferd_e2e::compare::hash(&source.join(inner)), "{name} is a mix");
        }
        std::fs::remove_dir_all(world.root.join("tree")).unwrap_or_default();
    }
    world.push(&source, "/tree");
    assert_equal(&source, &world.root.join("tree"), Depth::Archive);
}

#[test]
fn a_cut_wire_is_mended_by_the_client_itself() {
    let (world, proxy) = world();
    proxy.cut_after(Direction::Up, proxy.total(Direction::Up) + SIZE / 2);
    let run = world.client.json(["copy", "big", "lab:/big"]).ok();
    assert!(run.events().iter().any(|event| event["event"] == "retry"), "no retry was told");
    assert_equal(&world.local("big"), &world.root.join("big"), Depth::Copied);
}

#[test]
fn a_daemon_told_to_stop_finishes_what_runs() {
    let (mut world, proxy) = world();
    let running = world.client.start(["copy", "big", "lab:/big", "--json"]);
    assert!(proxy.wait_for(Direction::Up, SIZE / 4));
    let status = world.terminate();
    assert!(status.success(), "{status}");
    let run = running.end();
    assert_eq!(run.code(), 0, "{}", run.stderr);
    assert_equal(&world.local("big"), &world.root.join("big"), Depth::Copied);
}
