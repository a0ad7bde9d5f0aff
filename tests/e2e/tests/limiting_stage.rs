//! A slow disk at either end of either direction is named as what limits.
// proves: E1

use xferd_e2e::client::Running;
use xferd_e2e::slow_disk::{Slow, SlowDisk};
use xferd_e2e::{Scratch, Seed, World};

/// More than two windows: a push is not sent whole before the far end says what limits it.
const SIZE: usize = 40 << 20;
/// Far below what any other stage does.
const BYTES_PER_SECOND: u64 = 8 << 20;

fn disk(test: &str, slow: Slow) -> Option<SlowDisk> {
    SlowDisk::mount(test, slow, BYTES_PER_SECOND)
}

/// A daemon that serves a slow disk as `/slow`.
fn serving(disk: &SlowDisk) -> World {
    let share = format!("[[share]]\nname = \"slow\"\npath = {:?}\n", disk.path.display().to_string());
    World::shares(Scratch::new(), &share)
}

/// The stage is named while the transfer runs, and at its end.
fn assert_limits(mut running: Running, stage: &str) {
    let named = running.event(|event| event["limiting"] == stage && event["event"] == "progress");
    let named = named.unwrap_or_else(|| panic!("no progress named {stage}"));
    assert!(named["bytes"].as_u64() < Some(SIZE as u64), "named only at the end: {named}");
    let result = running.end().ok().result();
    assert_eq!(result["limiting"], stage, "{}", result["stages"]);
}

#[test]
fn a_push_from_a_slow_disk_is_limited_by_reading() {
    let Some(disk) = disk("a_push_from_a_slow_disk_is_limited_by_reading", Slow::Reads) else { return };
    let bytes = Seed(1).bytes(SIZE);
    disk.put("big", bytes.clone());
    let world = World::new();
    let running = world.client.start(["copy", "--json", &disk.join("big").display().to_string(), "lab:/big"]);
    assert_limits(running, "read");
    assert!(std::fs::read(world.root.join("big")).expect("copied") == bytes);
}

#[test]
fn a_push_to_a_slow_disk_is_limited_by_writing() {
    let Some(disk) = disk("a_push_to_a_slow_disk_is_limited_by_writing", Slow::Writes) else { return };
    let world = serving(&disk);
    let bytes = Seed(2).bytes(SIZE);
    std::fs::write(world.local("big"), &bytes).expect("written");
    let running = world.client.start(["copy", "--json", "big", "lab:/slow/big"]);
    assert_limits(running, "write");
    assert!(disk.bytes("big") == Some(bytes));
}

#[test]
fn a_pull_from_a_slow_disk_is_limited_by_reading() {
    let Some(disk) = disk("a_pull_from_a_slow_disk_is_limited_by_reading", Slow::Reads) else { return };
    let bytes = Seed(3).bytes(SIZE);
    disk.put("big", bytes.clone());
    let world = serving(&disk);
    let running = world.client.start(["copy", "--json", "lab:/slow/big", "big"]);
    assert_limits(running, "read");
    assert!(std::fs::read(world.local("big")).expect("copied") == bytes);
}

#[test]
fn a_pull_to_a_slow_disk_is_limited_by_writing() {
    let Some(disk) = disk("a_pull_to_a_slow_disk_is_limited_by_writing", Slow::Writes) else { return };
    let world = World::new();
    let bytes = Seed(4).bytes(SIZE);
    std::fs::write(world.root.join("big"), &bytes).expect("written");
    let running = world.client.start(["copy", "--json", "lab:/big", &disk.join("big").display().to_string()]);
    assert_limits(running, "write");
    assert!(disk.bytes("big") == Some(bytes));
}
