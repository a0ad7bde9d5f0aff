//! A slow disk at either end of either direction is named as what limits.
// proves: E1

use xferd_e2e::slow_disk::{Slow, SlowDisk};
use xferd_e2e::{Run, Scratch, Seed, World};

const SIZE: usize = 24 << 20;
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

fn assert_limits(run: &Run, stage: &str) {
    let result = run.result();
    assert_eq!(result["limiting"], stage, "{}", result["stages"]);
}

#[test]
fn a_push_from_a_slow_disk_is_limited_by_reading() {
    let Some(disk) = disk("a_push_from_a_slow_disk_is_limited_by_reading", Slow::Reads) else { return };
    let bytes = Seed(1).bytes(SIZE);
    disk.put("big", bytes.clone());
    let world = World::new();
    let run = world.client.json(["copy", &disk.join("big").display().to_string(), "lab:/big"]).ok();
    assert!(std::fs::read(world.root.join("big")).expect("copied") == bytes);
    assert_limits(&run, "read");
}

#[test]
fn a_push_to_a_slow_disk_is_limited_by_writing() {
    let Some(disk) = disk("a_push_to_a_slow_disk_is_limited_by_writing", Slow::Writes) else { return };
    let world = serving(&disk);
    let bytes = Seed(2).bytes(SIZE);
    std::fs::write(world.local("big"), &bytes).expect("written");
    let run = world.client.json(["copy", "big", "lab:/slow/big"]).ok();
    assert!(disk.bytes("big") == Some(bytes));
    assert_limits(&run, "write");
}

#[test]
fn a_pull_from_a_slow_disk_is_limited_by_reading() {
    let Some(disk) = disk("a_pull_from_a_slow_disk_is_limited_by_reading", Slow::Reads) else { return };
    let bytes = Seed(3).bytes(SIZE);
    disk.put("big", bytes.clone());
    let world = serving(&disk);
    let run = world.client.json(["copy", "lab:/slow/big", "big"]).ok();
    assert!(std::fs::read(world.local("big")).expect("copied") == bytes);
    assert_limits(&run, "read");
}

#[test]
fn a_pull_to_a_slow_disk_is_limited_by_writing() {
    let Some(disk) = disk("a_pull_to_a_slow_disk_is_limited_by_writing", Slow::Writes) else { return };
    let world = World::new();
    let bytes = Seed(4).bytes(SIZE);
    std::fs::write(world.root.join("big"), &bytes).expect("written");
    let run = world.client.json(["copy", "lab:/big", &disk.join("big").display().to_string()]).ok();
    assert!(disk.bytes("big") == Some(bytes));
    assert_limits(&run, "write");
}
