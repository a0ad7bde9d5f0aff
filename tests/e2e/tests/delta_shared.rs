//! Where the file system shares content between files, a delta writes only what differs; what comes out is the same.
// proves: O7

use std::os::unix::fs::FileExt;
use xferd_e2e::compare::assert_equal;
use xferd_e2e::sharing_disk::SharingDisk;
use xferd_e2e::{Depth, Run, Scratch, Seed, World, tree};

const SIZE: usize = 48 << 20;

fn noise(seed: u64, len: usize) -> Vec<u8> {
    Seed(seed).bytes(len)
}

/// A daemon that serves the disk as `/disk`.
fn serving(disk: &SharingDisk) -> World {
    let config = format!("[[share]]\nname = \"disk\"\npath = {:?}\n", disk.path.display().to_string());
    World::shares(Scratch::new(), &config)
}

/// Puts `old` at the destination and lets `write` make the newer one at the source.
fn lay(world: &World, disk: &SharingDisk, old: &[u8], write: impl FnOnce(&std::fs::File)) {
    std::fs::write(disk.path.join("file"), old).expect("written");
    tree::set_mtime(&disk.path.join("file"), 1_700_000_000, 5);
    let new = std::fs::File::create(world.local("file")).expect("made");
    write(&new);
    drop(new);
    tree::set_mtime(&world.local("file"), 1_700_003_600, 7);
}

fn send(world: &World, disk: &SharingDisk) -> Run {
    let run = world.client.json(["copy", "file", "lab:/disk/file"]).ok();
    assert_equal(&world.local("file"), &disk.path.join("file"), Depth::Copied);
    let names = std::fs::read_dir(&disk.path).expect("listed");
    let names: Vec<_> = names.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, ["file"], "nothing else is left");
    run
}

fn each_kind(test: &str, case: fn(&World, &SharingDisk)) {
    for kind in ["btrfs", "xfs"] {
        let Some(disk) = SharingDisk::mount(test, kind) else { continue };
        let world = serving(&disk);
        case(&world, &disk);
        drop(world);
    }
}

#[test]
fn changes_in_place_take_little_room_and_leave_the_older_one_as_it_was() {
    each_kind("changes_in_place_take_little_room_and_leave_the_older_one_as_it_was", |world, disk| {
        let old = noise(1, SIZE);
        let mut new = old.clone();
        for at in [5, SIZE / 3, SIZE - 10] {
            new[at] ^= 1;
        }
        lay(world, disk, &old, |file| file.write_all_at(&new, 0).expect("written"));
        // Held open, the older one keeps its room: what is taken more is the newer one's alone.
        let held = std::fs::File::open(disk.path.join("file")).expect("opened");
        let before = disk.used();
        let run = send(world, disk);
        assert!(run.number("bytes_reused") > SIZE as u64 * 9 / 10);
        let more = disk.used().saturating_sub(before);
        assert!(more < SIZE as u64 / 2, "{more} bytes more are taken");
        let mut seen = vec![0; SIZE];
        held.read_exact_at(&mut seen, 0).expect("read");
        assert!(seen == old, "the older one was only read");
    });
}

#[test]
fn insertions_growth_and_truncation_come_out_right() {
    each_kind("insertions_growth_and_truncation_come_out_right", |world, disk| {
        let old = noise(2, SIZE / 2);
        let mut inserted = old.clone();
        inserted.splice(SIZE / 8 + 3..SIZE / 8 + 3, noise(3, 70_001));
        let mut grown = old.clone();
        grown.extend(noise(4, 3 << 20));
        let shorter = old[..SIZE / 4 + 12_345].to_vec();
        let mut moved = old[SIZE / 4..].to_vec();
        moved.extend_from_slice(&old[..SIZE / 4]);
        for new in [inserted, grown, shorter, moved] {
            lay(world, disk, &old, |file| file.write_all_at(&new, 0).expect("written"));
            assert!(send(world, disk).number("bytes_reused") > SIZE as u64 / 8);
        }
    });
}

#[test]
fn what_is_a_hole_in_the_newer_one_holds_nothing_of_the_older() {
    each_kind("what_is_a_hole_in_the_newer_one_holds_nothing_of_the_older", |world, disk| {
        let old = noise(5, SIZE / 2);
        lay(world, disk, &old, |file| {
            for at in (0..SIZE / 2).step_by(4 << 20) {
                file.write_all_at(&old[at..at + (3 << 20)], at as u64).expect("written");
            }
            file.set_len(SIZE as u64 / 2 + (5 << 20)).expect("sized");
        });
        assert!(send(world, disk).number("bytes_reused") > 0);
    });
}

#[test]
fn a_killed_one_goes_on() {
    each_kind("a_killed_one_goes_on", |world, disk| {
        let old = noise(6, SIZE);
        let mut new = old.clone();
        for (at, piece) in new.chunks_mut(1 << 20).enumerate().filter(|(at, _)| at % 2 == 1) {
            Seed(at as u64 + 500).fill(piece);
        }
        lay(world, disk, &old, |file| file.write_all_at(&new, 0).expect("written"));
        let mut running =
            world.client.start(["copy", "--bwlimit", "16m", "file", "lab:/disk/file", "--json"]);
        let half = |event: &serde_json::Value| event["bytes"].as_u64() > Some(8 << 20);
        assert!(running.event(half).is_some());
        running.kill();
        assert!(std::fs::read(disk.path.join("file")).expect("there") == old, "the older one stands");
        let run = send(world, disk);
        let told = run.number("bytes") + run.number("bytes_reused") + run.number("bytes_resumed");
        assert_eq!(told, SIZE as u64);
    });
}
